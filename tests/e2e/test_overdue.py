"""An instance whose snapshots fail: the message that a person gets, and the alarm that goes off."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lightsail_snapshots.events import SOURCE
from local.metrics_bridge import MetricsBridge
from local.topic_subscriber import TopicSubscriber, subscribe
from tests.e2e.deployment import Deployment, eventually

PLAN = "nightly"


@pytest.fixture(scope="module")
def phone(deployed: Deployment) -> Iterator[TopicSubscriber]:
    phone = subscribe(deployed.aws, deployed.resources["MonitoringNotificationsTopic"])
    yield phone
    deployed.sqs.delete_queue(QueueUrl=phone.queue_url)


def audit(stack: Deployment, instance: str, when: datetime) -> None:
    """Ask for an audit of one instance, as at some time to come."""
    plan = {"name": PLAN, "select": {"names": [instance]}, "maxAge": "PT26H"}
    detail = {"plans": [plan], "scheduledTime": f"{when:%Y-%m-%dT%H:%M:%SZ}"}
    stack.put("Audit Requested", detail, source=SOURCE)


def text(phone: TopicSubscriber, *parts: str) -> str:
    """Wait for the text that has all of these in it."""

    def found() -> str | None:
        return next((one for one in phone.poll() if all(part in one for part in parts)), None)

    return eventually(found, f"text with {parts}")


def alarms(phone: TopicSubscriber) -> dict[str, Any]:
    """Read the alarms that went off, by name."""
    messages = [json.loads(one) for one in phone.poll() if one.startswith("{")]
    return {message["AlarmName"]: message for message in messages if message["NewStateValue"] == "ALARM"}


def test_a_person_hears_which_instance_is_overdue_and_since_when(stack: Deployment, phone: TopicSubscriber) -> None:
    instance = stack.instance()
    stack.fault("snapshot-fails", instance)
    (request,) = stack.put("Instance Snapshot Requested", {"instanceName": instance, "plan": PLAN}, source=SOURCE)
    assert stack.failed(request)["reason"] == "SnapshotError"
    made = stack.lightsail.get_instance(instanceName=instance)["instance"]["createdAt"].astimezone(UTC)

    audit(stack, instance, made + timedelta(hours=26, minutes=30))

    told = text(phone, instance, "overdue")
    since = f"{made + timedelta(hours=26):%Y-%m-%d %H:%M}"
    assert told.startswith("Recovery point overdue: 1 instance of plan nightly has no usable snapshot")
    assert f"{instance} in us-east-1: overdue since {since}" in told
    assert told.endswith("Step by step: docs/operations.md#overdue")
    assert f"Snapshot failed: {instance} in us-east-1, at 20" in text(phone, instance, "SnapshotError")


def test_a_person_hears_of_a_request_that_was_refused(stack: Deployment, phone: TopicSubscriber) -> None:
    stack.request({"instanceNme": "web-of-nobody"})
    assert "did you mean instanceName?" in text(phone, "Request rejected at 20", "instanceNme")


def test_an_alarm_goes_off_and_tells_what_to_do(stack: Deployment, phone: TopicSubscriber) -> None:
    instance = stack.instance()
    bridge = MetricsBridge(stack.aws)

    audit(stack, instance, datetime.now(UTC) + timedelta(hours=26, minutes=30))
    text(phone, instance, "overdue")

    def gone_off() -> Any:
        bridge.send()
        return alarms(phone).get("lightsail-snapshots-overdue-nightly")

    message = eventually(gone_off, "alarm")
    assert message["AlarmDescription"].endswith("Step by step: docs/operations.md#overdue")
    assert message["Trigger"]["MetricName"] == "InstancesOverdue"
