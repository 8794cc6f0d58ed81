"""A function that the bus invokes without a queue: what fails once is tried again, what goes on failing is kept."""

import json
import queue
from typing import Any

import pytest

from lightsail_snapshots.events import SOURCE
from local.ministack import lambda_service
from tests.e2e.deployment import Deployment, eventually

REGIONS = ("us-east-1", "eu-central-1")
TRIES = 3
"""Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation"."""


def fleet(stack: Deployment, backup: str, denied: int) -> tuple[dict[str, str], dict[str, Any]]:
    """Makes an instance in each Region, and asks for both while one Region denies its listing so many times."""
    instances = {region: stack.instance(region, backup=backup) for region in REGIONS}
    detail = {"plan": backup, "select": {"tags": {"backup": backup}}, "regions": list(REGIONS)}
    fault = {"fault": "access-denied", "operation": "GetInstances", "region": REGIONS[1], "times": denied}
    stack.aws.control("POST", "/_lightsail/faults", fault)
    stack.put("Fleet Snapshot Requested", detail, source=SOURCE)
    return instances, detail


def test_a_region_that_fails_once_is_tried_again_and_each_instance_has_one_snapshot(stack: Deployment) -> None:
    instances, _ = fleet(stack, "tried-again", denied=1)

    for region, instance in instances.items():
        stack.usable(instance)
        stack.quiet()
        assert len(stack.snapshots_of(instance, region)) == 1
    assert stack.depth("FanOutFailures") == 0


def test_a_request_that_fails_three_times_is_kept_with_its_error_and_can_be_replayed(stack: Deployment) -> None:
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
    stack.quiet()
    for region, instance in instances.items():
        assert len(stack.snapshots_of(instance, region)) == 1


class SlowPipe:
    """A function's lines as MiniStack's reader hands them over, with pauses between: None is a look at nothing."""

    def __init__(self, *looks: str | None) -> None:
        self._stderr_queue = self
        self._looks = list(looks)

    def get(self, timeout: float) -> str:
        if self._looks and (line := self._looks.pop(0)) is not None:
            return line
        raise queue.Empty(timeout)


def test_a_rule_whose_function_is_gone_says_so(caplog: pytest.LogCaptureFixture) -> None:
    lambda_service._invoke("arn:aws:lambda:us-east-1:123456789012:function:gone", "{}")
    assert caplog.messages == ["EventBridge: there is no function gone"]


def test_lines_that_come_a_little_later_are_not_left_for_the_next_invocation() -> None:
    pause = [None] * (lambda_service.MAX_MISSES - 1)
    assert (
        lambda_service.read_log_lines(SlowPipe("begun", *pause, "Pruned", *pause, '{"_aws": {}}'))
        == 'begun\nPruned\n{"_aws": {}}'
    )
