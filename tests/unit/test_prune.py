"""`prune`: what it deletes, that it is what was decided on, and which requests it rejects."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from lightsail_snapshots.aws.errors import AccessDeniedError
from lightsail_snapshots.aws.lightsail import Lightsail
from lightsail_snapshots.naming import our_tags
from local.lightsail.resources import InstanceSnapshot
from tests.support.events import example, fits
from tests.support.fake_aws import FakeAws, emf
from tests.support.pruning import (
    AWAY,
    DAY,
    HOME,
    LAST_1,
    NOW,
    OTHER,
    after_listing,
    left,
    line,
    nights,
    prune_requested,
    region,
    run,
    seed,
    seed_copy,
)

# What it deletes


def test_prune_deletes_what_no_rule_keeps_and_publishes_each_reason(aws: FakeAws) -> None:
    newest, old, oldest = nights(aws, 3)
    arn = region(aws).snapshot(old).arn
    event = prune_requested()
    assert fits(event)
    assert run(event) == {"deleted": {HOME: 2, OTHER: 0, AWAY: 0}}
    assert left(aws) == {newest}
    first, second = aws.events()
    assert first["detail"]["instanceSnapshotName"] == oldest  # so that what is interrupted leaves the newer ones
    assert second["detail-type"] == "Instance Snapshot Deleted"
    assert second["detail"] == {
        "requestId": "prune-1",
        "instanceName": "web-1",
        "instanceSnapshotName": old,
        "instanceSnapshotArn": arn,
        "region": HOME,
        "plan": "daily",
        "createdAt": "2024-06-01T12:00:00Z",
        "reason": "no keep rule of plan daily keeps it",
    }


def test_prune_logs_each_deletion_and_a_summary(aws: FakeAws) -> None:
    _, old = nights(aws, 2)
    run(prune_requested())
    before, after = line(aws, "Deleting a snapshot"), line(aws, "Deleted a snapshot")
    for each in (before, after):
        assert (each["instance_snapshot_name"], each["instance_name"], each["region"]) == (old, "web-1", HOME)
    assert before["deletion"] == aws.event()["detail"]
    assert after["reason"] == "no keep rule of plan daily keeps it"
    summary = line(aws, "Pruned")
    assert summary["correlation_id"] == "prune-1"
    assert summary["deleted_by_region"] == {HOME: 1, OTHER: 0, AWAY: 0}
    assert (summary["kept"], summary["left"], summary["failed_regions"]) == ({"newest": 1}, 0, [])


def test_prune_emits_its_metrics_when_nothing_happens(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    run(prune_requested())
    assert emf(capsys.readouterr().out) == {"SnapshotsDeleted": [0], "PrunesRefused": [0]}
    nights(aws, 3)
    run(prune_requested())
    assert sum(emf(capsys.readouterr().out)["SnapshotsDeleted"]) == 2


def test_prune_lists_each_region_once_and_needs_two_calls_for_each_deletion(aws: FakeAws) -> None:
    nights(aws, 5)
    aws.emulator.settings.page_size = 2
    aws.calls.clear()
    run(prune_requested())
    justified = ["GetInstanceSnapshot"]  # the newest one, read again once
    deletions = ["GetInstanceSnapshot", "DeleteInstanceSnapshot"] * 4
    assert aws.calls == ["GetInstanceSnapshots"] * (3 + 1 + 1) + justified + deletions


def test_prune_deletes_sources_only_when_they_have_copies(aws: FakeAws) -> None:
    names = nights(aws, 3)
    policy = LAST_1 | {"copyTo": [AWAY]}
    assert run(prune_requested(policy)) == {"deleted": {HOME: 0, OTHER: 0, AWAY: 0}}
    for name in names:
        seed_copy(aws, name)
    assert run(prune_requested(policy)) == {"deleted": {HOME: 2, OTHER: 0, AWAY: 2}}
    assert left(aws) == left(aws, AWAY) == {names[0]}
    assert {event["detail"]["region"] for event in aws.events()} == {HOME, AWAY}


def test_second_prune_deletes_nothing_more(aws: FakeAws) -> None:
    nights(aws, 3)
    run(prune_requested())
    aws.events()
    assert run(prune_requested()) == {"deleted": {HOME: 0, OTHER: 0, AWAY: 0}}
    assert aws.events() == []


def test_prune_decides_as_of_the_events_own_time(aws: FakeAws) -> None:
    now = datetime.now(UTC)
    for hours in (1, 2, 3):
        seed(aws, (NOW - now) / DAY + hours / 24, name=f"web-1-{hours}")

    def deleted(hours_ago: float) -> int:
        event = prune_requested(time=(now - timedelta(hours=hours_ago)).isoformat())
        del event["detail"]["scheduledTime"]
        count: int = run(event)["deleted"][HOME]
        return count

    assert deleted(hours_ago=2.5) == 0
    assert deleted(hours_ago=0) == 2


def test_prune_skips_a_request_that_is_over_six_hours_old(aws: FakeAws) -> None:
    names = nights(aws, 3)
    put_at = datetime.now(UTC) - timedelta(hours=6)
    assert run(prune_requested(time=(put_at - timedelta(minutes=10)).isoformat())) == {"state": "late"}
    assert left(aws) == set(names)
    assert line(aws, "Skipped: the request is over 6 hours old")["level"] == "WARNING"
    assert run(prune_requested(time=(put_at + timedelta(minutes=10)).isoformat()))["deleted"][HOME] == 2


def test_prune_decides_as_of_the_scheduled_time_when_it_has_one(aws: FakeAws) -> None:
    nights(aws, 3)
    event = prune_requested()
    event["detail"]["scheduledTime"] = (NOW - 3 * DAY).isoformat()
    assert fits(event)
    assert run(event)["deleted"][HOME] == 0


def test_prune_takes_a_time_in_the_future_as_now(aws: FakeAws) -> None:
    names = nights(aws, 3)
    for name in names:
        region(aws).snapshot(name).tags["expires-at"] = f"{datetime.now(UTC) + DAY:%Y-%m-%dT%H:%M:%SZ}"
    event = prune_requested(time="8000-01-01T00:00:00Z")
    event["detail"]["scheduledTime"] = "8000-01-01T00:00:00Z"
    assert run(event)["deleted"][HOME] == 0


# What is deleted is what was decided on


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("tags", lambda one: one.tags.pop("managed-by")),
        ("tags", lambda one: one.tags.update({"snapshot-hold": None})),
        ("state", lambda one: setattr(one, "failed", True)),
        ("state", lambda one: setattr(one, "finishes_at", datetime.max.replace(tzinfo=UTC))),
        ("arn", lambda one: setattr(one, "id", "0f8b2bd1-another-of-the-same-name")),
    ],
)
def test_snapshot_stays_when_it_has_changed_since_it_was_listed(
    aws: FakeAws, what: str, change: Callable[[InstanceSnapshot], object]
) -> None:
    newest, old, oldest = nights(aws, 3)
    with after_listing(lambda: change(region(aws).snapshot(oldest))):
        assert run(prune_requested())["deleted"][HOME] == 1
    assert left(aws) == {newest, oldest}
    warning = line(aws, "Skipped: it has changed since it was listed")
    assert (warning["level"], warning["instance_snapshot_name"], warning["changed"]) == ("WARNING", oldest, [what])
    assert [event["detail"]["instanceSnapshotName"] for event in aws.events()] == [old]


def test_prune_publishes_nothing_when_somebody_else_deleted_the_snapshot(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    _, old = nights(aws, 2)
    with after_listing(lambda: region(aws).remove(region(aws).snapshot(old))):
        assert run(prune_requested())["deleted"][HOME] == 0
    assert line(aws, "Skipped: somebody else has deleted it")["instance_snapshot_name"] == old
    assert aws.events() == []
    assert emf(capsys.readouterr().out)["SnapshotsDeleted"] == [0]


def test_denied_deletion_is_published_when_the_snapshot_is_gone(aws: FakeAws) -> None:
    _, old = nights(aws, 2)

    def deletes_and_is_denied(self: Lightsail, name: str) -> None:
        region(aws, self.region).remove(region(aws).snapshot(name))
        raise AccessDeniedError("AccessDeniedException")

    with patch.object(Lightsail, "delete_snapshot", deletes_and_is_denied):
        assert run(prune_requested())["deleted"][HOME] == 1
    assert aws.event()["detail"]["instanceSnapshotName"] == old


@pytest.mark.parametrize("lost", [1, 2])
def test_deletion_is_published_when_its_answer_is_lost(aws: FakeAws, lost: int) -> None:
    _, old = nights(aws, 2)
    aws.emulator.faults.add("lost-answer", operation="DeleteInstanceSnapshot", times=lost)
    assert run(prune_requested())["deleted"][HOME] == 1
    assert aws.event()["detail"]["instanceSnapshotName"] == old


# What justifies a deletion


def test_old_snapshot_stays_when_a_person_deletes_the_newer_one_after_the_listing(aws: FakeAws) -> None:
    new, old = nights(aws, 2)
    with after_listing(lambda: region(aws).remove(region(aws).snapshot(new))):
        assert run(prune_requested())["deleted"][HOME] == 0
    assert left(aws) == {old}
    warning = line(aws, "Skipped: what justifies the deletion has changed")
    assert (warning["needed"], warning["instance_snapshot_name"]) == (new, old)
    assert aws.events() == []


def test_other_instances_are_pruned_when_the_newest_snapshot_of_one_has_changed(aws: FakeAws) -> None:
    web, shop = nights(aws, 3), nights(aws, 3, instance="shop")
    with after_listing(lambda: setattr(region(aws).snapshot(web[0]), "failed", True)):
        assert run(prune_requested())["deleted"][HOME] == 2
    assert left(aws) == {*web, shop[0]}


def test_source_stays_when_its_usable_copy_is_deleted_after_the_listing(aws: FakeAws) -> None:
    names = nights(aws, 3)
    copies = [seed_copy(aws, name) for name in names]
    with after_listing(lambda: region(aws, AWAY).remove(region(aws, AWAY).snapshot(copies[0]))):
        run(prune_requested(LAST_1 | {"copyTo": [AWAY]}))
    assert left(aws) == set(names)
    assert left(aws, AWAY) == set(copies[1:])


# What goes by rules or expiry


def test_held_snapshots_are_deleted_when_the_plan_confirms_its_rules(aws: FakeAws) -> None:
    names = nights(aws, 9, keep="last=9")
    assert run(prune_requested(LAST_1 | {"keepConfirmed": {"last": 1}}))["deleted"][HOME] == 8
    assert left(aws) == {names[0]}
    assert {event["detail-type"] for event in aws.events()} == {"Instance Snapshot Deleted"}


def test_expired_snapshots_without_plan_are_deleted_at_once(aws: FakeAws) -> None:
    for days_ago in range(1, 9):
        name = f"asked-{days_ago}"
        seed(aws, days_ago, name=name, tags=our_tags(name, "web-1", expires_at=NOW - DAY / 2))
    assert run(prune_requested())["deleted"][HOME] == 7
    assert {event["detail-type"] for event in aws.events()} == {"Instance Snapshot Deleted"}


# Bad requests


def test_bad_request_is_one_rejected_event_with_every_problem(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    nights(aws, 3)
    aws.calls.clear()
    event = prune_requested({"keep": {"lst": 1}}, LAST_1 | {"dryRun": "yes", "keepconfirmed": 1}, time="now")
    event["detail"]["scheduledTime"] = "soon"
    event["detail"] |= {"regions": [], "scheduledTme": NOW.isoformat(), "report": "yes"}
    answer = run(event)
    put = aws.event()
    assert put["detail-type"] == "Request Rejected"
    assert (put["detail"]["requestId"], put["detail"]["request"]) == ("prune-1", event)
    assert put["detail"]["problems"] == [
        "time: must be a time such as 2026-11-23T03:15:00Z, not 'now'",
        "detail.scheduledTime: must be a time such as 2026-11-23T03:15:00Z, not 'soon'",
        "detail.plans[0].name: is missing",
        "detail.plans[0].select: is missing",
        "detail.plans[0].keep.lst: unknown key; did you mean last?",
        "detail.plans[1].dryRun: must be true or false, not 'yes'",
        "detail.plans[1].keepconfirmed: unknown key; did you mean keepConfirmed?",
        "detail.report: must be true or false, not 'yes'",
        "detail.regions: unknown key; allowed are scheduledTime, plans, report",
        "detail.scheduledTme: unknown key; did you mean scheduledTime?",
    ]
    assert answer == {"state": "failed", "message": put["detail"]["message"]}
    assert "SnapshotsFailed" not in emf(capsys.readouterr().out)
    assert aws.calls == []


@pytest.mark.parametrize(
    ("envelope", "problem"),
    [
        ({"source": "my.ci"}, "source: must be lightsail-snapshots, not 'my.ci': "),
        ({"replay-name": "last-night"}, "replay-name: a replay is rejected: "),
    ],
)
def test_prune_rejects_other_sources_and_replays(aws: FakeAws, envelope: dict[str, str], problem: str) -> None:
    names = nights(aws, 30)
    answer = run(prune_requested(**envelope))
    assert answer["state"] == "failed"
    assert f"{problem}to prune now, run `lightsail-snapshots prune`" in answer["message"]
    assert left(aws) == set(names)


@pytest.mark.parametrize("event", [{"detail": {}}, {"id": 3, "time": NOW.isoformat(), "detail": "x"}, []])
def test_prune_rejects_anything_but_an_event(aws: FakeAws, event: Any) -> None:
    assert run(event)["state"] == "failed"
    put = aws.event()
    assert (put["detail-type"], put["detail"]["requestId"]) == ("Request Rejected", "invocation-1")


def test_published_example_is_a_valid_request(aws: FakeAws) -> None:
    run(example("Prune Requested") | {"time": datetime.now(UTC).isoformat()})
    assert line(aws, "Pruned")["failed_regions"] == []


def test_copy_stays_when_its_source_is_in_no_region_of_the_stack(aws: FakeAws) -> None:
    for days_ago in (1, 2, 3):
        of = f"ap-south-1 {NOW - days_ago * DAY:%Y-%m-%dT%H:%M:%SZ} arn:aws:lightsail:ap-south-1:1:Instance/1"
        name = f"copy-{days_ago}"
        tags = our_tags(name, "web-1", plan="daily") | {"copy-of": of}
        seed(aws, days_ago, AWAY, name=name, from_instance_arn="", tags=tags)
    assert run(prune_requested())["deleted"][AWAY] == 0
