"""Each command of `lightsail-snapshots` against the deployed stack, in an empty folder."""

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment, eventually, tags_of

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


def test_take_ends_with_1_and_the_reason_when_the_request_fails(stack: Deployment, folder: Path) -> None:
    instance = stack.instance()
    stack.fault("access-denied", instance)
    failed = run(stack, folder, "take", instance, "--wait")
    assert failed.returncode == 1
    assert "Error: The request failed. The role of the create function may not do this." in failed.stderr


def test_take_ends_with_4_and_the_command_that_continues_when_the_snapshot_is_pending(
    stack: Deployment, folder: Path
) -> None:
    instance = stack.instance()
    stack.fault("never-finish", instance)
    pending = run(stack, folder, "take", instance, "--wait", "--timeout", "1s")
    stack.let_pending_ones_finish(instance)
    assert pending.returncode == 4
    assert f"To go on waiting: lightsail-snapshots take {instance} --region us-east-1" in pending.stderr


def test_take_ends_with_130_when_interrupted_and_the_printed_command_continues(stack: Deployment, folder: Path) -> None:
    instance = stack.instance()
    # A process that was started in the background may ignore the signal, and so do its children.
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from lightsail_snapshots_cli.main import main; main()"
    )
    words = [sys.executable, "-c", program, "take", instance, "--wait"]
    environment = dict(stack.aws.environment)
    with subprocess.Popen(words, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stderr
        assert process.stderr.readline().startswith("Waiting for ")
        process.send_signal(signal.SIGINT)
        printed = process.stderr.read()
    assert process.returncode == 130
    command = printed.strip().rpartition("To go on: ")[2]
    assert run(stack, folder, *shlex.split(command)[1:]).returncode == 0
    assert len(stack.snapshots_of(instance)) == 1


def test_status_shows_each_instance_and_what_is_wrong(stack: Deployment, folder: Path) -> None:
    planned, unplanned, outside = stack.instance(backup="nightly"), "forgotten", "far-away"  # `unprotected` has web-*
    stack.aws.make_instance(unplanned, "us-east-1", {})
    stack.aws.make_instance(outside, "ap-south-1", {})
    take(stack, folder, planned)
    shown = run(stack, folder, "status", "--json")
    found = {row["instanceName"]: row for row in json.loads(shown.stdout)["instances"]}
    assert (found[planned]["plans"], found[planned]["maxAge"], found[planned]["mark"]) == (["nightly"], "PT26H", None)
    assert found[planned]["recoveryPointAt"]
    assert found[unplanned]["mark"] == "NO PLAN"
    assert found[outside]["mark"] == "OUTSIDE YOUR REGIONS"


def test_status_page_says_why_a_snapshot_failed_and_what_is_not_covered(stack: Deployment, folder: Path) -> None:
    instance = stack.instance(backup="nightly")
    stack.fault("snapshot-fails", instance)
    [request] = stack.request({"instanceName": instance})
    assert stack.failed(request)["reason"] == "SnapshotError"
    stack.lightsail.create_disk(diskName="loose", availabilityZone="us-east-1a", sizeInGb=32)

    def page() -> str:
        """Write the page, and return it as soon as the logs have the failure."""
        shown = run(stack, folder, "status", "--html", "status.html", *HOME)
        assert shown.stderr == "Wrote status.html.\n"
        html = (folder / "status.html").read_text(encoding="utf-8")
        return html if "its state is error" in html else ""

    html = eventually(page, "page with the failure")
    assert re.search(rf"<b>{instance}</b>.*?Lightsail could not make {instance}-.*?</tr>", html, re.DOTALL)
    assert re.search(r"<b>loose</b>.*NOT COVERED.*disk of 32 GB, attached to nothing", html)
    stack.lightsail.delete_disk(diskName="loose")


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
    assert json.loads(shown.stdout)["overdue"].keys() == {"nightly", "releases", "proven"}


def test_command_ends_with_10_when_nothing_is_deployed_in_the_region(stack: Deployment, folder: Path) -> None:
    shown = run(stack, folder, "status", settings={"AWS_REGION": "eu-west-2"})
    assert shown.returncode == 10, shown.stderr
    assert shown.stderr.startswith("Error: There is no deployment in eu-west-2: set AWS_REGION")


def test_why_tells_what_the_functions_logged(stack: Deployment, folder: Path) -> None:
    instance = stack.instance(backup="nightly")
    name = take(stack, folder, instance)
    (request,) = stack.request({"instanceName": instance, "keepFor": "soon"})
    stack.failed(request)

    def told() -> list[dict[str, str]] | None:
        shown = run(stack, folder, "why", instance, "--json")
        assert shown.returncode == 0, shown.stderr
        timeline: list[dict[str, str]] = json.loads(shown.stdout)["timeline"]
        return timeline if any(each["what"].startswith("Failed") for each in timeline) else None

    found = eventually(told, "the failure in the log")
    assert {"Snapshot requested", "Snapshot is usable", "Failed: InvalidRequest"} <= {each["what"] for each in found}
    assert {each["instanceSnapshotName"] for each in found if each["what"] == "Snapshot is usable"} == {name}
    assert f"{instance} in us-east-1: plan nightly selects it." in run(stack, folder, "why", instance).stdout


def test_replay_sends_a_dead_letter_again_and_takes_it_out(stack: Deployment, folder: Path) -> None:
    instance = stack.instance()
    event = {
        "id": f"dead-{instance}",
        "time": datetime.now(UTC).isoformat(),
        "source": "tests",
        "detail-type": "Instance Snapshot Requested",
        "detail": {"instanceName": instance},
    }
    stack.sqs.send_message(QueueUrl=stack.resources["CreateDeadLetterQueue"], MessageBody=json.dumps(event))
    shown = run(stack, folder, "replay", "--dry-run")
    assert f"a snapshot of {instance}" in shown.stdout, shown.stderr
    assert run(stack, folder, "replay").returncode == 2
    assert stack.depth("CreateDeadLetterQueue") == 1
    assert run(stack, folder, "replay", "--yes").stdout == "CreateDeadLetterQueue: 1 sent again\n"
    assert stack.usable(instance)["requestId"] == f"dead-{instance}"
    assert stack.depth("CreateDeadLetterQueue") == 0


def test_replay_invokes_the_function_whose_invocation_failed(stack: Deployment, folder: Path) -> None:
    """MiniStack makes the record of the failed invocation, as Lambda does."""
    instance = stack.instance(backup="nightly")
    fault = {"fault": "access-denied", "operation": "GetInstances", "region": "eu-central-1", "times": 3}
    stack.aws.control("POST", "/_lightsail/faults", fault)
    stack.put("Fleet Snapshot Requested", {"select": {"names": [instance]}, "regions": ["eu-central-1", "us-east-1"]})
    eventually(lambda: stack.depth("FanOutFailures") == 1, "record of the failed invocation")
    shown = run(stack, folder, "replay", "FanOutFailures", "--dry-run")
    assert "snapshots of several instances" in shown.stdout
    assert "the function failed: eu-central-1: AccessDenied" in shown.stdout
    stack.aws.control("DELETE", "/_lightsail/faults")
    assert run(stack, folder, "replay", "FanOutFailures", "--yes").stdout == "FanOutFailures: 1 sent again\n"
    assert stack.depth("FanOutFailures") == 0


def test_replay_runs_a_schedule_whose_event_was_lost(stack: Deployment, folder: Path) -> None:
    instance = stack.instance(backup="nightly")
    arn = "arn:aws:scheduler:us-east-1:123456789012:schedule/lightsail-snapshots/plan-nightly"
    attributes = {"SCHEDULE_ARN": arn, "SCHEDULED_TIME": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    stack.sqs.send_message(
        QueueUrl=stack.resources["SchedulesDeadLetterQueue"],
        MessageBody="{}",
        MessageAttributes={key: {"DataType": "String", "StringValue": text} for key, text in attributes.items()},
    )
    assert run(stack, folder, "replay", "--yes").stdout == "SchedulesDeadLetterQueue: 1 sent again\n"
    assert stack.usable(instance)["plan"] == "nightly"


def test_adopt_makes_the_snapshot_of_a_person_ours(stack: Deployment, folder: Path) -> None:
    instance = stack.instance()
    stack.lightsail.create_instance_snapshot(instanceSnapshotName=f"{instance}-manual", instanceName=instance)
    eventually(lambda: stack.snapshots_of(instance)[0]["state"] == "available" or None, "usable snapshot")
    shown = run(stack, folder, "adopt", f"{instance}-*", "--yes")
    assert shown.stdout == "1 adopted.\n", shown.stderr
    assert tags_of(stack.snapshots_of(instance)[0]) == {
        "managed-by": "lightsail-snapshots",
        "snapshot-name": f"{instance}-manual",
        "snapshot-of": instance,
        "snapshot-keep": "all",
    }


def test_forget_deletes_what_is_left_of_an_instance_that_is_gone(stack: Deployment, folder: Path) -> None:
    instance = stack.instance()
    name = take(stack, folder, instance)
    assert run(stack, folder, "forget", instance, "--yes").returncode == 1
    assert [each["name"] for each in stack.snapshots_of(instance)] == [name]
    stack.lightsail.delete_instance(instanceName=instance)
    assert run(stack, folder, "forget", instance, "--yes").stdout == "1 snapshot deleted.\n"
    assert stack.snapshots_of(instance) == []


def test_leave_counts_what_stays_and_removes_own_rules(stack: Deployment, folder: Path) -> None:
    name = take(stack, folder, stack.instance())
    rule = {"Name": "leave-of-a-person", "EventBusName": stack.resources["Bus"]}
    stack.aws.client("events").put_rule(**rule, EventPattern=json.dumps({"source": ["nobody"]}))
    found = json.loads(run(stack, folder, "leave", "--json").stdout)
    assert found["snapshots"] >= 1
    assert found["atMostDollarsPerMonth"] == pytest.approx(0.05 * found["sizeInGb"])
    assert "leave-of-a-person" in found["ownRules"]
    stack_rules = {key for key in stack.resources if key.endswith("Rule")}
    assert stack_rules
    assert not stack_rules & set(found["ownRules"])
    stack.aws.client("events").delete_rule(**rule)
    stack.lightsail.tag_resource(resourceName=name, tags=[{"key": "expires-at", "value": "2026-01-01T00:00:00Z"}])
    assert run(stack, folder, "leave", "--delete-expired", "--yes").returncode == 0
    assert name not in {each["name"] for each in stack.lightsail.get_instance_snapshots()["instanceSnapshots"]}
