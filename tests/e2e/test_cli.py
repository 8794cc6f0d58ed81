"""Each command of `lightsail-snapshots` against the deployed stack, in an empty folder."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment, tags_of

COMMAND = Path(sys.executable).with_name("lightsail-snapshots")
HOME = ["--region", "us-east-1"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def run(
    stack: Deployment, folder: Path, *arguments: str, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command with root's keys and nothing else in its environment that it needs."""
    return subprocess.run(  # noqa: S603  our own words
        [COMMAND, *arguments],
        cwd=folder,
        env={**stack.aws.environment, **(settings or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def take(stack: Deployment, folder: Path, instance: str, *arguments: str) -> str:
    """Take a snapshot, wait for it, and return its name."""
    taken = run(stack, folder, "take", instance, "--wait", "--json", *arguments)
    assert taken.returncode == 0, taken.stderr
    answer = json.loads(taken.stdout)
    assert answer["state"] == "available"
    return str(answer["instanceSnapshotName"])


def test_take_makes_the_snapshot_that_it_named(stack: Deployment, folder: Path) -> None:
    instance = stack.instance()
    name = take(stack, folder, instance, "--tag", "reason=upgrade", "--keep-for", "14d")
    [snapshot] = stack.snapshots_of(instance)
    tags = tags_of(snapshot)
    assert snapshot["name"] == name
    assert tags["reason"] == "upgrade"
    assert "expires-at" in tags


def test_take_makes_no_second_snapshot_when_slot_is_repeated(stack: Deployment, folder: Path) -> None:
    instance = stack.instance()
    slot = ("--slot", "2026-11-23T03:15:00Z")
    assert take(stack, folder, instance, *slot) == take(stack, folder, instance, *slot)
    assert len(stack.snapshots_of(instance)) == 1


def test_status_shows_each_instance_and_what_is_wrong(stack: Deployment, folder: Path) -> None:
    planned, unplanned = stack.instance(backup="nightly"), stack.instance()
    outside = stack.instance("ap-south-1")
    take(stack, folder, planned)
    shown = run(stack, folder, "status", "--json")
    found = {row["instanceName"]: row for row in json.loads(shown.stdout)["instances"]}
    assert (found[planned]["plans"], found[planned]["maxAge"], found[planned]["mark"]) == (["nightly"], "PT26H", None)
    assert found[planned]["recoveryPointAt"]
    assert found[unplanned]["mark"] == "NO PLAN"
    assert found[outside]["mark"] == "OUTSIDE YOUR REGIONS"


def test_hold_keeps_a_snapshot_until_release(stack: Deployment, folder: Path) -> None:
    name = take(stack, folder, instance := stack.instance())
    assert run(stack, folder, "hold", name, "--yes").stdout == f"{name} is on hold.\n"
    assert "snapshot-hold" in tags_of(stack.snapshots_of(instance)[0])
    assert run(stack, folder, "release", name, "--yes").stdout == f"{name} is no longer on hold.\n"
    assert "snapshot-hold" not in tags_of(stack.snapshots_of(instance)[0])


def test_preview_decides_by_the_deployed_plans(stack: Deployment, folder: Path) -> None:
    name = take(stack, folder, instance := stack.instance())
    shown = run(stack, folder, "preview", "--json")
    assert shown.returncode == 0, shown.stderr
    decisions = {each["instanceSnapshotName"]: each for each in json.loads(shown.stdout)["decisions"]}
    assert decisions[name]["action"] == "keep"
    assert decisions[name]["instanceName"] == instance


def test_prune_deletes_what_has_expired(stack: Deployment, folder: Path) -> None:
    instance = stack.instance()
    old = take(stack, folder, instance)
    take(stack, folder, instance)
    expired = [{"key": "expires-at", "value": "2026-01-01T00:00:00Z"}]
    stack.lightsail.tag_resource(resourceName=old, tags=expired)
    shown = run(stack, folder, "prune", "--yes")
    assert shown.returncode == 0, shown.stderr
    assert "us-east-1: 1 deleted" in shown.stdout
    assert old not in {each["name"] for each in stack.snapshots_of(instance)}


def test_audit_answers_for_each_plan(stack: Deployment, folder: Path) -> None:
    shown = run(stack, folder, "audit", "--json")
    assert shown.returncode in {0, 3}, shown.stderr
    assert json.loads(shown.stdout)["overdue"].keys() == {"nightly", "releases"}


def test_command_ends_with_10_when_nothing_is_deployed_in_the_region(stack: Deployment, folder: Path) -> None:
    shown = run(stack, folder, "status", settings={"AWS_REGION": "eu-west-2"})
    assert shown.returncode == 10, shown.stderr
    assert shown.stderr.startswith("Error: There is no deployment in eu-west-2: set AWS_REGION")
