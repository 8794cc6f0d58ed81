"""The details of `Instance Snapshot Available`, `Copied` and `Failed`."""

import json
from datetime import datetime
from enum import StrEnum
from typing import Any

from lightsail_snapshots.events.copy_request import CopyRequest
from lightsail_snapshots.events.envelope import InvalidRequestError, is_too_deep
from lightsail_snapshots.events.instance_snapshot_requested import SnapshotRequest, Subject
from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.reader import truncate
from lightsail_snapshots.snapshot import Snapshot
from lightsail_snapshots.text import clean

_MAX_REPEATED = 100_000
"""Characters of a request that are repeated: more than a valid one needs, fewer than an event may have. As a text half
as many, since its quotation marks count twice."""
_LONGEST_MESSAGE = 1000
"""People read it on a phone; `problems` has the rest."""


class Reason(StrEnum):
    """Why a snapshot or a copy failed: stable codes, part of the published events."""

    INSTANCE_NOT_FOUND = "InstanceNotFound"
    SOURCE_GONE = "SourceGone"
    INVALID_REQUEST = "InvalidRequest"
    NAME_IN_USE = "NameInUse"
    ACCESS_DENIED = "AccessDenied"
    SNAPSHOT_ERROR = "SnapshotError"
    TIMED_OUT = "TimedOut"
    TOO_LATE = "TooLate"
    REGION_REMOVED = "RegionRemoved"


def available_detail(request: SnapshotRequest, snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    """Build the detail of `Instance Snapshot Available`."""
    return _subject(request) | {
        **_described(snapshot),
        **({"instanceArn": snapshot.instance_arn} if snapshot.instance_arn else {}),
        "secondsToAvailable": round((now - request.requested_at).total_seconds()),
        **({"copyTo": list(request.copy_to)} if request.copy_to else {}),
        **({"droppedCopies": list(request.dropped_copies)} if request.dropped_copies else {}),
    }


def copied_detail(request: CopyRequest, copy: Snapshot) -> dict[str, Any]:
    """Build the detail of `Instance Snapshot Copied`."""
    return _subject(request) | _described(copy) | {"sourceSnapshotArn": request.source.arn}


def failed_detail(request: Subject, reason: StrEnum, message: str, original: object) -> dict[str, Any]:
    """Build the detail of `Instance Snapshot Failed`; `original` is the event, so that people can send it again."""
    return _subject(request) | {"reason": reason, "message": one_line(message), "request": _repeat(original)}


def invalid_detail(request_id: str, error: InvalidRequestError, original: object) -> dict[str, Any]:
    """Build the detail of `Instance Snapshot Failed` for a bad request, which may be no event at all."""
    return {
        "requestId": request_id,
        "reason": Reason.INVALID_REQUEST,
        "message": one_line(str(error)),
        "problems": [str(problem) for problem in error.problems],
        "request": _repeat(original),
    }


def _repeat(original: object) -> object:
    """Return a request as it was received; as text if it is too long for an event, or too deep."""
    if is_too_deep(original):
        return "too deeply nested to be repeated"
    text = json.dumps(original)
    if len(text) > _MAX_REPEATED:
        return f"{text[: _MAX_REPEATED // 2]}... (truncated from {len(text)} characters)"
    # 1e400 is JSON, but Python writes it as Infinity, which is not: the bus would reject the event.
    return json.loads(text, parse_constant=str)


def one_line(text: str) -> str:
    """Truncate a text, and replace what needs escaping in JSON: rules of users put it between quotation marks.

    AWS does not document whether EventBridge escapes it.
    """
    line = " ".join(clean(truncate(text, _LONGEST_MESSAGE)).split())
    return line.replace("\\", "/").replace('"', "'")


def _subject(request: Subject) -> dict[str, Any]:
    return {
        "requestId": request.request_id,
        "instanceName": request.instance_name,
        "instanceSnapshotName": request.instance_snapshot_name,
        "region": request.region,
        **({"destination": request.destination} if request.destination is not None else {}),
        **({"plan": request.plan} if request.plan is not None else {}),
    }


def _described(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "instanceSnapshotArn": snapshot.arn,
        "createdAt": format_utc(snapshot.created_at),
        "tags": [{"key": key, "value": value} for key, value in snapshot.tags.items()],
    }
