"""`why`: what the logs of the functions and the snapshots tell of one instance."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lightsail_snapshots.naming import format_utc
from lightsail_snapshots_cli.logs import LogLine
from lightsail_snapshots_cli.timeline import Entry, build_timeline
from tests.support.command_line import CommandLine, current_time
from tests.support.events import requested

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 11, 23, 3, 15, tzinfo=UTC)


def timeline(commands: CommandLine, *arguments: str) -> list[dict[str, Any]]:
    shown = commands.run("why", "web-1", "--json", *arguments)
    assert shown.exit_code == 0, shown.stderr
    return list(json.loads(shown.stdout)["timeline"])


def told(lines: list[dict[str, Any]], name: str = "web-1", capability: str = "Create") -> list[Entry]:
    """Return the timeline of log lines that are a minute apart."""
    found = [LogLine(START + number * timedelta(minutes=1), capability, line) for number, line in enumerate(lines)]
    return build_timeline(name, found, [], START)


def test_why_tells_a_request_from_beginning_to_end(commands: CommandLine) -> None:
    commands.run("take", "web-1", "--wait")
    [event, *_] = commands.requests()
    commands.aws.request(event, attempt=2)
    found = timeline(commands)
    assert [each["what"] for each in found] == [
        "Snapshot requested",
        "Lightsail is making the snapshot",
        "Not finished, will retry",
        "Snapshot is usable",
    ]
    assert found[0]["why"] == "by an event that names it"
    assert {each["instanceSnapshotName"] for each in found} == {commands.aws.snapshots()[0]["name"]}


def test_why_shows_a_failure_with_its_reason(commands: CommandLine) -> None:
    commands.aws.emulator.faults.add("access-denied", operation="CreateInstanceSnapshot")
    commands.aws.request(requested({"instanceName": "web-1"}, time=format_utc(current_time())))
    failed = timeline(commands)[-1]
    assert failed["what"] == "Failed: AccessDenied"
    assert "lightsail:CreateInstanceSnapshot" in failed["why"]


def test_why_shows_a_rejected_request_that_names_the_instance(commands: CommandLine) -> None:
    commands.aws.request(requested({"instanceName": "web-1", "keepFor": "soon"}))
    [failed] = timeline(commands)
    assert failed["what"] == "Failed: InvalidRequest"
    assert "detail.keepFor: must be a duration" in failed["why"]


def test_why_shows_what_prune_deleted_and_why(commands: CommandLine) -> None:
    web = commands.find("web-1")
    commands.snapshot(web, 9 * HOUR, "web-1-new")
    commands.snapshot(web, 20 * DAY, "web-1-old", **{"expires-at": "2026-01-01T00:00:00Z"})
    commands.copy(web, 9 * HOUR, "web-1-new")
    commands.run("prune", "--yes")
    deleted = [each for each in timeline(commands) if each["instanceSnapshotName"] == "web-1-old"]
    assert [(each["what"], each["why"]) for each in deleted] == [
        ("Deleted a snapshot", "expired on 2026-01-01T00:00:00Z")
    ]


def test_why_shows_that_the_instance_is_overdue(commands: CommandLine) -> None:
    shop = commands.instance("shop", backup="daily")
    commands.snapshot(shop, 3 * DAY, "shop-1")
    commands.run("audit")
    shown = commands.run("why", "shop")
    assert "shop in us-east-1: plan daily selects it." in shown.stdout
    assert "no usable snapshot younger than the max_age of plan daily allows, since 20" in shown.stdout


def test_why_shows_a_snapshot_that_no_log_line_is_about(commands: CommandLine) -> None:
    commands.snapshot(commands.find("web-1"), 3 * DAY, "by-hand", **{"managed-by": "me"})
    [found] = timeline(commands)
    assert (found["what"], found["why"]) == ("Snapshot made; now available", "not managed by lightsail-snapshots")
    assert timeline(commands, "--since", "2d") == []


def test_why_says_that_no_plan_selects_the_instance_and_that_nothing_happened(commands: CommandLine) -> None:
    shown = commands.run("why", "web-1")
    assert shown.stdout == (
        "web-1 in us-east-1: NO PLAN selects it.\nNothing happened in this time: --since looks back further.\n"
    )


@pytest.mark.parametrize("name", ["web-2", 'x" ?"'])
def test_why_ends_with_5_when_nothing_has_the_name(commands: CommandLine, name: str) -> None:
    commands.run("take", "web-1", "--wait")
    shown = commands.run("why", name)
    assert shown.exit_code == 5
    assert shown.stderr.startswith(f"Error: There is no instance {name}, no snapshot of it, and nothing in the logs; ")


def test_why_ends_with_7_and_shows_the_rest_when_a_region_is_denied(commands: CommandLine) -> None:
    commands.aws.emulator.faults.add("access-denied", region="eu-central-1")
    shown = commands.run("why", "web-1")
    assert shown.exit_code == 7
    assert "Error: Access denied while listing eu-central-1: your credentials lack lightsail:GetInstances." in (
        shown.stderr
    )
    assert "web-1 in us-east-1" in shown.stdout


def test_why_ends_with_7_when_nothing_can_be_listed_and_nothing_is_logged(commands: CommandLine) -> None:
    commands.aws.emulator.faults.add("access-denied", operation="GetInstances")
    shown = commands.run("why", "web-1")
    assert (shown.exit_code, shown.stdout) == (7, "")
    assert "your credentials lack lightsail:GetInstances" in shown.stderr


def test_timeline_joins_what_happens_many_times_in_a_row() -> None:
    waiting = {"message": "Not finished, will retry", "instance_name": "web-1", "attempt": 2, "why": "not usable yet"}
    [only] = told([waiting | {"attempt": attempt} for attempt in range(2, 9)])
    assert (only.count, only.until - only.time) == (7, timedelta(minutes=6))


def test_timeline_tells_copies_from_snapshots() -> None:
    copy = {"instance_name": "web-1", "correlation_id": "1", "plan": "daily", "region": "us-east-1", "attempt": 1}
    here = copy | {"message": "Lightsail is making the snapshot", "destination": None}
    there = copy | {"message": "Not finished, will retry", "destination": "eu-west-1", "why": "x is not usable yet"}
    assert [(each.what, each.why, each.region) for each in told([here, there])] == [
        ("Snapshot requested", "plan daily selected it", "us-east-1"),
        ("Lightsail is making the snapshot", "", "us-east-1"),
        ("Copy to eu-west-1 requested", "plan daily selected it", "eu-west-1"),
        ("Not finished, will retry", "x is not usable yet", "eu-west-1"),
    ]


def test_timeline_shows_what_prune_kept_for_older_rules() -> None:
    refused = {"instanceName": "web-1", "region": "us-east-1", "deletionCount": 4, "rules": "last=3"}
    line = {"message": "Kept", "refused": [refused | {"rulesTakenUnder": ["last=7"]}, {"instanceName": "web-10"}]}
    [only] = told([line])
    assert only.what == "Prune kept 4 snapshots that only older rules keep"
    assert only.why == "taken under last=7, today's rules are last=3"


def test_timeline_shows_that_no_plan_selects_the_instance() -> None:
    line = {"message": "No plan selects the instance", "instance_name": "web-1", "because": "left_plan"}
    [only] = told([line, line], capability="Audit")
    assert (only.what, only.why, only.count) == ("No plan selects the instance", "left_plan", 2)


@pytest.mark.parametrize("request_text", ["no JSON", "[1]", '{"detail": 7}', '{"detail": {"instanceName": "web-2"}}'])
def test_timeline_ignores_lines_about_others(request_text: str) -> None:
    assert told([{"message": "Rejected", "request": request_text}, {"message": "x", "instance_name": "web-10"}]) == []
