"""Builders of events and of messages that carry them, and the published schemas that every event must fit."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from lightsail_snapshots.naming import format_utc

SCHEMAS = Path(__file__).parents[2] / "docs" / "events"
_REGISTRY = Registry().with_resources(
    (path.name, DRAFT202012.create_resource(json.loads(path.read_text()))) for path in SCHEMAS.glob("*.json")
)
"""So that one schema can use the definitions of another: `prune-requested.json#/$defs/plan`."""
REQUEST_ID = "6a7e8feb-b491-4cf7-a9f1-bf3703467718"
REQUESTED_AT = datetime(2026, 11, 23, 3, 15, tzinfo=UTC)


@cache
def schema(detail_type: str) -> Draft202012Validator:
    """Return the validator of one detail-type."""
    published = _REGISTRY.contents(f"{detail_type.lower().replace(' ', '-')}.json")
    return Draft202012Validator(published, registry=_REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER)


def example(detail_type: str) -> dict[str, Any]:
    """Return the published example of one detail-type."""
    published: Any = schema(detail_type).schema
    [only] = published["examples"]
    return dict(deepcopy(only))


def fits(event: dict[str, Any]) -> bool:
    """Tell whether an event fits the schema of its detail-type."""
    return schema(event["detail-type"]).is_valid(event)


def time_now() -> str:
    """Return the real time as events have it: a request of another day is late."""
    return format_utc(datetime.now(UTC))


def requested(detail: object = None, **envelope: object) -> dict[str, Any]:
    """Build an `Instance Snapshot Requested` as EventBridge delivers it."""
    return {
        "version": "0",
        "id": REQUEST_ID,
        "detail-type": "Instance Snapshot Requested",
        "source": "my.deploy",
        "account": "123456789012",
        "time": format_utc(REQUESTED_AT),
        "region": "us-east-1",
        "resources": [],
        "detail": {"instanceName": "web-1"} if detail is None else detail,
    } | envelope


def message(
    body: object,
    attempt: int = 1,
    message_id: str = "message-1",
    first_at: datetime = REQUESTED_AT,
    sent_at: datetime | None = None,
) -> dict[str, Any]:
    """Build one SQS record; a body that is no text is written as JSON. It is first delivered when it is sent."""
    return {
        "messageId": message_id,
        "receiptHandle": f"handle-of-{message_id}",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {
            "ApproximateReceiveCount": str(attempt),
            "ApproximateFirstReceiveTimestamp": str(int(1000 * first_at.timestamp())),
            "SentTimestamp": str(int(1000 * (sent_at or first_at).timestamp())),
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:requests",
        "awsRegion": "us-east-1",
    }
