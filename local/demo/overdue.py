"""Part 5 of the demo: the snapshots of an instance fail, and a subscriber gets messages and an alarm."""

import json
import time
from datetime import datetime

from local.aws import LocalAws
from local.demo.console import DemoFailedError, Screen
from local.metrics_bridge import MetricsBridge
from local.run_schedule import put_schedule_event, run_schedule
from local.topic_subscriber import Notification, TopicSubscriber, subscribe

INSTANCE = "forum"
PLAN = "daily"
ALARM = f"lightsail-snapshots-overdue-{PLAN}"
HOURS_UNTIL_RUN, HOURS_UNTIL_AUDIT = 25.0, 1.5
"""Hours by which Lightsail's clock advances: together a little more than the plan's `max_age`."""


def show_overdue(screen: Screen, aws: LocalAws, topic: str, timeout: float) -> None:
    """Let snapshots of an instance fail until it is overdue, and show the messages; raises DemoFailedError."""
    subscriber = subscribe(aws, topic)
    screen.say()
    with screen.step(f"Create an instance {INSTANCE}, tagged backup = {PLAN}, whose snapshots fail in Lightsail"):
        aws.make_instance(INSTANCE, tags={"backup": PLAN})
        fault = {"fault": "snapshot-fails", "operation": "CreateInstanceSnapshot", "name": INSTANCE}
        aws.control("POST", "/_lightsail/faults", fault)
    with screen.step(f"{HOURS_UNTIL_RUN:g} hours later: run the plan {PLAN} again"):
        _advance_clock(aws, HOURS_UNTIL_RUN)
        run_schedule(aws, PLAN)
        failed = _wait_for(subscriber, f"Snapshot failed: {INSTANCE}", timeout)
    with screen.step(f"{HOURS_UNTIL_AUDIT:g} hours later: run the audit"):
        now = _advance_clock(aws, HOURS_UNTIL_AUDIT)
        put_schedule_event(aws, "audit", now)
        overdue = _wait_for(subscriber, "Overdue: ", timeout)
    with screen.step("Send the metrics to CloudWatch, which AWS does by itself, and wait for the alarm"):
        alarm = json.loads(_wait_for_alarm(aws, subscriber, timeout).text)
    text = f"{alarm['NewStateValue']}: {alarm['AlarmDescription']}"
    screen.table(
        "What a subscriber of the topic gets, by email or SMS",
        [failed, overdue, (alarm["AlarmName"], text)],
    )


def _advance_clock(aws: LocalAws, hours: float) -> datetime:
    """Advance Lightsail's clock and return its time."""
    answer = aws.control("POST", "/_lightsail/clock", {"advance": 3600 * hours})
    return datetime.fromisoformat(answer["time"])


def _wait_for_alarm(aws: LocalAws, subscriber: TopicSubscriber, timeout: float) -> Notification:
    """Send metrics until the alarm arrives, because their log line appears a little later than the event."""
    bridge = MetricsBridge(aws)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        bridge.send()
        if found := subscriber.wait_for(ALARM, seconds=1):
            return found
    raise DemoFailedError(f"The alarm {ALARM} has not arrived after {timeout:g} seconds.")


def _wait_for(subscriber: TopicSubscriber, part: str, timeout: float) -> Notification:
    found = subscriber.wait_for(part, timeout)
    if found is None:
        raise DemoFailedError(f"No message contains {part!r} after {timeout:g} seconds.")
    return found
