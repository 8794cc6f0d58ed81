"""Builders for the tests of `copy`: a usable snapshot, the message that requests its copy, copies made by hand."""

from typing import Any

from lightsail_snapshots import create
from lightsail_snapshots.events import SOURCE
from tests.support import fake_aws
from tests.support.events import message, requested
from tests.support.fake_aws import Context, FakeAws

HERE, THERE = "us-east-1", "eu-central-1"
NAME = "before-upgrade"


def available(aws: FakeAws, **detail: object) -> dict[str, Any]:
    """Take a snapshot of web-1 with `create`, and return its Instance Snapshot Available."""
    fields = {"instanceName": "web-1", "instanceSnapshotName": NAME, "copyTo": [THERE]} | detail
    request = requested(fields, source=SOURCE)
    create.handler({"Records": [message(request)]}, Context())
    aws.emulator.clock.advance(60)
    create.handler({"Records": [message(request, attempt=2)]}, Context())
    aws.calls.clear()
    return aws.event()


def to(destination: str, event: dict[str, Any]) -> dict[str, Any]:
    """Build the message that the rule of a destination Region makes of an event."""
    return {"destination": destination, "event": event}


def tags(snapshot: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in snapshot["tags"]}


def client(region: str = THERE) -> Any:
    return fake_aws.client("lightsail", region)


def copy_by_hand(name: str = NAME, source: str = NAME) -> None:
    client().copy_snapshot(sourceRegion=HERE, sourceSnapshotName=source, targetSnapshotName=name)


def outcome(aws: FakeAws) -> tuple[str, str, str]:
    event = aws.event()
    assert event["detail"]["destination"] == THERE
    return event["detail-type"], event["detail"]["reason"], event["detail"]["message"]
