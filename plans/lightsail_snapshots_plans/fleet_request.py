"""The `Fleet Snapshot Requested` of a plan, which its schedule and the rules of its `on` put."""

from datetime import timedelta
from typing import Any

from lightsail_snapshots.events.snapshot_options import LATE_AFTER
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import LONGEST_DURATION, format_duration
from lightsail_snapshots_plans.schedule_expression import parse_schedule

ONCE_LATE_AFTER = timedelta(days=7)
"""A plan that runs only once has no next run that makes up for a late one."""


def fleet_request(plan: Plan) -> dict[str, Any]:
    """Return the detail of the event; a schedule adds `scheduledTime`."""
    return plan.as_fleet_request() | {"lateAfter": format_duration(late_after(plan))}


def late_after(plan: Plan) -> timedelta:
    """Return how long after its time a run may still take snapshots: until the next run, but at least for a day."""
    if plan.schedule and plan.schedule.startswith("at("):
        gap: timedelta | None = ONCE_LATE_AFTER
    else:
        gap = parse_schedule(plan.schedule).longest_gap if plan.schedule else None
    window = timedelta(minutes=plan.flexible_window or 0)
    return min(max(gap or LATE_AFTER, LATE_AFTER) + window, LONGEST_DURATION)
