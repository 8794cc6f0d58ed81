"""Makes MiniStack's EventBridge Scheduler put the event of a schedule's target on a bus.

MiniStack runs schedules, but ignores the target's event, its scheduled time and its role. Here the role of the target
puts the event through the gateway, so that the role's policy decides.

The local Scheduler still reads every expression in UTC and has no flexible time window. If an event is rejected, it
neither retries nor uses the dead-letter queue. This module uses private names of MiniStack, which is why
requirements-dev.in pins it exactly.
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
    """Add the target, and check schedules every second, not every ten; call this once, before MiniStack serves."""
    scheduler._SCHEDULE_TICK_INTERVAL = 1
    invoke = eventbridge._invoke_target

    def invoke_target(target: Mapping[str, Any], event: Any, schedule: Mapping[str, Any], view: Any = None) -> None:
        if "EventBridgeParameters" in target:
            _put_event(target, schedule)
        else:
            invoke(target, event, schedule, view)

    eventbridge._invoke_target = invoke_target


def event_entry(target: Mapping[str, Any], scheduled_time: datetime) -> dict[str, str]:
    """Return the PutEvents entry of a schedule's target (Scheduler API reference: EventBridgeParameters, Input)."""
    return {
        "EventBusName": target["Arn"],
        "Source": target["EventBridgeParameters"]["Source"],
        "DetailType": target["EventBridgeParameters"]["DetailType"],
        "Detail": target["Input"].replace(SCHEDULED_TIME, f"{scheduled_time:%Y-%m-%dT%H:%M:%SZ}"),
    }


def _put_event(target: Mapping[str, Any], schedule: Mapping[str, Any]) -> None:
    entries = [event_entry(target, _scheduled_time(schedule["ScheduleExpression"]))]
    make: Any = boto3.client  # the stubs want a literal name
    client = make("events", **_session(target["RoleArn"]))
    logger.info("Schedule %s: %s", schedule["Name"], client.put_events(Entries=entries)["Entries"])


def _session(role: str) -> dict[str, str]:
    """Return credentials of the role, made as MiniStack makes those of a function."""
    account = role.split(":")[4]
    name = f"arn:aws:lambda:us-east-1:{account}:function:scheduler"
    credentials = lambda_runtime.execution_credentials({"FunctionArn": name, "FunctionName": "scheduler", "Role": role})
    return {key.lower(): value for key, value in credentials.items()}


def _scheduled_time(expression: str) -> datetime:
    """Return the time in an at(...) expression, or the start of this minute for all other expressions."""
    now = time.time()
    return datetime.fromtimestamp(scheduler._at_time_epoch(expression) or now - now % 60, UTC)
