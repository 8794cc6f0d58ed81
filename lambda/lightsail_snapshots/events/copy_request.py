"""The messages in the queue of `copy`: an `Instance Snapshot Available`, and one of the Regions that it asks for.

    {"destination": "eu-west-1", "event": {..., "detail-type": "Instance Snapshot Available", "detail": {...}}}

The rule of each destination Region writes the message, so that one message is one copy.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.events.envelope import InvalidRequestError, open_object, read_id
from lightsail_snapshots.events.instance_snapshot_requested import Subject
from lightsail_snapshots.naming import COPY_OF_KEY, MANAGED_BY, MANAGED_BY_KEY
from lightsail_snapshots.reader import (
    Reader,
    format_value,
    invalid,
    read_all_tags,
    read_instant,
    read_name,
    read_plan,
    read_region,
    read_text,
)
from lightsail_snapshots.snapshot import AVAILABLE, Snapshot


@dataclass(frozen=True, kw_only=True)
class CopyRequest(Subject):
    """A valid request for a copy of a usable snapshot, in one other Region."""

    destination: str
    source: Snapshot

    @property
    def tags(self) -> dict[str, str]:
        """All tags of the copy: those of its source, and `copy-of`, which names the source."""
        return {**self.source.tags, MANAGED_BY_KEY: MANAGED_BY, COPY_OF_KEY: self.source.copy_of}


def parse_copy_request(
    message: object,
    *,
    regions: Collection[str],
    copy_regions: Collection[str],
    is_lightsail_region: Callable[[str], bool] = lambda _: False,
) -> CopyRequest:
    """Read a message of the queue; raise InvalidRequestError with every problem at once.

    `regions` are those of the stack, `copy_regions` those that it copies to. Others of Lightsail's Regions are accepted
    too: the stack may have had them when the event was put. The event is our own, so a field that a later version adds
    to it does no harm.
    """
    fields = open_object(message, "the message must be a JSON object with destination and event")
    read_destination = read_region(copy_regions, for_copies=True, is_other=is_lightsail_region)
    destination = fields.require("destination", read_destination) or ""
    event = fields.open("event")
    event.require("source", _read_our_source)
    detail = event.open("detail")
    request_id = detail.require("requestId", read_id) or ""
    plan = detail.take("plan", read_plan)
    source = _read_source(detail, read_region(regions, is_other=is_lightsail_region))
    if fields.problems:
        raise InvalidRequestError(fields.problems, request_id or None)
    return CopyRequest(
        request_id=request_id,
        instance_name=source.instance_name,
        instance_snapshot_name=source.name,
        region=source.region,
        destination=destination,
        plan=plan,
        source=source,
    )


def _read_our_source(value: object) -> str:
    """Read the source of the event, since a person can send to the queue: nobody else may decide what is ours."""
    if value != SOURCE:
        raise invalid(f"must be {SOURCE}, not {format_value(value)}")
    return SOURCE


def _read_source(detail: Reader, read_source_region: Callable[[object], str]) -> Snapshot:
    """Read the snapshot that is available; its problems are added to those of `detail`."""
    return Snapshot(
        name=detail.require("instanceSnapshotName", read_name) or "",
        arn=detail.require("instanceSnapshotArn", read_text) or "",
        region=detail.require("region", read_source_region) or "",
        state=AVAILABLE,
        created_at=detail.require("createdAt", read_instant) or datetime.min.replace(tzinfo=UTC),
        instance_name=detail.require("instanceName", read_name) or "",
        instance_arn=detail.take("instanceArn", read_text) or "",
        tags=detail.require("tags", read_all_tags) or {},
    )
