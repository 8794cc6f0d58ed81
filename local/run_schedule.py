"""Runs a schedule immediately."""

from datetime import UTC, datetime, timedelta
from typing import Any

from local.aws import LocalAws
from local.ministack.scheduler import event_entry

GROUP = "lightsail-snapshots"
"""The same as in infra, which only a CDK app can import."""


def run_schedule(aws: LocalAws, plan: str) -> str:
    """Run a plan within two seconds, by a one-time schedule with the target of the plan's own schedule.

    Returns the scheduled time, which is in the snapshots' names.
    """
    client: Any = aws.client("scheduler")
    deployed = client.get_schedule(Name=f"plan-{plan}", GroupName=GROUP)
    scheduled_time = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    client.create_schedule(
        Name=f"once-{scheduled_time:%H%M%S}-{plan}",
        GroupName=GROUP,
        ScheduleExpression=f"at({scheduled_time:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=deployed["Target"],
    )
    return f"{scheduled_time:%Y-%m-%dT%H:%M:%SZ}"


def disable_schedules(aws: LocalAws) -> None:
    """Disable the deployed schedules, so that nothing runs by the clock while the demo shows something else."""
    client: Any = aws.client("scheduler")
    for listed in client.list_schedules(GroupName=GROUP)["Schedules"]:
        deployed = client.get_schedule(Name=listed["Name"], GroupName=GROUP)
        kept = {name: deployed[name] for name in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
        client.update_schedule(GroupName=GROUP, State="DISABLED", **kept)


def put_schedule_event(aws: LocalAws, schedule: str, scheduled_time: datetime) -> None:
    """Put the event on the bus that a deployed schedule, such as `prune`, would put at this time."""
    deployed: Any = aws.client("scheduler").get_schedule(Name=schedule, GroupName=GROUP)
    aws.client("events").put_events(Entries=[event_entry(deployed["Target"], scheduled_time)])
