"""`Instance Snapshot Requested`: anyone may ask for a snapshot of one instance."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lightsail_snapshots.events.envelope import open_event
from lightsail_snapshots.keep_rules import Keep, format_keep_tag, read_keep
from lightsail_snapshots.naming import our_tags, snapshot_name
from lightsail_snapshots.reader import (
    read_duration,
    read_flag,
    read_instant,
    read_name,
    read_plan,
    read_region,
    read_regions,
    read_tags,
)

LATE_AFTER = timedelta(hours=24)
"""How long after its time a request may still take a new snapshot, if it does not say so itself."""
CLOCK_SKEW = timedelta(minutes=5)
"""How much Lightsail's clock may be behind that of a sender."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What every log line and every outcome event says about a request."""

    request_id: str
    """The id of the event that asked for the snapshot: the correlation id."""
    instance_name: str
    instance_snapshot_name: str
    """A copy has the same name as its source."""
    region: str
    """Of the instance and its snapshot."""
    destination: str | None = None
    """Of the copy; None if the request is for the snapshot itself."""
    plan: str | None


@dataclass(frozen=True, kw_only=True)
class SnapshotRequest(Subject):
    """A valid request for one snapshot."""

    requested_at: datetime
    made_after: datetime
    """A snapshot of the name that is older was not made for this request."""
    late_at: datetime
    """A request that is delivered for the first time after this takes no new snapshot: replayed nights must not push
    real ones out of the keep rules."""
    is_ours: bool
    """Whether the stack itself put the request."""
    is_name_given: bool
    """Whether the sender chose the name of the snapshot, so that it may have been used before."""
    tags: Mapping[str, str]
    """Those of the request; `create` adds the instance's and ours."""
    copy_instance_tags: bool
    copy_to: tuple[str, ...]
    dropped_copies: tuple[str, ...]
    """Regions that it asks for, and that the stack does not copy to, perhaps no longer."""
    keep: Keep | None
    """The rules of its plan."""
    keep_for: timedelta | None

    def our_tags(self, now: datetime) -> dict[str, str]:
        """Return the tags that make a snapshot ours that is taken now."""
        is_kept_by_rules = self.plan is not None and self.keep_for is None
        return our_tags(
            self.instance_snapshot_name,
            self.instance_name,
            plan=self.plan,
            keep=format_keep_tag(self.keep) if is_kept_by_rules else None,
            expires_at=now + self.keep_for if self.keep_for else None,
        )


def parse_request(
    event: object,
    *,
    default_region: str,
    regions: Collection[str],
    copy_regions: Collection[str] = (),
    is_lightsail_region: Callable[[str], bool] = lambda _: False,
) -> SnapshotRequest:
    """Read an EventBridge event; raise InvalidRequestError with every problem at once.

    `regions` are those of the stack, `copy_regions` those that it copies to. Others of Lightsail's Regions are accepted
    too: the stack may have had them when the request was put.
    """
    envelope = open_event(event)
    detail = envelope.detail
    instance_name = detail.require("instanceName", read_name) or ""
    given_name = detail.take("instanceSnapshotName", read_name)
    take_region = detail.take if default_region in regions else detail.require
    region = take_region("region", read_region(regions, is_other=is_lightsail_region)) or default_region
    tags = detail.take("tags", read_tags) or {}
    copy_instance_tags = detail.take("copyInstanceTags", read_flag)
    read_copy_to = read_regions(copy_regions, region, for_copies=True, is_other=is_lightsail_region)
    copy_to = detail.take("copyTo", read_copy_to) or ()
    keep = envelope.take_ours("keep", read_keep)
    keep_for = detail.take("keepFor", read_duration)
    plan = envelope.take_ours("plan", read_plan)
    late_after = envelope.take_ours("lateAfter", read_duration)
    scheduled_time = detail.take("scheduledTime", read_instant)
    envelope.reserve("notBefore", "restore")
    detail.reject_unknown()
    envelope.check()
    slot = scheduled_time or envelope.time
    # Two events with the same `scheduledTime` are one request; without it, each event is a request of its own. The
    # Region is part of the name because a copy keeps the name of its source.
    distinct = (region, plan or "", "" if scheduled_time else envelope.id)
    return SnapshotRequest(
        request_id=envelope.id,
        requested_at=envelope.time,
        made_after=min(slot, envelope.time) - CLOCK_SKEW,
        late_at=slot + late_after if late_after else max(slot, envelope.time) + LATE_AFTER,
        instance_name=instance_name,
        instance_snapshot_name=given_name or snapshot_name(instance_name, slot, *distinct),
        region=region,
        is_ours=envelope.is_ours,
        is_name_given=given_name is not None and not envelope.is_ours,
        tags=tags,
        copy_instance_tags=copy_instance_tags is not False,
        copy_to=tuple(each for each in copy_to if each in copy_regions),
        dropped_copies=tuple(each for each in copy_to if each not in copy_regions),
        plan=plan,
        keep=keep,
        keep_for=keep_for,
    )
