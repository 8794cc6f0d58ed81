"""Teaches MiniStack's EventBridge Scheduler to put an event of the schedule's own on a bus.

MiniStack fires schedules, but ignores what the target says of the event, the time in it, and the role. Here the event
is put by the target's role, through the front door, so that the role's policy decides.

What the local Scheduler still lacks: it reads every expression in UTC, whatever the zone; it knows no flexible window;
and where an event is refused, it neither tries again nor uses the dead-letter queue. The names used here are
MiniStack's private ones, hence its exact pin in requirements-dev.in.
"""

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from ministack.core import lambda_runtime  # type: ignore[import-untyped]  # MiniStack has no types
from ministack.services import eventbridge, scheduler  # type: ignore[import-untyped]

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"

logger = logging.getLogger(__name__)


def register() -> None:
    """Adds the target; to be called once, before MiniStack serves. Schedules are looked at every second, not ten."""
    scheduler._SCHEDULE_TICK_INTERVAL = 1
    invoke = eventbridge._invoke_target

    def invoke_target(target: Mapping[str, Any], event: Any, schedule: Mapping[str, Any], view: Any = None) -> None:
        if "EventBridgeParameters" in target:
            _put_event(target, schedule)
        else:
            invoke(target, event, schedule, view)

    eventbridge._invoke_target = invoke_target


def entry(target: Mapping[str, Any], meant: datetime) -> dict[str, str]:
    """Returns what a schedule's target puts, as Scheduler's API reference has it: EventBridgeParameters and Input."""
    return {
        "EventBusName": target["Arn"],
        "Source": target["EventBridgeParameters"]["Source"],
        "DetailType": target["EventBridgeParameters"]["DetailType"],
        "Detail": target["Input"].replace(SCHEDULED_TIME, f"{meant:%Y-%m-%dT%H:%M:%SZ}"),
    }


def _put_event(target: Mapping[str, Any], schedule: Mapping[str, Any]) -> None:
    entries = [entry(target, _scheduled_time(schedule["ScheduleExpression"]))]
    make: Any = boto3.client  # the stubs want a literal name
    client = make("events", **_session(target["RoleArn"]))
    logger.info("Schedule %s: %s", schedule["Name"], client.put_events(Entries=entries)["Entries"])


def _session(role: str) -> dict[str, str]:
    """Returns credentials of the role, as MiniStack makes them for a function that has it."""
    account = role.split(":")[4]
    name = f"arn:aws:lambda:us-east-1:{account}:function:scheduler"
    credentials = lambda_runtime.execution_credentials({"FunctionArn": name, "FunctionName": "scheduler", "Role": role})
    return {key.lower(): value for key, value in credentials.items()}


def _scheduled_time(expression: str) -> datetime:
    """Returns when the schedule was meant to run, to the second: at(...) says so, else this minute."""
    now = time.time()
    meant = scheduler._at_time_epoch(expression) or now - now % 60
    return datetime.fromtimestamp(meant, UTC)
