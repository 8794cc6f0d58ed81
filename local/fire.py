"""Lets a deployed plan run now: by a schedule of its own, that fires once and is in all else the plan's."""

from datetime import UTC, datetime, timedelta
from typing import Any

from local.aws import LocalAws

GROUP = "lightsail-snapshots"
"""As in infra/schedules.py, which only a CDK app can import."""


def fire(aws: LocalAws, plan: str) -> str:
    """Makes the schedule, which fires within a second or two; returns the slot that the snapshots' names have."""
    client: Any = aws.client("scheduler")
    deployed = client.get_schedule(Name=f"plan-{plan}", GroupName=GROUP)
    slot = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    client.create_schedule(
        Name=f"once-{slot:%H%M%S}-{plan}",
        GroupName=GROUP,
        ScheduleExpression=f"at({slot:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=deployed["Target"],
    )
    return f"{slot:%Y-%m-%dT%H:%M:%SZ}"
