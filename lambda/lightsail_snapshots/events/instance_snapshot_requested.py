"""`Instance Snapshot Requested`: anyone may ask for a snapshot of one instance."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lightsail_snapshots.events.envelope import open_event
from lightsail_snapshots.events.snapshot_options import SnapshotOptions, read_options
from lightsail_snapshots.keep_rules import format_keep_tag
from lightsail_snapshots.naming import our_tags, snapshot_name
from lightsail_snapshots.reader import read_duration, read_flag, read_instant, read_name, read_region, read_regions
from lightsail_snapshots.restore_facts import read_restore

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
    not_before: datetime | None = None
    """Nothing is done before this."""
    retry_for: timedelta | None = None
    """How long it is retried if that is longer than usual: a large fleet needs more time if Lightsail throttles."""

    @property
    def waits_its_turn(self) -> bool:
        """Whether it waits while Lightsail throttles: a fleet's requests do, one that a person has sent does not."""
        return True

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for the outcome: nobody does at night, when the plans run."""
        return self.plan is None


@dataclass(frozen=True, kw_only=True)
class SnapshotRequest(SnapshotOptions, Subject):
    """A valid request for one snapshot."""

    is_name_given: bool
    """Whether the sender chose the name of the snapshot, so that it may have been used before."""
    copy_instance_tags: bool
    copy_to: tuple[str, ...]
    dropped_copies: tuple[str, ...]
    """Regions that it asks for, and that the stack does not copy to (any longer)."""
    restore: Mapping[str, str] | None
    """The tags with what a restore needs; None if the request does not have them."""

    @property
    def waits_its_turn(self) -> bool:
        """Whether `fan_out` has put it."""
        return self.is_ours

    @property
    def made_after(self) -> datetime:
        """A snapshot of the name that is older was not made for this request."""
        return min(self.slot, self.requested_at) - CLOCK_SKEW

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
    copy_instance_tags = detail.take("copyInstanceTags", read_flag)
    read_copy_to = read_regions(copy_regions, region, for_copies=True, is_other=is_lightsail_region)
    copy_to = detail.take("copyTo", read_copy_to) or ()
    restore = envelope.take_ours("restore", read_restore)
    not_before = envelope.take_ours("notBefore", read_instant)
    retry_for = envelope.take_ours("retryFor", read_duration)
    options = read_options(envelope)
    # Two events with the same `scheduledTime` are one request; without it, each event is a request of its own. The
    # Region is part of the name because a copy keeps the name of its source.
    distinct = (region, options.plan or "", "" if options.is_scheduled else envelope.id)
    return SnapshotRequest(
        **vars(options),
        not_before=not_before,
        retry_for=retry_for,
        instance_name=instance_name,
        instance_snapshot_name=given_name or snapshot_name(instance_name, options.slot, *distinct),
        region=region,
        is_name_given=given_name is not None and not envelope.is_ours,
        copy_instance_tags=copy_instance_tags is not False,
        copy_to=tuple(each for each in copy_to if each in copy_regions),
        dropped_copies=tuple(each for each in copy_to if each not in copy_regions),
        restore=restore,
    )
