"""What the queue of `copy` holds: an `Instance Snapshot Available` and one of the Regions that it asks for.

    {"destination": "eu-west-1", "event": {..., "detail-type": "Instance Snapshot Available", "detail": {...}}}

The rule of each destination Region makes it of the event, so that one message is one copy.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.instance_snapshot_requested import Subject, read_name, read_plan, read_region, read_tags
from lightsail_snapshots.naming import COPY_OF_KEY, MANAGED_BY, MANAGED_BY_KEY, MAX_TAGS
from lightsail_snapshots.reader import Fields, format_value, read_instant, read_object, read_text
from lightsail_snapshots.snapshot import AVAILABLE, Snapshot


@dataclass(frozen=True, kw_only=True)
class CopyRequest(Subject):
    """One checked request for a copy of a usable snapshot, in one other Region."""

    destination: str
    source: Snapshot

    @property
    def tags(self) -> dict[str, str]:
        """All tags of the copy: those of its source, and `copy-of`, which says what it is a copy of."""
        return {**self.source.tags, MANAGED_BY_KEY: MANAGED_BY, COPY_OF_KEY: self.source.copy_of}


def parse_copy_request(message: object, *, copy_regions: Collection[str]) -> CopyRequest:
    """Read a message of the queue; raise InvalidRequestError with every problem at once.

    The event is our own: fields that a later version adds to it do no harm.
    """
    if not isinstance(message, Mapping):
        raise InvalidRequestError(
            [f"the message must be a JSON object with destination and event, not {format_value(message)}"]
        )
    problems: list[str] = []
    fields = Fields(message, "", problems)
    destination = fields.take("destination", read_region(copy_regions, for_copies=True)) or ""
    event = Fields(fields.take("event", read_object), "event.", problems)
    detail = Fields(event.take("detail", read_object), "event.detail.", problems)
    request_id = detail.take("requestId", read_text)
    plan = detail.take("plan", read_plan, optional=True)
    source = _read_source(detail)
    if request_id is None or problems:
        raise InvalidRequestError(problems, request_id)
    return CopyRequest(
        request_id=request_id,
        instance_name=source.instance_name,
        instance_snapshot_name=source.name,
        region=source.region,
        destination=destination,
        plan=plan,
        source=source,
    )


def _read_source(detail: Fields) -> Snapshot:
    """Read the snapshot that is available; what is wrong with it is among the problems of `detail`."""
    return Snapshot(
        name=detail.take("instanceSnapshotName", read_name) or "",
        arn=detail.take("instanceSnapshotArn", read_text) or "",
        region=detail.take("region", read_text) or "",
        state=AVAILABLE,
        created_at=detail.take("createdAt", read_instant) or datetime.min.replace(tzinfo=UTC),
        instance_name=detail.take("instanceName", read_name) or "",
        instance_arn=detail.take("instanceArn", read_text, optional=True) or "",
        tags=detail.take("tags", partial(read_tags, most=MAX_TAGS - 1)) or {},
    )
