"""`Prune Requested`: our schedule asks to delete what the plans do not keep."""

from dataclasses import dataclass
from datetime import datetime

from lightsail_snapshots.events.envelope import open_event
from lightsail_snapshots.plan import Plan, read_plans
from lightsail_snapshots.reader import read_flag, read_instant

RUN_NOW = "to prune now, run `lightsail-snapshots prune`"


@dataclass(frozen=True, kw_only=True)
class PruneRequest:
    """A valid request to delete what the plans do not keep."""

    request_id: str
    put_at: datetime
    """When it was put on the bus, with the plans of that moment."""
    time: datetime
    """Retention's "now": the time that the schedule meant, else the event's own."""
    plans: tuple[Plan, ...]
    report: bool
    """Whether this is the daily report: it publishes what is held, and looks at all Lightsail Regions."""


def parse_prune_request(event: object) -> PruneRequest:
    """Read an EventBridge event; raise InvalidRequestError with every problem at once."""
    envelope = open_event(event)
    envelope.require_own_source(RUN_NOW)
    envelope.reject_replay(RUN_NOW)
    detail = envelope.detail
    scheduled_time = detail.take("scheduledTime", read_instant)
    plans = detail.require("plans", read_plans) or ()
    report = detail.take("report", read_flag) or False
    detail.reject_unknown()
    envelope.check()
    return PruneRequest(
        request_id=envelope.id,
        put_at=envelope.time,
        time=scheduled_time or envelope.time,
        plans=plans,
        report=report,
    )
