"""An instance is overdue: the notification, and the alarm."""

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
def subscriber(deployed: Deployment) -> Iterator[TopicSubscriber]:
    subscriber = subscribe(deployed.aws, deployed.resources["MonitoringNotificationsTopic"])
    yield subscriber
    deployed.sqs.delete_queue(QueueUrl=subscriber.queue_url)


def audit(stack: Deployment, instance: str, when: datetime) -> None:
    """Request an audit of one instance, for a time in the future."""
    plan = {"name": PLAN, "select": {"names": [instance]}, "maxAge": "PT26H"}
    detail = {"plans": [plan], "scheduledTime": f"{when:%Y-%m-%dT%H:%M:%SZ}"}
    stack.put("Audit Requested", detail, source=SOURCE)


def text(subscriber: TopicSubscriber, *parts: str) -> str:
    """Wait for a notification that contains all of these."""

    def found() -> str | None:
        return next((one for one in subscriber.poll() if all(part in one for part in parts)), None)

    return eventually(found, f"notification with {parts}")


def alarms(subscriber: TopicSubscriber) -> dict[str, Any]:
    """Return the notifications of alarms, by the name of the alarm."""
    messages = [json.loads(one) for one in subscriber.poll() if one.startswith("{")]
    return {message["AlarmName"]: message for message in messages if message["NewStateValue"] == "ALARM"}


def test_notification_says_which_instance_is_overdue_and_since_when(
    stack: Deployment, subscriber: TopicSubscriber
) -> None:
    instance = stack.instance()
    stack.fault("snapshot-fails", instance)
    (request,) = stack.put("Instance Snapshot Requested", {"instanceName": instance, "plan": PLAN}, source=SOURCE)
    assert stack.failed(request)["reason"] == "SnapshotError"
    made = stack.lightsail.get_instance(instanceName=instance)["instance"]["createdAt"].astimezone(UTC)

    audit(stack, instance, made + timedelta(hours=26, minutes=30))

    notification = text(subscriber, instance, "overdue")
    since = f"{made + timedelta(hours=26):%Y-%m-%d %H:%M}"
    assert notification.startswith("Recovery point overdue: 1 instance of plan nightly has no usable snapshot")
    assert f"{instance} in us-east-1: overdue since {since}" in notification
    assert notification.endswith("Step by step: docs/operations.md#overdue")
    assert f"Snapshot failed: {instance} in us-east-1, at 20" in text(subscriber, instance, "SnapshotError")


def test_notification_comes_with_an_alarm_that_is_about_to_go_off(
    stack: Deployment, subscriber: TopicSubscriber
) -> None:
    instance = stack.instance()
    alarm = {"AlarmName": "lightsail-snapshots-overdue-nightly", "StateReason": "test"}
    stack.aws.client("cloudwatch").set_alarm_state(**alarm, StateValue="OK")
    audit(stack, instance, datetime.now(UTC) + timedelta(days=3))
    assert "overdue since" in text(subscriber, instance, "Recovery point overdue")


def test_daily_report_names_what_fell_out_of_its_plan(stack: Deployment) -> None:
    instance = stack.instance(backup="nightlyy")
    (request,) = stack.put("Instance Snapshot Requested", {"instanceName": instance, "plan": PLAN}, source=SOURCE)
    stack.available(request)
    plan = {"name": PLAN, "select": {"tags": {"backup": "nightly"}}, "regions": ["us-east-1"]}
    detail = {"plans": [plan], "scheduledTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "report": True}
    stack.put("Audit Requested", detail, source=SOURCE)

    def entry() -> dict[str, Any] | None:
        reports = [each["instances"] for each in stack.announced("Instances Unprotected")]
        return next((one for report in reports for one in report if one["instanceName"] == instance), None)

    found = eventually(entry, "report about the instance")
    assert (found["because"], found["plan"]) == ("left_plan", PLAN)
    assert (found["tag"], found["meant"]) == ("backup=nightlyy", "backup=nightly")


def test_notification_says_why_a_request_was_rejected(stack: Deployment, subscriber: TopicSubscriber) -> None:
    stack.request({"instanceNme": "web-1"})
    assert "did you mean instanceName?" in text(subscriber, "Request rejected at 20", "instanceNme")


def test_alarm_notification_links_to_the_runbook(stack: Deployment, subscriber: TopicSubscriber) -> None:
    instance = stack.instance()
    bridge = MetricsBridge(stack.aws)

    audit(stack, instance, datetime.now(UTC) + timedelta(hours=26, minutes=30))
    text(subscriber, instance, "overdue")

    def alarm() -> Any:
        bridge.send()
        return alarms(subscriber).get("lightsail-snapshots-overdue-nightly")

    message = eventually(alarm, "alarm")
    assert message["AlarmDescription"].endswith("Step by step: docs/operations.md#overdue")
    assert message["Trigger"]["MetricName"] == "InstancesOverdue"
