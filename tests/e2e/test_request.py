"""An event in, a usable and tagged snapshot and its event out."""

import json

from tests.e2e.deployment import Deployment, tags_of
from tests.support.events import time_now


def test_a_request_becomes_a_usable_snapshot_with_its_tags(stack: Deployment) -> None:
    instance = stack.instance(env="prod", team="web")

    (request,) = stack.request({"instanceName": instance, "tags": {"reason": "before-deploy"}, "keepFor": "P7D"})

    told = stack.available(request)
    (snapshot,) = stack.snapshots_of(instance)
    assert snapshot["state"] == "available"
    assert (told["instanceSnapshotName"], told["instanceSnapshotArn"]) == (snapshot["name"], snapshot["arn"])
    tags = tags_of(snapshot)
    assert tags.pop("expires-at")
    assert tags == {
        "env": "prod",
        "team": "web",
        "reason": "before-deploy",
        "managed-by": "lightsail-snapshots",
        "snapshot-name": snapshot["name"],
        "snapshot-of": instance,
    }


def test_what_was_done_is_in_the_log_and_in_the_metrics(stack: Deployment) -> None:
    instance = stack.instance()
    (request,) = stack.request({"instanceName": instance})
    told = stack.available(request)
    stack.quiet()

    lines = stack.logged(request)

    assert {line["state"] for line in lines[:-1]} == {"pending"}
    assert lines[-1]["state"] == "available"
    assert {line["instance_snapshot_name"] for line in lines} == {told["instanceSnapshotName"]}
    # The first delivery has two lines: that Lightsail begins, and that the message comes back.
    assert [line["attempt"] for line in lines] == [1, *range(1, len(lines))]
    metrics = {name for line in stack.log() if "_aws" in line for name in line}
    assert {"SnapshotsRequested", "SnapshotsAvailable", "SnapshotsFailed", "TimeToAvailable"} <= metrics


def test_two_requests_in_one_second_make_two_snapshots(stack: Deployment) -> None:
    instance = stack.instance()

    first, second = stack.request({"instanceName": instance}, {"instanceName": instance})

    names = {stack.available(request)["instanceSnapshotName"] for request in (first, second)}
    assert names == {snapshot["name"] for snapshot in stack.snapshots_of(instance)}
    assert len(names) == 2


def test_a_rule_of_the_users_own_may_invoke_the_function_with_the_bare_event(stack: Deployment) -> None:
    instance = stack.instance()
    event = {"id": "of-my-own", "time": time_now(), "detail": {"instanceName": instance}}

    answer = stack.aws.client("lambda").invoke(
        FunctionName=stack.resources["CreateFunction"], Payload=json.dumps(event)
    )

    (snapshot,) = stack.snapshots_of(instance)
    assert json.loads(answer["Payload"].read()) == {
        "state": "pending",
        "instanceSnapshotName": snapshot["name"],
        "region": "us-east-1",
    }
