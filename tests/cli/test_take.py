"""`take`: the request, and each way in which waiting ends."""

import json
import shlex
from datetime import timedelta
from unittest.mock import patch

import pytest

from lightsail_snapshots_cli.take import SOURCE
from local.lightsail.resources import InstanceSnapshot
from tests.support.command_line import CommandLine

SLOT = ("--slot", "2026-11-23T03:15:00Z")


def names(commands: CommandLine) -> list[str]:
    return [each["name"] for each in commands.aws.snapshots()]


def resumed(commands: CommandLine, stderr: str) -> str:
    """Run the command that an error ends with, and return what it prints."""
    command = stderr.strip().rpartition(": ")[2]
    program, *arguments = shlex.split(command)
    assert program == "lightsail-snapshots"
    commands.while_waiting = None
    again = commands.run(*arguments)
    assert again.exit_code == 0, again.stderr
    return str(again.stdout)


def test_take_puts_one_request_of_its_own_source_on_the_bus(commands: CommandLine) -> None:
    shown = commands.run("take", "web-1", "--tag", "reason=upgrade", "--keep-for", "14d", *SLOT)
    [event] = commands.requests()
    assert event["source"] == SOURCE
    assert event["detail"] == {
        "instanceName": "web-1",
        "region": "us-east-1",
        "scheduledTime": "2026-11-23T03:15:00Z",
        "tags": {"reason": "upgrade"},
        "keepFor": "P14D",
    }
    assert (shown.exit_code, shown.stdout) == (0, "web-1-20261123T031500Z-49443f52 in us-east-1: requested\n")


def test_take_waits_until_the_snapshot_that_it_named_is_usable(commands: CommandLine) -> None:
    shown = commands.run("take", "web-1", "--wait", "--json")
    answer = json.loads(shown.stdout)
    [snapshot] = commands.aws.snapshots()
    assert shown.exit_code == 0
    assert answer == {
        "instanceName": "web-1",
        "instanceSnapshotName": snapshot["name"],
        "instanceSnapshotArn": snapshot["arn"],
        "region": "us-east-1",
        "state": "available",
    }


def test_take_ends_with_1_when_the_snapshot_fails(commands: CommandLine) -> None:
    def fail() -> None:
        for each in commands.aws.emulator.region("us-east-1").resources_of_type(InstanceSnapshot):
            each.failed = True

    commands.run("take", "web-1", "--wait", *SLOT)
    fail()
    shown = commands.run("take", "web-1", "--wait", *SLOT)
    assert shown.exit_code == 1
    assert "Lightsail could not make web-1-20261123T031500Z-49443f52: its state is error." in shown.stderr


def test_take_ends_with_1_and_the_reason_when_the_request_fails(commands: CommandLine) -> None:
    commands.aws.emulator.faults.add("access-denied", operation="CreateInstanceSnapshot")
    shown = commands.run("take", "web-1", "--wait")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert "Error: The request failed. The role of the create function may not do this." in shown.stderr
    assert names(commands) == []


def test_take_ignores_the_failure_of_an_earlier_request_of_the_same_slot(commands: CommandLine) -> None:
    commands.aws.emulator.faults.add("access-denied", operation="CreateInstanceSnapshot", times=1)
    assert commands.run("take", "web-1", "--wait", *SLOT).exit_code == 1
    assert commands.run("take", "web-1", "--wait", *SLOT).exit_code == 0


def test_take_ends_with_4_at_the_timeout_and_can_be_continued(commands: CommandLine) -> None:
    commands.while_waiting = lambda: None
    shown = commands.run("take", "web-1", "--wait", "--timeout", "90s")
    assert shown.exit_code == 4
    assert shown.stdout.endswith(" in us-east-1: pending\n")
    assert "available" in resumed(commands, shown.stderr)
    assert len(names(commands)) == 1


def test_take_ends_with_130_when_interrupted_and_can_be_continued(commands: CommandLine) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    commands.while_waiting = interrupt
    shown = commands.run("take", "web-1", "--wait", "--tag", "note=two words")
    assert (shown.exit_code, shown.stdout) == (130, "")
    assert "Interrupted; the snapshot is taken anyway. To go on: lightsail-snapshots take web-1" in shown.stderr
    assert "available" in resumed(commands, shown.stderr)
    assert len(names(commands)) == 1


def test_take_can_be_continued_when_interrupted_as_it_begins_to_wait(commands: CommandLine) -> None:
    with patch("lightsail_snapshots_cli.take.progress", side_effect=KeyboardInterrupt):
        shown = commands.run("take", "web-1", "--wait")
    assert shown.exit_code == 130
    assert "available" in resumed(commands, shown.stderr)
    assert len(names(commands)) == 1


def test_take_goes_on_after_a_short_outage(commands: CommandLine) -> None:
    commands.aws.emulator.faults.add("unreachable", operation="GetInstanceSnapshot", times=4)
    assert commands.run("take", "web-1", "--wait").exit_code == 0


def test_take_ends_with_1_when_the_network_stays_away_and_can_be_continued(commands: CommandLine) -> None:
    commands.aws.emulator.faults.add("unreachable", operation="GetInstanceSnapshot", times=100)
    shown = commands.run("take", "web-1", "--wait")
    assert shown.exit_code == 1
    assert "AWS could not be reached while looking at the snapshot: check your network" in shown.stderr
    commands.aws.emulator.faults.clear()
    assert "available" in resumed(commands, shown.stderr)


def test_take_puts_nothing_on_the_bus_when_the_slot_has_its_snapshot(commands: CommandLine) -> None:
    commands.run("take", "web-1", "--wait", *SLOT)
    assert len(commands.requests()) > 0
    assert commands.run("take", "web-1", "--wait", *SLOT).exit_code == 0
    assert commands.requests() == []


def test_take_ends_with_1_when_the_name_is_that_of_a_persons_snapshot(commands: CommandLine) -> None:
    name = commands.run("take", "web-1", *SLOT).stdout.split()[0]
    commands.requests()
    commands.snapshot(commands.find("web-1"), timedelta(hours=1), name, **{"managed-by": "somebody"})
    shown = commands.run("take", "web-1", "--wait", *SLOT)
    assert shown.exit_code == 1
    assert f"{name} in us-east-1 is the name of a snapshot that is not this request's." in shown.stderr


def test_take_ends_with_5_when_there_is_no_such_instance(commands: CommandLine) -> None:
    shown = commands.run("take", "web-2")
    assert shown.exit_code == 5
    assert shown.stderr == "Error: There is no instance web-2 in us-east-1; did you mean web-1?\n"
    assert commands.requests() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tag", "managed-by=me"], "detail.tags.managed-by: the key managed-by is reserved"),
        (["--tag", "=x"], "must be a tag such as env=prod, not '=x'"),
        (["--region", "ap-south-1"], "must be a Region of this stack (eu-central-1, us-east-1), not 'ap-south-1'"),
        (["--keep-for", "90s"], "must be a duration such as 14d, 26h, 90m"),
        (["--timeout", "soon"], "must be a duration such as 14d, 26h, 90m"),
        (["--slot", "yesterday"], "must be a time such as 2026-11-23T03:15:00Z, not 'yesterday'"),
    ],
)
def test_take_ends_with_2_when_the_request_is_not_valid(
    commands: CommandLine, arguments: list[str], message: str
) -> None:
    shown = commands.run("take", "web-1", *arguments)
    assert shown.exit_code == 2
    assert message in shown.stderr
    assert commands.requests() == []
