"""`Fleet Snapshot Requested`: from an event to a checked request, and to one request for each instance."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lightsail_snapshots.events.envelope import InvalidRequestError, open_event
from lightsail_snapshots.events.instance_snapshot_requested import read_plan, read_regions, read_tags
from lightsail_snapshots.instance import Instance
from lightsail_snapshots.naming import format_utc, merge_tags, snapshot_name, tag_problems
from lightsail_snapshots.reader import Fields, read_duration, read_instant, read_text
from lightsail_snapshots.selection import InvalidSelectError, Select, parse_select


@dataclass(frozen=True, kw_only=True)
class FleetRequest:
    """One checked request for snapshots of all instances that it selects."""

    request_id: str
    """The event's id: the same whenever the event is delivered again."""
    slot: datetime
    """When a schedule meant it to run, else the event's time: part of the names of the snapshots."""
    is_scheduled: bool
    """Whether the slot came with the request, so that two events of one plan and slot are one request."""
    plan: str | None
    select: Select
    regions: tuple[str, ...]
    tags: Mapping[str, str]
    copy_to: tuple[str, ...]
    keep_for: str | None
    """As it came, an ISO 8601 duration: `create` makes a time of it."""

    def for_instance(self, instance: Instance, region: str) -> tuple[dict[str, Any], list[str]]:
        """Return the detail of the `Instance Snapshot Requested` of one instance, and the keys of its tags left out.

        The same request and instance give the same name, and so at most one snapshot, however often they are put. The
        instance's tags come along, so that `create` need not ask for them; one that Lightsail would refuse is left out,
        like one for which there is no room, since a snapshot without a tag is better than none.
        """
        own = {key: value for key, value in instance.tags.items() if not tag_problems(key, value)}
        tags, left_out = merge_tags(own, self.tags, {})
        detail: dict[str, Any] = {
            "instanceName": instance.name,
            "region": region,
            "tags": tags,
            "copyInstanceTags": False,
            "scheduledTime": format_utc(self.slot),
        }
        if self.copy_to:
            detail["copyTo"] = list(self.copy_to)
        if self.plan is not None:
            detail["plan"] = self.plan
        if self.keep_for is not None:
            detail["keepFor"] = self.keep_for
        if not self.is_scheduled:
            # Two events of one second are two requests: only the event's own id tells them apart.
            distinct = (region, self.plan or "", self.request_id)
            detail["instanceSnapshotName"] = snapshot_name(instance.name, self.slot, *distinct)
        return detail, left_out


def parse_fleet_request(
    event: object, *, default_region: str, regions: Collection[str], copy_regions: Collection[str] = ()
) -> FleetRequest:
    """Read an EventBridge event; raise InvalidRequestError with every problem at once.

    `regions` are the Regions that the stack was deployed for, `copy_regions` those that it copies to. Of a plan's own
    trigger, a rule's target sends `id`, `time` and `detail` alone.
    """
    request_id, time, raw, problems = open_event(event)
    detail = Fields(raw, "detail.", problems)
    select = detail.take("select", read_select)
    given = detail.take("regions", read_regions(regions), optional=default_region in regions)
    if given == () and default_region not in regions:
        problems.append(f"detail.regions: names no Region; give some of {', '.join(sorted(regions))}")
    here = given or (default_region,)
    tags = detail.take("tags", read_tags, optional=True) or {}
    are_known = not any(problem.startswith("detail.regions") for problem in problems)
    sources = here if are_known else ()
    copy_to = detail.take("copyTo", read_regions(copy_regions, *sources, for_copies=True), optional=True) or ()
    keep_for = detail.take("keepFor", _read_keep_for, optional=True)
    plan = detail.take("plan", read_plan, optional=True)
    scheduled_time = detail.take("scheduledTime", read_instant, optional=True)
    detail.refuse_the_rest()
    if request_id is None or time is None or select is None or problems:
        raise InvalidRequestError(problems, request_id)
    return FleetRequest(
        request_id=request_id,
        slot=scheduled_time or time,
        is_scheduled=scheduled_time is not None,
        plan=plan,
        select=select,
        regions=here,
        tags=tags,
        copy_to=copy_to,
        keep_for=keep_for,
    )


def read_select(value: object) -> Select:
    """Read a selection where other fields are read as well."""
    try:
        return parse_select(value)
    except InvalidSelectError as error:
        raise ValueError(*(f"{'.' if key else ''}{key}: {text}" for key, text in error.problems)) from error


def _read_keep_for(value: object) -> str:
    read_duration(value)
    return read_text(value)
