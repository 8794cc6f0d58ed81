"""The deployed `create` function, by AWS's runtime client: one request from its event to the usable snapshot."""

import json
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from local.lambda_runtime import Outcome
from tests.runtime.aws import Aws, batch
from tests.runtime.conftest import Log, Start
from tests.support.events import REQUEST_ID, message, requested, time_now

RETRY = {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
DONE: dict[str, Any] = {"batchItemFailures": []}

PROBE = """
import sys
import lightsail_snapshots.create

def handler(event, context):
    lightsail_snapshots.create.handler(event, context)
    return {name: module.__file__ for name, module in sys.modules.items() if getattr(module, "__file__", None)}
"""


def test_request_becomes_a_snapshot_and_is_retried_until_it_is_usable(aws: Aws, start: Start) -> None:
    function = start(aws.environment)
    assert function.invoke(batch(delivery=1)).payload == RETRY
    assert list(aws.snapshots().values()) == ["pending"]
    assert not aws.events

    aws.lightsail.emulator.clock.advance(600)
    assert function.invoke(batch(delivery=2)).payload == DONE
    assert list(aws.snapshots().values()) == ["available"]
    assert [entry["DetailType"] for entry in aws.events] == ["Instance Snapshot Available"]
    assert json.loads(aws.events[0]["Detail"])["requestId"] == REQUEST_ID


def test_every_import_comes_from_the_asset_and_none_from_site_packages(
    aws: Aws, start: Start, asset: Path, runtime_client: Path, tmp_path: Path
) -> None:
    (tmp_path / "probe.py").write_text(PROBE)
    search = {"PYTHONPATH": f"{runtime_client}:{tmp_path}"}
    files = start(aws.environment | search, "probe.handler").invoke(batch(delivery=1)).payload
    known = [str(asset), str(runtime_client), str(tmp_path), sysconfig.get_path("stdlib")]
    assert not [file for file in files.values() if "site-packages" in file or not file.startswith(tuple(known))]
    for name in ("boto3", "botocore", "urllib3", "aws_lambda_powertools", "lightsail_snapshots.aws"):
        assert files[name].startswith(f"{asset}/")


def test_killed_process_leaves_one_snapshot_that_the_next_one_finishes(aws: Aws, start: Start) -> None:
    function = start(aws.environment)
    aws.lightsail.emulator.faults.add("slow", operation="CreateInstanceSnapshot", seconds=4, times=1)
    killed = function.invoke(batch(delivery=1), kill_if=lambda: bool(aws.snapshots()))
    assert (killed.outcome, killed.error_type) == (Outcome.EXITED, "Runtime.ExitError")
    [name] = aws.snapshots()

    # The queue shows the message again; and a rule that targets the function directly would start from the beginning.
    for delivery in (1, 2):
        assert function.invoke(batch(delivery=delivery)).payload == RETRY
    aws.lightsail.emulator.clock.advance(600)
    assert function.invoke(batch(delivery=3)).payload == DONE
    assert aws.snapshots() == {name: "available"}
    assert len(aws.events) == 1


def test_invocation_makes_no_call_when_little_time_is_left(aws: Aws, start: Start) -> None:
    assert start(aws.environment, timeout=5).invoke(batch(delivery=1)).payload == RETRY
    assert not aws.snapshots()


def test_missing_variable_fails_the_init_phase_and_says_what_to_do(aws: Aws, start: Start) -> None:
    environment = {name: value for name, value in aws.environment.items() if name != "EVENT_BUS_NAME"}
    reply = start(environment).invoke(batch(delivery=1))
    assert (reply.outcome, reply.error_type, reply.payload["errorType"]) == (
        Outcome.INIT_FAILED,
        "SettingsError",
        "SettingsError",
    )
    assert reply.payload["errorMessage"] == "EVENT_BUS_NAME is not set: deploy the stack again, which sets all of them"


def test_bare_event_is_answered_with_its_state(aws: Aws, start: Start) -> None:
    reply = start(aws.environment).invoke(requested({"instanceName": "web-1"}, time=time_now()))
    assert reply.outcome is Outcome.ANSWERED
    assert reply.payload["state"] == "pending"
    assert list(aws.snapshots()) == [reply.payload["instanceSnapshotName"]]


def test_bare_event_fails_with_our_error_and_lambda_keeps_the_process(aws: Aws, start: Start, log: Log) -> None:
    function = start(aws.environment)
    aws.lightsail.emulator.faults.add("busy", operation="CreateInstanceSnapshot", times=1)
    failed = function.invoke(requested({"instanceName": "web-1"}, time=time_now()))
    assert (failed.outcome, failed.payload["errorType"]) == (Outcome.FAILED, "RetryableError")
    assert failed.payload["errorMessage"].startswith("OperationFailureException: Another operation is in progress")
    assert function.invoke(requested({"instanceName": "web-1"}, time=time_now())).outcome is Outcome.ANSWERED
    assert {line["cold_start"] for line in log() if "cold_start" in line} == {False}


def test_log_lines_are_json_and_ours_name_their_subject(aws: Aws, start: Start, log: Log) -> None:
    start(aws.environment).invoke(batch(delivery=1, plan="daily"))
    lines = [line for line in log() if line.get("service") and "_aws" not in line]
    assert [line["message"] for line in lines] == ["Lightsail is making the snapshot", "Not finished, will retry"]
    [name] = aws.snapshots()
    assert lines[-1]["why"] == f"{name} is not usable yet"
    for line in lines:
        assert line["correlation_id"] == REQUEST_ID
        assert (line["instance_name"], line["region"], line["plan"]) == ("web-1", "us-east-1", "daily")
        assert line["instance_snapshot_name"] == name
        assert (line["attempt"], line["state"], line["level"]) == (1, "pending", "INFO")


@pytest.mark.parametrize(
    "body",
    ["[" * depth + "]" * depth for depth in (101, 5_000, 10_000, 100_000)]
    + [json.dumps(requested({"instanceName": "\u202eweb-1\ud800", "\x1b": 1}))],
)
def test_hostile_message_ends_with_one_event_and_one_readable_log_line(
    aws: Aws, start: Start, log: Log, body: str
) -> None:
    assert start(aws.environment).invoke({"Records": [message(body)]}).payload == DONE
    assert [entry["DetailType"] for entry in aws.events] == ["Instance Snapshot Failed"]
    [line] = [line for line in log() if line.get("service") and "_aws" not in line]
    assert line["message"].startswith("Rejected the request: ")
    assert line["message"].isprintable()


def test_metrics_are_log_lines_in_our_namespace(aws: Aws, start: Start, log: Log) -> None:
    function = start(aws.environment)
    function.invoke(batch(delivery=1))
    aws.lightsail.emulator.clock.advance(600)
    function.invoke(batch(delivery=2))
    seen = [line for line in log() if "_aws" in line]
    namespaces = {metrics["Namespace"] for line in seen for metrics in line["_aws"]["CloudWatchMetrics"]}
    assert namespaces == {"LightsailSnapshots"}
    names = [{m["Name"] for metrics in line["_aws"]["CloudWatchMetrics"] for m in metrics["Metrics"]} for line in seen]
    assert names == [
        {"SnapshotsFailed"},
        {"SnapshotsAvailable", "SnapshotsFailed"},
    ]
