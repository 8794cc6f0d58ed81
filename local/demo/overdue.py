"""The part of the demo in which an instance gets no snapshots: what a person hears of it on the phone."""

import json
import time
from datetime import datetime

from local.aws import LocalAws
from local.demo.console import DemoFailedError, Screen
from local.metrics_bridge import MetricsBridge
from local.run_schedule import put_schedule_event, run_schedule
from local.topic_subscriber import TopicSubscriber, subscribe

INSTANCE = "forum"
PLAN = "daily"
ALARM = f"lightsail-snapshots-overdue-{PLAN}"
UNTIL_THE_NEXT_NIGHT, UNTIL_THE_AUDIT = 25.0, 1.5
"""Hours that pass for Lightsail: together a bit more than the `max_age` of the plan that ships."""


def show_overdue(screen: Screen, aws: LocalAws, topic: str, patience: float) -> None:
    """Lets the snapshots of one instance fail until it is overdue, and shows the messages of that."""
    phone = subscribe(aws, topic)
    screen.say()
    with screen.step(f"Make an instance {INSTANCE}, tagged backup = {PLAN}, whose snapshots Lightsail fails to make"):
        aws.make_instance(INSTANCE, tags={"backup": PLAN})
        fault = {"fault": "snapshot-fails", "operation": "CreateInstanceSnapshot", "name": INSTANCE}
        aws.control("POST", "/_lightsail/faults", fault)
    with screen.step(f"{UNTIL_THE_NEXT_NIGHT:g} hours later: let the Scheduler run the plan {PLAN} again"):
        _pass(aws, UNTIL_THE_NEXT_NIGHT)
        run_schedule(aws, PLAN)
        failed = _hear(phone, f"Snapshot failed: {INSTANCE}", patience)
    with screen.step(f"{UNTIL_THE_AUDIT:g} hours later: let the audit look"):
        now = _pass(aws, UNTIL_THE_AUDIT)
        put_schedule_event(aws, "audit", now)
        overdue = _hear(phone, "Recovery point overdue", patience)
    with screen.step("Carry the metrics to CloudWatch, as AWS does by itself: the alarm goes off"):
        alarm = json.loads(_alarm(aws, phone, patience))
    what = f"{alarm['NewStateValue']}: {alarm['AlarmDescription']}"
    screen.table(
        "What a person reads on the phone",
        [("an event", failed), ("an event", overdue), (alarm["AlarmName"], what)],
    )


def _pass(aws: LocalAws, hours: float) -> datetime:
    """Lets so much time pass for Lightsail; returns what time it is there now."""
    answer = aws.control("POST", "/_lightsail/clock", {"advance": 3600 * hours})
    return datetime.fromisoformat(answer["time"])


def _alarm(aws: LocalAws, phone: TopicSubscriber, patience: float) -> str:
    """Carries metrics until the alarm has gone off; the log that they are in comes a little later than the event."""
    bridge = MetricsBridge(aws)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        bridge.send()
        if heard := phone.wait_for(ALARM, seconds=1):
            return heard
    raise DemoFailedError(f"After {patience:g} s the alarm {ALARM} has not gone off.")


def _hear(phone: TopicSubscriber, part: str, patience: float) -> str:
    heard = phone.wait_for(part, patience)
    if heard is None:
        raise DemoFailedError(f"After {patience:g} s there is no message with {part!r} in it.")
    return heard
