"""Builders for the tests of `drill`: snapshots of web-1, requests, and a driver that delivers them as SQS does."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.naming import our_tags
from tests.support.events import message, requested
from tests.support.fake_aws import FakeAws, client

HOME = "us-east-1"
DRILL = {"schedule": "cron(0 5 ? * SUN *)", "maxAge": "P35D"}
SNAPSHOT = "web-1-20261122T031500Z"
STEP = timedelta(seconds=30)
DRILL_OWNER = "lightsail-snapshots-drill"


def take_snapshot(
    aws: FakeAws, name: str = SNAPSHOT, instance: str = "web-1", tags: Mapping[str, str] | None = None
) -> None:
    """Take a snapshot of ours, and wait until it is usable."""
    ours = our_tags(name, instance, plan="daily") | dict(tags or {})
    client("lightsail").create_instance_snapshot(
        instanceSnapshotName=name,
        instanceName=instance,
        tags=[{"key": key, "value": value} for key, value in ours.items()],
    )
    aws.emulator.clock.advance(60)
    aws.calls.clear()


def run_request(**detail: Any) -> dict[str, Any]:
    """Build the request of a plan's schedule."""
    fields = {"plan": "daily", "select": {"all": True}, "drill": DRILL, "every": "P7D"} | detail
    return requested(fields, **{"detail-type": "Restore Drill Requested", "source": SOURCE})


def drill_request(probe: Mapping[str, Any] | None = None, **detail: Any) -> dict[str, Any]:
    """Build the request for a drill with the snapshot of web-1."""
    drill = {**DRILL, **({"probe": probe} if probe else {})}
    fields = {
        "plan": "daily",
        "instanceName": "web-1",
        "instanceSnapshotName": SNAPSHOT,
        "region": HOME,
        "drill": drill,
    }
    return requested(fields | detail, **{"detail-type": "Restore Drill Requested", "source": SOURCE})


def instances(region: str = HOME) -> dict[str, dict[str, str]]:
    """Return the tags of each instance, by name."""
    found = client("lightsail", region).get_instances()["instances"]
    return {each["name"]: {tag["key"]: tag.get("value", "") for tag in each["tags"]} for each in found}


def clones(region: str = HOME) -> list[str]:
    return [name for name, tags in instances(region).items() if tags.get("managed-by") == DRILL_OWNER]


def snapshot_tags(name: str = SNAPSHOT) -> dict[str, str]:
    found = client("lightsail").get_instance_snapshot(instanceSnapshotName=name)["instanceSnapshot"]
    return {tag["key"]: tag.get("value", "") for tag in found["tags"]}


def deliveries(aws: FakeAws, event: dict[str, Any], most: int = 400) -> Iterator[int]:
    """Deliver a request every 30 seconds until it is done; yield the number of each delivery that did not end it."""
    first_at = aws.emulator.clock.now()
    for attempt in range(1, most + 1):
        if not aws.deliver(message(event, attempt, first_at=first_at)):
            return
        yield attempt
        aws.emulator.clock.advance(STEP.total_seconds())
    raise AssertionError(f"not done after {most} deliveries: {aws.logs()[-3:]}")


def finish(aws: FakeAws, event: dict[str, Any]) -> int:
    """Deliver a request until it is done; return the number of deliveries before the last."""
    return sum(1 for _ in deliveries(aws, event))


def outcome(aws: FakeAws) -> tuple[str, dict[str, Any]]:
    event = aws.event()
    return event["detail-type"], event["detail"]
