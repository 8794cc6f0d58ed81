"""`Audit Requested`: from an event to a checked request."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lightsail_snapshots.events.envelope import InvalidRequestError, open_event
from lightsail_snapshots.events.fleet_snapshot_requested import read_select
from lightsail_snapshots.events.instance_snapshot_requested import read_regions
from lightsail_snapshots.reader import Fields, format_value, read_duration, read_instant, read_list, read_text
from lightsail_snapshots.selection import Select

HOURLY = timedelta(hours=1)

_OF_OTHERS = ("timezone", "keep", "maxDeletes", "allowDeletesUntil", "dryRun")
"""Fields of a plan that prune reads. All others are refused: a mistyped `maxAge` would be an alarm less."""


@dataclass(frozen=True, kw_only=True)
class AuditPlan:
    """What one plan promises about the instances that it selects."""

    name: str
    select: Select
    regions: tuple[str, ...]
    max_age: timedelta | None
    """None: an instance is never overdue."""
    copy_to: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AuditRequest:
    """One checked request for an audit of all plans."""

    request_id: str
    now: datetime
    """When a schedule meant it to run, else the event's time."""
    every: timedelta
    """How far apart audits are: what has changed since the last one is told at once, all the rest once a day."""
    plans: tuple[AuditPlan, ...]

    @property
    def is_first_of_day(self) -> bool:
        """Whether the audit before this one was on another day, in UTC."""
        return (self.now - self.every).date() != self.now.date()

    def is_new_since_last_audit(self, since: datetime) -> bool:
        """Whether this became so after the audit before this one, to which "just now" was still in time."""
        return since >= self.now - self.every


def parse_audit_request(
    event: object, *, default_region: str, regions: Collection[str], copy_regions: Collection[str] = ()
) -> AuditRequest:
    """Read an EventBridge event; raise InvalidRequestError with every problem at once.

    `regions` are the Regions that the stack was deployed for, `copy_regions` those that it copies to.
    """
    request_id, time, raw, problems = open_event(event)
    detail = Fields(raw, "detail.", problems)
    plans = detail.take("plans", read_list) or []
    every = detail.take("every", read_duration, optional=True) or HOURLY
    scheduled_time = detail.take("scheduledTime", read_instant, optional=True)
    detail.refuse_the_rest()
    read = []
    for index, plan in enumerate(plans):
        where = f"detail.plans[{index}]"
        if isinstance(plan, Mapping):
            fields = Fields(plan, f"{where}.", problems)
            read.append(_plan(fields, default_region=default_region, regions=regions, copy_regions=copy_regions))
        else:
            problems.append(f"{where}: must be a JSON object, not {format_value(plan)}")
    if request_id is None or time is None or problems:
        raise InvalidRequestError(problems, request_id)
    now = scheduled_time or time
    return AuditRequest(request_id=request_id, now=now, every=every, plans=tuple(plan for plan in read if plan))


def _plan(
    fields: Fields, *, default_region: str, regions: Collection[str], copy_regions: Collection[str]
) -> AuditPlan | None:
    name = fields.take("plan", read_text)
    select = fields.take("select", read_select)
    here = fields.take("regions", read_regions(regions), optional=default_region in regions) or (default_region,)
    max_age = fields.take("maxAge", read_duration, optional=True)
    copy_to = fields.take("copyTo", read_regions(copy_regions, for_copies=True), optional=True) or ()
    fields.pass_over(_OF_OTHERS)
    fields.refuse_the_rest()
    if name is None or select is None:
        return None
    return AuditPlan(name=name, select=select, regions=here, max_age=max_age, copy_to=copy_to)
