"""What `Instance Snapshot Requested` and `Fleet Snapshot Requested` have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lightsail_snapshots.events.envelope import Envelope
from lightsail_snapshots.keep_rules import Keep, read_keep
from lightsail_snapshots.reader import read_duration, read_instant, read_plan, read_tags

LATE_AFTER = timedelta(hours=24)
"""How long after its time a request may still take a new snapshot, if it does not say so itself."""


@dataclass(frozen=True, kw_only=True)
class SnapshotOptions:
    """When and by whom a snapshot was requested, and how it is kept."""

    request_id: str
    is_ours: bool
    """Whether the stack itself put the request."""
    requested_at: datetime
    slot: datetime
    """The time that a schedule meant, else the event's own: part of the names of the snapshots."""
    is_scheduled: bool
    """Whether the request has the slot: then two events of one plan and slot are one request."""
    late_at: datetime
    """A request that is delivered for the first time after this takes no new snapshot: replayed nights must not push
    real ones out of the keep rules."""
    plan: str | None
    keep: Keep | None
    """The rules of its plan, which `create` writes into the snapshot."""
    keep_for: timedelta | None
    tags: Mapping[str, str]
    """Those of the request; `create` adds the instance's and ours."""


def read_options(envelope: Envelope) -> SnapshotOptions:
    """Read the last fields of a request; raise InvalidRequestError if there are problems with any field."""
    detail = envelope.detail
    tags = detail.take("tags", read_tags) or {}
    keep = envelope.take_ours("keep", read_keep)
    keep_for = detail.take("keepFor", read_duration)
    plan = envelope.take_ours("plan", read_plan)
    late_after = envelope.take_ours("lateAfter", read_duration)
    scheduled_time = detail.take("scheduledTime", read_instant)
    envelope.reserve("notBefore", "restore", "retryFor")
    detail.reject_unknown()
    envelope.check()
    slot = scheduled_time or envelope.time
    return SnapshotOptions(
        request_id=envelope.id,
        is_ours=envelope.is_ours,
        requested_at=envelope.time,
        slot=slot,
        is_scheduled=scheduled_time is not None,
        late_at=slot + late_after if late_after else max(slot, envelope.time) + LATE_AFTER,
        plan=plan,
        keep=keep,
        keep_for=keep_for,
        tags=tags,
    )
