"""People are told: of an overdue instance, a failed or misspelt request, and alarms, by the topic and in the chat."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.messages import ALARM_STATE_CHANGE
from local.metrics_bridge import MetricsBridge
from local.topic_subscriber import Notification, TopicSubscriber, subscribe
from tests.e2e.deployment import Deployment, eventually
from tests.support.webhook import SECRET, Webhook, webhook

PLAN = "nightly"
PARAMETER = "/lightsail-snapshots/chat"
"""As in plans.toml of these tests."""


@pytest.fixture(scope="module")
def subscriber(deployed: Deployment) -> Iterator[TopicSubscriber]:
    subscriber = subscribe(deployed.aws, deployed.resources["Topic"])
    yield subscriber
    deployed.sqs.delete_queue(QueueUrl=subscriber.queue_url)


@pytest.fixture(scope="module")
def chat(deployed: Deployment) -> Iterator[Webhook]:
    ssm = deployed.aws.client("ssm")
    with webhook() as chat:
        ssm.put_parameter(Name=PARAMETER, Value=chat.address("slack"), Type="SecureString", Overwrite=True)
        yield chat
        ssm.delete_parameter(Name=PARAMETER)


def audit(stack: Deployment, instance: str, when: datetime) -> None:
    """Request an audit of one instance, for a time in the future."""
    plan = {"name": PLAN, "select": {"names": [instance]}, "maxAge": "PT26H"}
    detail = {"plans": [plan], "scheduledTime": f"{when:%Y-%m-%dT%H:%M:%SZ}"}
    stack.put("Audit Requested", detail, source=SOURCE)


def message(subscriber: TopicSubscriber, *parts: str) -> Notification:
    """Wait for a message whose text contains all of these."""

    def found() -> Notification | None:
        return next((one for one in subscriber.poll() if all(part in one.text for part in parts)), None)

    return eventually(found, f"message with {parts}")


def post(chat: Webhook, part: str) -> str:
    """Wait for a post that contains this."""
    return eventually(lambda: next((text for text in chat.texts if part in text), None), f"post with {part}")


def alarms(subscriber: TopicSubscriber) -> dict[str, Any]:
    """Return the messages of alarms, by the name of the alarm."""
    read = [json.loads(one.text) for one in subscriber.poll() if one.text.startswith("{")]
    return {message["AlarmName"]: message for message in read if message["NewStateValue"] == "ALARM"}


def test_people_are_told_which_snapshot_failed_and_which_instance_is_overdue(
    stack: Deployment, subscriber: TopicSubscriber, chat: Webhook
) -> None:
    instance = stack.instance()
    stack.fault("snapshot-fails", instance)
    (request,) = stack.put("Instance Snapshot Requested", {"instanceName": instance, "plan": PLAN}, source=SOURCE)
    assert stack.failed(request)["reason"] == "SnapshotError"
    failed = message(subscriber, f"Snapshot failed: {instance} in us-east-1, plan nightly, SnapshotError.")
    assert failed.subject == f"Snapshot failed: {instance} (plan nightly)"
    assert f"\n\nlightsail-snapshots take {instance} --region us-east-1 --keep-for 14d --wait\n\n" in failed.text
    assert failed.text.endswith("Step by step: docs/operations.md#snapshots-failed")
    assert post(chat, f"Snapshot failed: {instance}") == failed.text
    made = stack.lightsail.get_instance(instanceName=instance)["instance"]["createdAt"].astimezone(UTC)

    audit(stack, instance, made + timedelta(hours=26, minutes=30))

    overdue = message(
        subscriber, f"Overdue: {instance} in us-east-1, plan nightly: no usable snapshot younger than 26 hours."
    )
    assert overdue.subject == f"Overdue: {instance} (plan nightly)"
    assert f"\nSince: {made + timedelta(hours=26):%Y-%m-%d %H:%M} UTC, and there is none at all\n" in overdue.text
    assert post(chat, f"Overdue: {instance}") == overdue.text


def test_message_comes_with_an_alarm_that_is_about_to_go_off(stack: Deployment, subscriber: TopicSubscriber) -> None:
    instance = stack.instance()
    alarm = {"AlarmName": "lightsail-snapshots-overdue-nightly", "StateReason": "test"}
    stack.aws.client("cloudwatch").set_alarm_state(**alarm, StateValue="OK")
    audit(stack, instance, datetime.now(UTC) + timedelta(days=3))
    message(subscriber, f"Overdue: {instance} in us-east-1, plan nightly")


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


def test_people_are_told_why_a_request_was_rejected(stack: Deployment, subscriber: TopicSubscriber) -> None:
    stack.request({"instanceNme": "web-1"})
    rejected = message(subscriber, "did you mean instanceName?")
    assert rejected.text.startswith("Request rejected: Instance Snapshot Requested from tests, no plan.")
    stack.put("Fleet Snapshot Requested", {"select": {"al": True}})
    rejected = message(subscriber, "did you mean all?")
    assert rejected.text.startswith("Request rejected: Fleet Snapshot Requested from tests, no plan.")


def test_people_are_told_what_a_misspelt_detail_type_should_be(
    stack: Deployment, subscriber: TopicSubscriber, chat: Webhook
) -> None:
    instance = stack.instance()
    stack.put("Something Else", {"instanceName": instance})
    stack.put("Instance snapshot Requested", {"instanceName": instance})
    ignored = message(subscriber, f"Request ignored: Instance snapshot Requested for {instance}, from tests.")
    assert "Did you mean Instance Snapshot Requested?" in ignored.text
    assert post(chat, f"Request ignored: Instance snapshot Requested for {instance}") == ignored.text
    assert stack.snapshots_of(instance) == []

    def logged() -> bool:
        lines = stack.log("NotifyFunction")
        return any(line.get("detail_type") == "Something Else" and "Ignored" in line["message"] for line in lines)

    eventually(logged, "log line about another event")


def test_alarm_message_links_to_the_runbook(stack: Deployment, subscriber: TopicSubscriber) -> None:
    instance = stack.instance()
    bridge = MetricsBridge(stack.aws)

    audit(stack, instance, datetime.now(UTC) + timedelta(hours=26, minutes=30))
    message(subscriber, f"Overdue: {instance}")

    def alarm() -> Any:
        bridge.send()
        return alarms(subscriber).get("lightsail-snapshots-overdue-nightly")

    found = eventually(alarm, "alarm")
    assert found["AlarmDescription"].endswith("Step by step: docs/operations.md#overdue")
    assert found["Trigger"]["MetricName"] == "InstancesOverdue"


def test_alarm_reaches_the_chat(stack: Deployment, chat: Webhook) -> None:
    """MiniStack puts no event if an alarm changes its state, and nobody else may put one of this source."""
    detail = {
        "alarmName": "lightsail-snapshots-overdue-nightly",
        "state": {"value": "ALARM", "reason": "Threshold Crossed", "timestamp": "2026-11-23T05:46:40.985+0000"},
        "configuration": {"description": "It means this. First: do that. Step by step: docs/operations.md#overdue"},
    }
    event = {"id": "1", "source": "aws.cloudwatch", "detail-type": ALARM_STATE_CHANGE, "detail": detail}
    assert stack.invoke("NotifyFunction", event)["state"] == "notified"
    assert post(chat, "overdue-nightly").startswith("ALARM: overdue-nightly. It means this.\n")


def test_topic_has_the_message_when_the_chat_fails(
    stack: Deployment, subscriber: TopicSubscriber, chat: Webhook
) -> None:
    instance = stack.instance()
    chat.answers = [404] * 5
    stack.put("Instance snapshot Requested", {"instanceName": instance})
    message(subscriber, f"Request ignored: Instance snapshot Requested for {instance}")

    def is_logged() -> bool:
        lines = [line["error"] for line in stack.log("NotifyFunction") if "Could not post" in line.get("message", "")]
        return "the chat answered with the HTTP status 404" in lines

    eventually(is_logged, "log line about the chat")
    chat.answers = []
    assert SECRET not in json.dumps(stack.log("NotifyFunction"))
