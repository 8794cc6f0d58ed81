"""`Instance Snapshot Requested`: anyone may ask for a snapshot of one instance."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from lightsail_snapshots.events.envelope import open_event
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
    tags: Mapping[str, str]
    """Those of the request; `create` adds the instance's and ours."""
    copy_instance_tags: bool
    copy_to: tuple[str, ...]
    expires_at: datetime | None

    @property
    def our_tags(self) -> dict[str, str]:
        """The tags that make the snapshot ours."""
        return our_tags(self.instance_name, self.plan, self.expires_at)


def parse_request(
    event: object, *, default_region: str, regions: Collection[str], copy_regions: Collection[str] = ()
) -> SnapshotRequest:
    """Read an EventBridge event; raise InvalidRequestError with every problem at once.

    `regions` are those of the stack, `copy_regions` those that it copies to.
    """
    envelope = open_event(event)
    detail = envelope.detail
    instance_name = detail.require("instanceName", read_name) or ""
    given_name = detail.take("instanceSnapshotName", read_name)
    take_region = detail.take if default_region in regions else detail.require
    region = take_region("region", read_region(regions)) or default_region
    tags = detail.take("tags", read_tags) or {}
    copy_instance_tags = detail.take("copyInstanceTags", read_flag)
    copy_to = detail.take("copyTo", read_regions(copy_regions, region, for_copies=True)) or ()
    keep_for = detail.take("keepFor", read_duration)
    plan = envelope.take_ours("plan", read_plan)
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
        instance_name=instance_name,
        instance_snapshot_name=given_name or snapshot_name(instance_name, slot, *distinct),
        region=region,
        tags=tags,
        copy_instance_tags=copy_instance_tags is not False,
        copy_to=copy_to,
        plan=plan,
        expires_at=slot + keep_for if keep_for else None,
    )
