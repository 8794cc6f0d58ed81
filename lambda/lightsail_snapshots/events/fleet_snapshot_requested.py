"""`Fleet Snapshot Requested`: anyone may ask for a snapshot of each instance that is selected."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from lightsail_snapshots.events.envelope import open_event
from lightsail_snapshots.events.snapshot_options import SnapshotOptions, read_options
from lightsail_snapshots.instance import Instance
from lightsail_snapshots.naming import format_utc, merge_tags, snapshot_name
from lightsail_snapshots.reader import format_duration, read_regions
from lightsail_snapshots.restore_facts import write_tags
from lightsail_snapshots.selection import Select, parse_select


@dataclass(frozen=True, kw_only=True)
class FleetRequest(SnapshotOptions):
    """A valid request for snapshots of all instances that it selects."""

    select: Select
    regions: tuple[str, ...]
    copy_to: tuple[str, ...]

    def for_instance(self, instance: Instance, region: str) -> tuple[dict[str, Any], list[str]]:
        """Return the detail of `Instance Snapshot Requested`, and the keys of the instance's tags that were dropped.

        One request and instance always give one name, and so one snapshot, however often the event is put. The detail
        has the instance's tags and what a restore needs, so that `create` need not read the instance. A snapshot
        without a tag that Lightsail rejects is better than no snapshot.
        """
        tags, dropped = merge_tags(instance.tags, self.tags, {})
        detail: dict[str, Any] = {
            "instanceName": instance.name,
            "region": region,
            "tags": tags,
            "copyInstanceTags": False,
            "restore": write_tags(instance.facts),
            "scheduledTime": format_utc(self.slot),
            # Without it, the time of the new event would count.
            "lateAfter": format_duration(self.late_at - self.slot),
        }
        if self.copy_to:
            detail["copyTo"] = list(self.copy_to)
        if self.plan is not None:
            detail["plan"] = self.plan
        if self.keep is not None:
            detail["keep"] = self.keep.as_detail()
        if self.keep_for is not None:
            detail["keepFor"] = format_duration(self.keep_for)
        if not self.is_scheduled:
            # Two events of one second are two requests: only their ids differ.
            distinct = (region, self.plan or "", self.request_id)
            detail["instanceSnapshotName"] = snapshot_name(instance.name, self.slot, *distinct)
        return detail, dropped


def parse_fleet_request(
    event: object,
    *,
    default_region: str,
    regions: Collection[str],
    copy_regions: Collection[str] = (),
    is_lightsail_region: Callable[[str], bool] = lambda _: False,
) -> FleetRequest:
    """Read an EventBridge event; raise InvalidRequestError with every problem at once.

    `regions` are those of the stack, `copy_regions` those that it copies to. A request of ours may have others of
    Lightsail's Regions, if a deployment has just removed them: it looks for no instances there, and `create` drops the
    copies.
    """
    envelope = open_event(event)
    envelope.reject_replay("put the request again, or replay the Instance Snapshot Requested events")
    detail = envelope.detail
    select = detail.require("select", parse_select) or Select()
    take_regions = detail.take if default_region in regions else detail.require
    is_other = is_lightsail_region if envelope.is_ours else lambda _: False
    here = take_regions("regions", read_regions(regions, is_other=is_other)) or (default_region,)
    sources = () if detail.is_wrong("regions") else here
    copy_to = detail.take("copyTo", read_regions(copy_regions, *sources, for_copies=True, is_other=is_other)) or ()
    return FleetRequest(
        **vars(read_options(envelope)),
        select=select,
        regions=tuple(region for region in here if region in regions),
        copy_to=copy_to,
    )
