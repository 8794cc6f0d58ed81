"""`Audit Requested`: our schedule asks which instances of all plans could not be restored."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lightsail_snapshots.events.envelope import open_event
from lightsail_snapshots.plan import Plan, read_plans
from lightsail_snapshots.reader import read_duration, read_flag, read_instant
from lightsail_snapshots.selection import Select, read_globs, read_tag_globs

HOURLY = timedelta(hours=1)
RUN_NOW = "to audit now, run `lightsail-snapshots audit`"


@dataclass(frozen=True, kw_only=True)
class AuditRequest:
    """A valid request for an audit of all plans."""

    request_id: str
    now: datetime
    """The time that the schedule meant, else the event's own."""
    every: timedelta
    """The time between two audits: what is new since the last one is reported at once."""
    plans: tuple[Plan, ...]
    """Each with its Regions, also if the file has none."""
    report: bool
    """Whether this is the daily report: it publishes the whole lists, and looks at all Lightsail Regions."""
    unprotected: Select
    """It excludes the instances that are meant to be in no plan."""

    def is_new_since_last_audit(self, since: datetime) -> bool:
        """Whether it became so after the audit before this one, for which "at this moment" was still in time."""
        return since >= self.now - self.every


def parse_audit_request(event: object, *, default_region: str) -> AuditRequest:
    """Read an EventBridge event; raise InvalidRequestError with every problem at once."""
    envelope = open_event(event)
    envelope.require_own_source(RUN_NOW)
    envelope.reject_replay(RUN_NOW)
    detail = envelope.detail
    plans = detail.require("plans", read_plans) or ()
    every = detail.take("every", read_duration) or HOURLY
    scheduled_time = detail.take("scheduledTime", read_instant)
    report = detail.take("report", read_flag) or False
    unprotected = Select(
        exclude=detail.take("unprotected", read_globs) or (),
        exclude_tags=detail.take("unprotectedTags", read_tag_globs) or {},
    )
    detail.reject_unknown()
    envelope.check()
    return AuditRequest(
        request_id=envelope.id,
        now=scheduled_time or envelope.time,
        every=every,
        plans=tuple(replace(plan, regions=plan.regions or (default_region,)) for plan in plans),
        report=report,
        unprotected=unprotected,
    )
