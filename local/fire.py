"""Lets a deployed plan run now: by a schedule of its own, that fires once and is in all else the plan's."""

from datetime import UTC, datetime, timedelta
from typing import Any

from infra.schedules import GROUP_NAME, plan_schedule_name
from local.aws import LocalAws


def fire(aws: LocalAws, plan: str) -> str:
    """Makes the schedule, which fires within a second or two; returns the slot that the snapshots' names have."""
    client: Any = aws.client("scheduler")
    deployed = client.get_schedule(Name=plan_schedule_name(plan), GroupName=GROUP_NAME)
    slot = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    client.create_schedule(
        Name=f"once-{slot:%H%M%S}-{plan}",
        GroupName=GROUP_NAME,
        ScheduleExpression=f"at({slot:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=deployed["Target"],
    )
    return f"{slot:%Y-%m-%dT%H:%M:%SZ}"
