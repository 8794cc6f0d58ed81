"""`leave`: what stays, what it costs at most, and each way to clean up."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest

from lightsail_snapshots.naming import format_utc
from tests.support.command_line import CommandLine, current_time

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def account(commands: CommandLine) -> None:
    """Make four snapshots of ours in two Regions, one of them on hold and one expired, and one of a person."""
    web = commands.find("web-1")
    commands.snapshot(web, 9 * HOUR, "web-1-new")
    commands.copy(web, 9 * HOUR, "web-1-new")
    commands.snapshot(web, 9 * DAY, "web-1-held", **{"snapshot-hold": ""})
    commands.snapshot(web, 20 * DAY, "web-1-old", **{"expires-at": format_utc(current_time() - DAY)})
    commands.snapshot(web, 20 * DAY, "by-hand", **{"managed-by": "me"})


def names(commands: CommandLine) -> set[str]:
    regions = ("us-east-1", "eu-west-1")
    return {f"{each['name']} in {region}" for region in regions for each in commands.aws.snapshots(region)}


def tags(commands: CommandLine, name: str) -> dict[str, str]:
    [found] = [each for each in commands.aws.snapshots() if each["name"] == name]
    return {tag["key"]: tag.get("value", "") for tag in found["tags"]}


def make_rule(name: str) -> None:
    events: Any = boto3.client("events", region_name="us-east-1")
    events.put_rule(Name=name, EventBusName="lightsail-snapshots", EventPattern='{"source": ["x"]}')
    target = {"Id": "a", "Arn": "arn:aws:sqs:us-east-1:123456789012:seen"}
    events.put_targets(Rule=name, EventBusName="lightsail-snapshots", Targets=[target])


def rules() -> set[str]:
    events: Any = boto3.client("events", region_name="us-east-1")
    return {rule["Name"] for rule in events.list_rules(EventBusName="lightsail-snapshots")["Rules"]}


def test_leave_shows_what_stays_and_what_it_costs_at_most(commands: CommandLine) -> None:
    account(commands)
    shown = commands.run("leave")
    assert shown.exit_code == 0
    assert [line.rstrip() for line in shown.stdout.splitlines()][:4] == [
        "REGION     SNAPSHOTS  EXPIRING  ON HOLD   SIZE      AT MOST",
        "eu-west-1          1         0        0  20 GB  $1.00/month",
        "us-east-1          3         1        1  60 GB  $3.00/month",
        "4 of our snapshots stay, at most $4.00 a month.",
    ]
    assert json.loads(commands.run("leave", "--json").stdout) == {
        "snapshots": 4,
        "onHold": 1,
        "expiring": 1,
        "sizeInGb": 80,
        "atMostDollarsPerMonth": 4.0,
        "ownRules": ["all"],
    }


def test_leave_gives_an_expiry_to_those_that_have_none(commands: CommandLine) -> None:
    account(commands)
    old = tags(commands, "web-1-old")
    shown = commands.run("leave", "--keep-for", "90d", "--yes")
    assert (shown.exit_code, shown.stdout) == (0, "2 expire now.\n")
    assert tags(commands, "web-1-new")["expires-at"] > format_utc(current_time() + 89 * DAY)
    assert "expires-at" not in tags(commands, "web-1-held")
    assert "expires-at" not in tags(commands, "by-hand")
    assert tags(commands, "web-1-old") == old


def test_leave_deletes_all_of_ours_except_holds(commands: CommandLine) -> None:
    account(commands)
    shown = commands.run("leave", "--delete", answer="y\n")
    assert (shown.exit_code, shown.stdout) == (0, "3 deleted.\n")
    assert "web-1-held in us-east-1 stays: on hold (snapshot-hold)." in shown.stderr
    assert names(commands) == {"web-1-held in us-east-1", "by-hand in us-east-1"}


def test_leave_deletes_what_has_expired(commands: CommandLine) -> None:
    account(commands)
    assert commands.run("leave", "--delete-expired", "--yes", "--json").exit_code == 0
    assert names(commands) == {
        "web-1-new in us-east-1",
        "web-1-new in eu-west-1",
        "web-1-held in us-east-1",
        "by-hand in us-east-1",
    }


@pytest.mark.parametrize("option", [["--keep-for", "90d"], ["--delete"], ["--delete-expired"], ["--remove-rules"]])
def test_leave_does_nothing_when_nobody_agrees(commands: CommandLine, option: list[str]) -> None:
    account(commands)
    before = names(commands), tags(commands, "web-1-new"), rules()
    assert commands.run("leave", *option).exit_code == 2
    assert commands.run("leave", *option, answer="n\n").stdout == "Nothing was done.\n"
    assert (names(commands), tags(commands, "web-1-new"), rules()) == before


def test_leave_removes_own_rules_and_not_those_of_the_stack(commands: CommandLine) -> None:
    make_rule("CreateRule-of-the-stack")
    shown = commands.run("leave")
    assert "Your own rule all is on the bus: make destroy fails until it is removed." in shown.stdout
    assert "CreateRule-of-the-stack" not in shown.stdout
    assert commands.run("leave", "--remove-rules", "--yes").stdout == "1 of your rules deleted.\n"
    assert rules() == {"CreateRule-of-the-stack"}


def test_leave_works_when_the_stack_and_its_bus_are_gone(commands: CommandLine) -> None:
    account(commands)
    events: Any = boto3.client("events", region_name="us-east-1")
    events.remove_targets(Rule="all", EventBusName="lightsail-snapshots", Ids=["seen"])
    events.delete_rule(Name="all", EventBusName="lightsail-snapshots")
    events.delete_event_bus(Name="lightsail-snapshots")
    commands.is_deployed = False
    assert json.loads(commands.run("leave", "--json").stdout)["ownRules"] == []
    assert commands.run("leave", "--delete", "--yes").stdout == "3 deleted.\n"


def test_leave_rejects_two_ways_at_once(commands: CommandLine) -> None:
    shown = commands.run("leave", "--delete", "--keep-for", "90d", "--yes")
    assert shown.exit_code == 2
    assert "Give one of --keep-for, --delete, --delete-expired and --remove-rules at a time." in shown.stderr


def test_leave_skips_a_region_that_is_not_enabled_and_names_others_that_fail(commands: CommandLine) -> None:
    commands.aws.emulator.faults.add("error", region="ap-south-1", error="UnrecognizedClientException", message="no")
    commands.aws.emulator.faults.add("access-denied", region="eu-north-1")
    shown = commands.run("leave")
    assert shown.exit_code == 0
    assert shown.stderr.startswith("Skipped eu-north-1, so what is there stays. AccessDenied")
    assert "ap-south-1" not in shown.stderr
