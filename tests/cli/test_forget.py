"""`forget`: what is left of an instance that is gone goes, and nothing else."""

import json
from datetime import timedelta

import boto3
import pytest

from tests.support.command_line import CommandLine

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def delete_instance(name: str, region: str = "us-east-1") -> None:
    boto3.client("lightsail", region_name=region).delete_instance(instanceName=name)


def left_of_old(commands: CommandLine) -> None:
    """Make an instance with two snapshots and a copy, and delete it; another instance has a snapshot."""
    old = commands.instance("old", backup="daily")
    commands.snapshot(old, 9 * HOUR, "old-2")
    commands.snapshot(old, 3 * DAY, "old-1")
    commands.copy(old, 3 * DAY, "old-1")
    commands.snapshot(commands.find("web-1"), 9 * HOUR, "web-1-new")
    delete_instance("old")


def names(commands: CommandLine) -> set[str]:
    regions = ("us-east-1", "eu-central-1", "eu-west-1")
    return {f"{each['name']} in {region}" for region in regions for each in commands.aws.snapshots(region)}


def test_forget_shows_and_deletes_all_of_the_instance_when_a_person_agrees(commands: CommandLine) -> None:
    left_of_old(commands)
    shown = commands.run("forget", "old", answer="y\n")
    assert (shown.exit_code, shown.stdout) == (0, "3 snapshots deleted.\n")
    assert "9 h  delete  old-2 in us-east-1" in shown.stderr
    assert names(commands) == {"web-1-new in us-east-1"}


@pytest.mark.parametrize(("answer", "status"), [("n\n", 0), (None, 2)])
def test_forget_deletes_nothing_when_nobody_agrees(commands: CommandLine, answer: str | None, status: int) -> None:
    left_of_old(commands)
    before = names(commands)
    assert commands.run("forget", "old", answer=answer).exit_code == status
    assert names(commands) == before


def test_forget_refuses_when_the_instance_exists(commands: CommandLine) -> None:
    commands.snapshot(commands.find("web-1"), 9 * HOUR, "web-1-new")
    shown = commands.run("forget", "web-1", "--yes")
    assert shown.exit_code == 1
    assert shown.stderr.startswith("Error: There is an instance web-1 in us-east-1, and only what is left of one")
    assert names(commands) == {"web-1-new in us-east-1"}


def test_forget_takes_the_one_of_a_region_when_others_have_the_name(commands: CommandLine) -> None:
    left_of_old(commands)
    commands.snapshot(commands.instance("old", "eu-central-1"), HOUR, "other", "eu-central-1")
    assert commands.run("forget", "old", "--yes").exit_code == 1
    assert commands.run("forget", "old", "--yes", "--region", "us-east-1").exit_code == 0
    assert names(commands) == {"web-1-new in us-east-1", "other in eu-central-1"}


def test_forget_keeps_holds_and_what_is_not_certainly_ours(commands: CommandLine) -> None:
    old = commands.instance("old", backup="daily")
    commands.snapshot(old, 3 * DAY, "old-held", **{"Snapshot-Hold": ""})
    commands.snapshot(old, 3 * DAY, "old-foreign", **{"managed-by": "me"})
    commands.snapshot(old, 3 * DAY, "old-handed-on", **{"snapshot-name": "another"})
    commands.snapshot(old, 3 * DAY, "old-1")
    delete_instance("old")
    shown = commands.run("forget", "old", "--yes", "--json")
    assert json.loads(shown.stdout) == {"deleted": ["old-1 in us-east-1"]}
    assert "on hold (snapshot-hold)" in shown.stderr
    assert names(commands) == {f"old-{each} in us-east-1" for each in ("held", "foreign", "handed-on")}


def test_forget_keeps_the_copies_when_the_region_of_the_instance_cannot_be_listed(commands: CommandLine) -> None:
    left_of_old(commands)
    commands.aws.emulator.faults.add("access-denied", region="us-east-1", operation="GetInstances")
    shown = commands.run("forget", "old", "--yes")
    assert (shown.exit_code, shown.stdout) == (0, "Nothing was done.\n")
    assert "us-east-1 could not be listed: is the instance gone?" in shown.stderr
    assert "old-1 in eu-west-1" in names(commands)


def test_forget_deletes_nothing_when_the_instance_is_back(
    commands: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_of_old(commands)
    before = names(commands)

    def restore(*_: object, **__: object) -> bool:
        commands.instance("old")
        return True

    monkeypatch.setattr("lightsail_snapshots_cli.forget.confirm", restore)
    shown = commands.run("forget", "old")
    assert shown.exit_code == 1
    assert shown.stderr.endswith("Error: Nothing was done: there is an instance old in us-east-1 now.\n")
    assert names(commands) == before


def test_forget_keeps_a_snapshot_that_is_put_on_hold_in_between(
    commands: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_of_old(commands)

    def hold(*_: object, **__: object) -> bool:
        tags = [{"key": "snapshot-hold", "value": "true"}]
        boto3.client("lightsail", region_name="us-east-1").tag_resource(resourceName="old-1", tags=tags)  # type: ignore[arg-type]
        return True

    monkeypatch.setattr("lightsail_snapshots_cli.forget.confirm", hold)
    shown = commands.run("forget", "old")
    assert (shown.exit_code, shown.stdout) == (1, "2 snapshots deleted.\n")
    assert "Kept old-1 in us-east-1: it has changed since it was listed." in shown.stderr
    assert "old-1 in us-east-1" in names(commands)


def test_forget_counts_a_deletion_whose_answer_was_lost(commands: CommandLine) -> None:
    left_of_old(commands)
    commands.aws.emulator.faults.add("lost-answer", operation="DeleteInstanceSnapshot", times=1)
    assert commands.run("forget", "old", "--yes").stdout == "3 snapshots deleted.\n"


def test_forget_can_be_repeated_when_aws_failed_halfway(commands: CommandLine) -> None:
    left_of_old(commands)
    commands.aws.emulator.faults.add("access-denied", operation="DeleteInstanceSnapshot", name="old-2")
    shown = commands.run("forget", "old", "--yes")
    assert shown.exit_code == 7
    assert "your credentials lack lightsail:DeleteInstanceSnapshot" in shown.stderr
    commands.aws.emulator.faults.clear()
    assert commands.run("forget", "old", "--yes").stdout == "1 snapshot deleted.\n"


def test_forget_ends_with_5_and_names_instances_that_are_gone(commands: CommandLine) -> None:
    left_of_old(commands)
    shown = commands.run("forget", "odl")
    assert shown.exit_code == 5
    assert shown.stderr == "Error: There is no snapshot of an instance odl; did you mean old?\n"
