"""Lets what is scheduled run now."""

from datetime import UTC, datetime, timedelta
from typing import Any

from local.aws import LocalAws
from local.ministack.scheduler import entry

GROUP = "lightsail-snapshots"
"""As in infra/schedules.py, which only a CDK app can import."""


def run_schedule(aws: LocalAws, plan: str) -> str:
    """Lets a plan run by a schedule of its own, that fires once, within a second or two, and is in all else the plan's.

    Returns the slot that the snapshots' names have.
    """
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


def put_schedule_event(aws: LocalAws, schedule: str, meant: datetime) -> None:
    """Puts the event that a deployed schedule, such as `prune`, would put at this time."""
    deployed: Any = aws.client("scheduler").get_schedule(Name=schedule, GroupName=GROUP)
    aws.client("events").put_events(Entries=[entry(deployed["Target"], meant)])
