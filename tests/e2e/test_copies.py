"""A request with other Regions: its snapshot is copied to each, and each copy is tagged before it is announced."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import REGION
from tests.e2e.deployment import Deployment, eventually, tags_of
from tests.support.events import requested, time_now

THERE, FAR = "eu-central-1", "eu-west-1"
NO_DESTINATION = "us-west-2"
"""A Region that no plan copies to."""

COPIED = "Instance Snapshot Copied"


def copy_request(instance: str, *copy_to: str) -> dict[str, Any]:
    """Build a request that gives the snapshot its name, so that a fault can apply to the name."""
    return {"instanceName": instance, "instanceSnapshotName": name_of(instance), "copyTo": list(copy_to)}


def name_of(instance: str) -> str:
    return f"{instance}-to-copy"


def copy_outcomes(stack: Deployment, request: str) -> dict[str, dict[str, Any]]:
    """Return the outcomes of the copies so far, by Region."""
    outcomes = [event for event in stack.outcomes(request) if "destination" in event["detail"]]
    return {event["detail"]["destination"]: event for event in outcomes}


def copied_to(stack: Deployment, request: str, *regions: str) -> list[dict[str, Any]]:
    """Wait until the copies in these Regions, and in no others, are announced; return the details."""
    eventually(lambda: copy_outcomes(stack, request).keys() >= set(regions), f"copies of {request} in {regions}")
    outcomes = copy_outcomes(stack, request)
    assert {region: event["detail-type"] for region, event in outcomes.items()} == dict.fromkeys(regions, COPIED)
    return [event["detail"] for event in outcomes.values()]


def assert_copied(stack: Deployment, detail: dict[str, Any]) -> None:
    """Check that there is one copy, as announced: usable, with the tags of its source, and `copy-of`."""
    (source,) = stack.snapshots_of(detail["instanceName"])
    (copy,) = stack.snapshots_of(detail["instanceName"], detail["destination"])
    assert (copy["name"], copy["arn"]) == (detail["instanceSnapshotName"], detail["instanceSnapshotArn"])
    assert (copy["name"], copy["state"]) == (source["name"], "available")
    assert (copy["tags"], source["arn"]) == (detail["tags"], detail["sourceSnapshotArn"])
    tags = tags_of(copy)
    assert tags.pop("copy-of").endswith(source["fromInstanceArn"])
    assert tags == tags_of(source)


def test_snapshot_is_copied_to_each_region_of_its_request(stack: Deployment) -> None:
    instance = stack.instance(env="prod")

    (request,) = stack.request(copy_request(instance, THERE, FAR))

    copies = copied_to(stack, request, THERE, FAR)
    assert stack.available(request)["copyTo"] == [THERE, FAR]
    for detail in copies:
        assert_copied(stack, detail)
        assert {"env": "prod", "managed-by": "lightsail-snapshots"}.items() <= tags_of(detail).items()


def test_snapshot_of_a_plan_is_copied_to_each_region_of_the_plan(stack: Deployment) -> None:
    instance = stack.instance(backup="release")
    stack.put("Release", {"state": "STARTED"}, source="my.ci")

    request = stack.usable(instance)["requestId"]
    for detail in copied_to(stack, request, THERE, FAR):
        assert_copied(stack, detail)


def test_one_copy_is_made_in_each_region_when_a_request_is_delivered_twice(stack: Deployment) -> None:
    instance = stack.instance()
    event = requested(copy_request(instance, THERE, FAR), id="copied-twice", time=time_now())

    stack.deliver(*[json.dumps(event)] * 2)

    eventually(lambda: len(stack.outcomes("copied-twice")) >= 6, "one snapshot and two copies, each announced twice")
    for detail in copied_to(stack, "copied-twice", THERE, FAR):
        assert_copied(stack, detail)


def test_copies_succeed_when_lightsail_rejects_and_throttles_calls(stack: Deployment) -> None:
    instance = stack.instance()
    stack.fault("busy", name_of(instance), "TagResource", region=THERE)
    # As often as one delivery calls it, so that the message is retried.
    stack.fault("throttle", name_of(instance), "CopySnapshot", times=2, region=FAR)

    (request,) = stack.request(copy_request(instance, THERE, FAR))

    copies = copied_to(stack, request, THERE, FAR)
    assert stack.faults_left() == []
    for detail in copies:
        assert_copied(stack, detail)


def test_copy_fails_when_its_source_is_no_longer_ours(stack: Deployment) -> None:
    instance = stack.instance()
    stack.fault("throttle", name_of(instance), "CopySnapshot", times=1000)
    (request,) = stack.request(copy_request(instance, THERE))
    stack.available(request)

    stack.lightsail.untag_resource(resourceName=name_of(instance), tagKeys=["managed-by"])
    stack.aws.control("DELETE", "/_lightsail/faults")

    (event,) = eventually(lambda: copy_outcomes(stack, request), "an outcome of the copy").values()
    assert (event["detail-type"], event["detail"]["destination"]) == ("Instance Snapshot Failed", THERE)
    assert event["detail"]["reason"] == "SourceGone"
    assert stack.snapshots_of(instance, THERE) == []


@pytest.fixture
def as_role(stack: Deployment) -> Iterator[Callable[[str, str], Any]]:
    """A function that makes clients with the credentials of copy: `as_role(service, region)`."""
    with stack.acting_as(stack.role_of("CopyFunction")) as client:
        yield client


def test_role_can_copy_only_to_regions_that_a_plan_copies_to(
    stack: Deployment, as_role: Callable[[str, str], Any]
) -> None:
    instance = stack.instance()
    stack.lightsail.create_instance_snapshot(instanceSnapshotName=name_of(instance), instanceName=instance)
    eventually(lambda: stack.snapshots_of(instance)[0]["state"] == "available", "snapshot to copy")
    names = dict.fromkeys(("sourceSnapshotName", "targetSnapshotName"), name_of(instance))

    as_role("lightsail", THERE).copy_snapshot(sourceRegion=REGION, **names)
    with pytest.raises(ClientError, match="AccessDenied"):
        as_role("lightsail", NO_DESTINATION).copy_snapshot(sourceRegion=REGION, **names)

    assert len(stack.snapshots_of(instance, THERE)) == 1
    assert stack.snapshots_of(instance, NO_DESTINATION) == []


def test_role_cannot_tag_a_snapshot_that_another_tool_owns(
    stack: Deployment, as_role: Callable[[str, str], Any]
) -> None:
    instance = stack.instance(THERE)
    theirs = [{"key": "managed-by", "value": "terraform"}]
    ours = [{"key": "managed-by", "value": "lightsail-snapshots"}]
    root = stack.aws.client("lightsail", THERE)
    root.create_instance_snapshot(instanceSnapshotName=f"{instance}-theirs", instanceName=instance, tags=theirs)
    root.create_instance_snapshot(instanceSnapshotName=f"{instance}-untagged", instanceName=instance)

    as_role("lightsail", THERE).tag_resource(resourceName=f"{instance}-untagged", tags=ours)
    with pytest.raises(ClientError, match="AccessDenied"):
        as_role("lightsail", THERE).tag_resource(resourceName=f"{instance}-theirs", tags=ours)

    tags = {snapshot["name"]: snapshot["tags"] for snapshot in stack.snapshots_of(instance, THERE)}
    assert tags == {f"{instance}-theirs": theirs, f"{instance}-untagged": ours}
