"""Restore drills of a deployed plan: clones in the emulator are made, asked over HTTP, and deleted."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.naming import format_utc, our_tags
from local.run_schedule import GROUP
from local.topic_subscriber import TopicSubscriber, subscribe
from tests.e2e.deployment import Deployment, eventually, tags_of

HOME, AWAY = "us-east-1", "eu-west-1"
DAY = timedelta(days=1)
SUNDAY = datetime(2026, 11, 29, 5, tzinfo=UTC)
CLONES = "lightsail-snapshots-drill"


@pytest.fixture(scope="module")
def subscriber(deployed: Deployment) -> Iterator[TopicSubscriber]:
    subscriber = subscribe(deployed.aws, deployed.resources["Topic"])
    yield subscriber
    deployed.sqs.delete_queue(QueueUrl=subscriber.queue_url)


def take(stack: Deployment, instance: str, proven_at: datetime) -> None:
    """Make a snapshot of ours that was proven at some time."""
    ours = our_tags(f"{instance}-1", instance, plan="proven") | {"proven-at": format_utc(proven_at)}
    tags = [{"key": key, "value": value} for key, value in ours.items()]
    stack.lightsail.create_instance_snapshot(instanceSnapshotName=f"{instance}-1", instanceName=instance, tags=tags)
    wait_until_usable(stack, instance, HOME)


def copy(stack: Deployment, instance: str) -> None:
    """Make the copy of that snapshot in another Region, which was never proven."""
    [source] = stack.snapshots_of(instance)
    there = stack.aws.client("lightsail", AWAY)
    names = dict.fromkeys(("sourceSnapshotName", "targetSnapshotName"), source["name"])
    there.copy_snapshot(sourceRegion=HOME, **names)
    of = f"{HOME} {format_utc(source['createdAt'])} {source['fromInstanceArn']}"
    ours = our_tags(source["name"], instance, plan="proven") | {"copy-of": of}
    there.tag_resource(resourceName=source["name"], tags=[{"key": key, "value": value} for key, value in ours.items()])
    wait_until_usable(stack, instance, AWAY)


def wait_until_usable(stack: Deployment, instance: str, region: str) -> None:
    eventually(lambda: stack.snapshots_of(instance, region)[0]["state"] == "available", f"snapshot in {region}")


def run(stack: Deployment, sunday: datetime, *instances: str) -> None:
    """Put the event that the plan's schedule puts, for these instances only."""
    target: Any = stack.aws.client("scheduler").get_schedule(Name="drill-proven", GroupName=GROUP)["Target"]
    detail = json.loads(target["Input"]) | {"select": {"names": instances}, "scheduledTime": format_utc(sunday)}
    assert (target["EventBridgeParameters"]["Source"], detail["plan"]) == (SOURCE, "proven")
    stack.put(target["EventBridgeParameters"]["DetailType"], detail, source=SOURCE)


def ended(stack: Deployment, *instances: str, number: int = 1) -> dict[str, Any]:
    """Wait until so many drills of these instances have ended; return the last event."""

    def look() -> list[dict[str, Any]]:
        found = [each for instance in instances for each in stack.outcomes_for(instance)]
        drills = [each for each in found if each["detail-type"].startswith("Restore Drill")]
        return drills if len(drills) >= number else []

    return max(eventually(look, f"{number} drills of {instances}"), key=lambda each: str(each["time"]))


def clones(stack: Deployment, *instances: str) -> list[str]:
    regions = [stack.aws.client("lightsail", region).get_paginator("get_instances") for region in (HOME, AWAY)]
    listed = [one for pages in regions for page in pages.paginate() for one in page["instances"]]
    tags = {one["name"]: tags_of(one) for one in listed}
    return [name for name, of in tags.items() if of.get("managed-by") == CLONES and of["drill-of"] in instances]


def verdict(stack: Deployment, instance: str, region: str) -> dict[str, str]:
    [snapshot] = stack.snapshots_of(instance, region)
    return tags_of(snapshot)


def test_each_sunday_proves_what_was_tried_least_recently_and_people_hear_what_failed(
    stack: Deployment, subscriber: TopicSubscriber
) -> None:
    old, young = stack.instance(backup="proven"), stack.instance(backup="proven")
    now = datetime.now(UTC)
    take(stack, old, now - 60 * DAY)
    copy(stack, old)
    take(stack, young, now - 30 * DAY)

    run(stack, SUNDAY, old, young)
    first = ended(stack, old, young)
    assert (first["detail-type"], first["detail"]["instanceName"]) == ("Restore Drill Passed", old)
    assert first["detail"]["region"] == AWAY, "it is the turn of the copy"
    assert verdict(stack, old, AWAY)["proven-at"] >= format_utc(now)

    stack.aws.control("POST", "/_lightsail/faults", {"fault": "status-fails"})
    run(stack, SUNDAY + 7 * DAY, old, young)
    [clone] = eventually(lambda: clones(stack, young), "clone that is not healthy")
    over = [{"key": "drill-until", "value": format_utc(datetime.now(UTC))}]
    stack.lightsail.tag_resource(resourceName=clone, tags=over)
    failed = ended(stack, young)
    assert (failed["detail-type"], failed["detail"]["reason"]) == ("Restore Drill Failed", "NotHealthy")
    told = subscriber.wait_for(f"Restore failed: {young} in us-east-1, plan proven, NotHealthy.", seconds=60)
    assert told
    tags = verdict(stack, young, HOME)
    assert (tags["proven-at"], "NotHealthy" in tags["drill-result"]) == (format_utc(now - 30 * DAY), True)

    stack.aws.control("DELETE", "/_lightsail/faults")
    run(stack, SUNDAY + 14 * DAY, old, young)
    last = ended(stack, old, number=2)
    assert (last["detail-type"], last["detail"]["region"]) == ("Restore Drill Passed", HOME)
    assert verdict(stack, old, HOME)["proven-at"] >= format_utc(now)
    assert clones(stack, old, young) == []
