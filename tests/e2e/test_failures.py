"""The bus invokes fan_out without a queue: Lambda retries a failed invocation, and keeps it if it fails three times."""

import json
from typing import Any

from lightsail_snapshots.events import SOURCE
from tests.e2e.deployment import Deployment, eventually

REGIONS = ("us-east-1", "eu-central-1")
TRIES = 3
"""Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation"."""


def fleet(stack: Deployment, backup: str, denied: int) -> tuple[dict[str, str], dict[str, Any]]:
    """Make an instance in each Region, and request both, while one Region denies its listing some times."""
    instances = {region: stack.instance(region, backup=backup) for region in REGIONS}
    detail = {"plan": backup, "select": {"tags": {"backup": backup}}, "regions": list(REGIONS)}
    fault = {"fault": "access-denied", "operation": "GetInstances", "region": REGIONS[1], "times": denied}
    stack.aws.control("POST", "/_lightsail/faults", fault)
    stack.put("Fleet Snapshot Requested", detail, source=SOURCE)
    return instances, detail


def test_each_instance_has_one_snapshot_when_a_region_failed_once(stack: Deployment) -> None:
    instances, _ = fleet(stack, "tried-again", denied=1)

    for region, instance in instances.items():
        stack.usable(instance)
        stack.drain()
        assert len(stack.snapshots_of(instance, region)) == 1
    assert stack.depth("FanOutFailures") == 0


def test_request_that_fails_three_times_is_kept_and_can_be_replayed(stack: Deployment) -> None:
    instances, detail = fleet(stack, "kept", denied=TRIES)
    stack.usable(instances[REGIONS[0]])

    eventually(lambda: stack.depth("FanOutFailures") == 1, "the record of a failed invocation")
    queue = stack.resources["FanOutFailures"]
    (message,) = stack.sqs.receive_message(QueueUrl=queue)["Messages"]
    record = json.loads(message["Body"])
    assert record["requestPayload"]["detail"] == detail
    assert REGIONS[1] in record["responsePayload"]["errorMessage"]
    assert stack.snapshots_of(instances[REGIONS[1]], REGIONS[1]) == []
    stack.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    assert stack.invoke("FanOutFunction", record["requestPayload"]) == {"selected": dict.fromkeys(REGIONS, 1)}
    stack.usable(instances[REGIONS[1]])
    stack.drain()
    for region, instance in instances.items():
        assert len(stack.snapshots_of(instance, region)) == 1
