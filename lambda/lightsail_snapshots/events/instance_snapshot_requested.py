"""`Instance Snapshot Requested`: from an event of the bus to a checked request, or to the list of all that is wrong."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from lightsail_snapshots.events.envelope import InvalidRequestError, open_event
from lightsail_snapshots.naming import (
    MAX_OTHER_TAGS,
    is_name,
    our_tags,
    snapshot_name,
    tag_problems,
)
from lightsail_snapshots.reader import (
    Fields,
    format_value,
    read_duration,
    read_flag,
    read_instant,
    read_text,
    truncate,
)

_AVAILABILITY_ZONE = re.compile(r"([a-z]{2}(?:-[a-z]+)+-[0-9]+)[a-z]")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a request is about: this is in every log line and every outcome event."""

    request_id: str
    """The id of the event that asked for the snapshot: the correlation id."""
    instance_name: str
    instance_snapshot_name: str
    """A copy has the same name as its source."""
    region: str
    """Where the instance is, and its snapshot."""
    destination: str | None = None
    """Where the copy is to be; None where it is about the snapshot itself."""
    plan: str | None


@dataclass(frozen=True, kw_only=True)
class SnapshotRequest(Subject):
    """One checked request: everything that decides what CreateInstanceSnapshot is asked for."""

    requested_at: datetime
    tags: Mapping[str, str]
    """The request's own; the instance's and ours are merged in when the snapshot is created."""
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

    `regions` are the Regions that the stack was deployed for, `copy_regions` those that it copies to. The detail-type
    is not looked at: which events come here is decided by event patterns alone.
    """
    request_id, time, raw, problems = open_event(event)
    detail = Fields(raw, "detail.", problems)
    instance_name = detail.take("instanceName", read_name)
    given_name = detail.take("instanceSnapshotName", read_name, optional=True)
    region = detail.take("region", read_region(regions), optional=default_region in regions) or default_region
    tags = detail.take("tags", read_tags, optional=True) or {}
    copy_instance_tags = detail.take("copyInstanceTags", read_flag, optional=True)
    copy_to = detail.take("copyTo", read_regions(copy_regions, region, for_copies=True), optional=True) or ()
    keep_for = detail.take("keepFor", read_duration, optional=True)
    plan = detail.take("plan", read_plan, optional=True)
    scheduled_time = detail.take("scheduledTime", read_instant, optional=True)
    detail.refuse_the_rest()
    if request_id is None or time is None or instance_name is None or problems:
        raise InvalidRequestError(problems, request_id)
    slot = scheduled_time or time
    # What makes the request distinct: its slot, where a schedule gave one, so that a second delivery of the schedule
    # is the same request; else the event itself. The Region, since a copy keeps its source's name in another Region.
    distinct = (region, plan or "", "" if scheduled_time else request_id)
    return SnapshotRequest(
        request_id=request_id,
        requested_at=time,
        instance_name=instance_name,
        instance_snapshot_name=given_name or snapshot_name(instance_name, slot, *distinct),
        region=region,
        tags=tags,
        copy_instance_tags=copy_instance_tags is not False,
        copy_to=copy_to,
        plan=plan,
        expires_at=slot + keep_for if keep_for else None,
    )


def read_name(value: object) -> str:
    name = read_text(value)
    if not is_name(name):
        raise ValueError(
            f": {format_value(name)} is not a name that Lightsail accepts: 2 to 255 letters, digits, hyphens, "
            "underscores and dots, with a letter or digit at both ends"
        )
    return name


def read_plan(value: object) -> str:
    plan = read_text(value)
    if problems := tag_problems("plan", plan):
        raise ValueError(*(f": {problem}" for problem in problems))
    return plan


def read_region(regions: Collection[str], *, for_copies: bool = False) -> Callable[[object], str]:
    deployed = "copies to" if for_copies else "was deployed for"

    def read(value: object) -> str:
        region = read_text(value)
        if region in regions:
            return region
        zone = _AVAILABILITY_ZONE.fullmatch(region)
        hint = f" ({format_value(region)} is an Availability Zone; its Region is {zone[1]})" if zone else ""
        raise ValueError(
            f": {format_value(region)} is not a Region that this stack {deployed}, "
            f"which are {', '.join(sorted(regions)) or 'none'}{hint}"
        )

    return read


def read_regions(
    regions: Collection[str], *sources: str, for_copies: bool = False
) -> Callable[[object], tuple[str, ...]]:
    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise ValueError(f": must be a list of Regions, not {format_value(value)}")
        problems = []
        for index, region in enumerate(value):
            try:
                read_region(regions, for_copies=for_copies)(region)
            except ValueError as error:
                problems += [f"[{index}]{problem}" for problem in error.args]
        problems += [f": {source} is the Region of the snapshot itself" for source in sources if source in value]
        if problems:
            raise ValueError(*problems)
        return tuple(dict.fromkeys(value))

    return read


def read_tags(value: object, most: int = MAX_OTHER_TAGS) -> dict[str, str]:
    """Read either form: the API's list of `{"key": ..., "value": ...}`, value optional, or `{"env": "prod"}`."""
    problems: list[str] = []
    if isinstance(value, Mapping):
        pairs = [(f".{truncate(key)}", key, text) for key, text in value.items()]
    elif isinstance(value, list):
        pairs = [pair for index, item in enumerate(value) if (pair := _tag(f"[{index}]", item, problems))]
    else:
        raise ValueError(f': must be a list such as [{{"key": "env", "value": "prod"}}], not {format_value(value)}')
    tags: dict[str, str] = {}
    for where, key, text in pairs:
        if not isinstance(text, str):
            problems.append(f"{where}: the value must be a text, not {format_value(text)}")
            continue
        problems += [f"{where}: {problem}" for problem in tag_problems(key, text)]
        if key in tags:
            problems.append(f"{where}: the key {format_value(key)} is there twice")
        tags[key] = text
    if len(value) > most:
        problems.append(f": {len(value)} tags, allowed are {most}: Lightsail takes 50, the rest are ours")
    if problems:
        raise ValueError(*problems)
    return tags


def _tag(where: str, item: object, problems: list[str]) -> tuple[str, str, object] | None:
    if not isinstance(item, Mapping) or not isinstance(item.get("key"), str) or not item.keys() <= {"key", "value"}:
        problems.append(f'{where}: must be {{"key": "env", "value": "prod"}} in lower case, not {format_value(item)}')
        return None
    return where, item["key"], item.get("value", "")
