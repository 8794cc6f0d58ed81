"""From a request to a usable, tagged snapshot and its event."""

import json

from tests.e2e.deployment import Deployment, tags_of
from tests.support.events import time_now


def test_request_makes_a_usable_snapshot_with_its_tags(stack: Deployment) -> None:
    instance = stack.instance(env="prod", team="web")

    (request,) = stack.request({"instanceName": instance, "tags": {"reason": "before-deploy"}, "keepFor": "P7D"})

    detail = stack.available(request)
    (snapshot,) = stack.snapshots_of(instance)
    assert snapshot["state"] == "available"
    assert (detail["instanceSnapshotName"], detail["instanceSnapshotArn"]) == (snapshot["name"], snapshot["arn"])
    tags = tags_of(snapshot)
    assert tags.pop("expires-at")
    assert tags.pop("restore-settings").startswith("zone=us-east-1a ")
    assert tags.pop("restore-ports") == "tcp=80 tcp=22 tcp=443"
    assert tags == {
        "env": "prod",
        "team": "web",
        "reason": "before-deploy",
        "managed-by": "lightsail-snapshots",
        "snapshot-name": snapshot["name"],
        "snapshot-of": instance,
    }


def test_log_and_metrics_show_each_step_of_a_request(stack: Deployment) -> None:
    instance = stack.instance()
    (request,) = stack.request({"instanceName": instance})
    detail = stack.available(request)
    stack.drain()

    lines = sorted(stack.logged(request), key=lambda line: int(line["attempt"]))

    assert [lines[0]["state"], lines[-1]["state"]] == ["pending", "available"]
    assert {line["instance_snapshot_name"] for line in lines} == {detail["instanceSnapshotName"]}
    # The first delivery writes two lines: Lightsail makes the snapshot, and the message will be retried.
    assert [line["attempt"] for line in lines] == [1, *range(1, len(lines))]
    metrics = {name for line in stack.log() if "_aws" in line for name in line}
    assert {"SnapshotsAvailable", "SnapshotsFailed"} <= metrics


def test_two_requests_in_one_second_make_two_snapshots(stack: Deployment) -> None:
    instance = stack.instance()

    first, second = stack.request({"instanceName": instance}, {"instanceName": instance})

    names = {stack.available(request)["instanceSnapshotName"] for request in (first, second)}
    assert names == {snapshot["name"] for snapshot in stack.snapshots_of(instance)}
    assert len(names) == 2


def test_bare_event_makes_a_snapshot_when_a_rule_of_the_user_invokes_create(stack: Deployment) -> None:
    instance = stack.instance()
    event = {"id": "bare-event", "time": time_now(), "detail": {"instanceName": instance}}

    answer = stack.aws.client("lambda").invoke(
        FunctionName=stack.resources["CreateFunction"], Payload=json.dumps(event)
    )

    (snapshot,) = stack.snapshots_of(instance)
    assert json.loads(answer["Payload"].read()) == {
        "state": "pending",
        "instanceSnapshotName": snapshot["name"],
        "region": "us-east-1",
    }
