"""A request that names other Regions: its snapshot is copied there, and each copy tagged before it is announced."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import REGION
from tests.e2e.deployment import Deployment, eventually, tags_of
from tests.support.events import requested, time_now

THERE, FAR = "eu-central-1", "eu-west-1"
ELSEWHERE = "us-west-2"
"""No plan copies to it."""

COPIED = "Instance Snapshot Copied"


def wanted(instance: str, *copy_to: str) -> dict[str, Any]:
    """A request for a snapshot whose name is known beforehand, so that a fault can be meant for it."""
    return {"instanceName": instance, "instanceSnapshotName": name_of(instance), "copyTo": list(copy_to)}


def name_of(instance: str) -> str:
    return f"{instance}-to-copy"


def told_of_copies(stack: Deployment, request: str) -> dict[str, dict[str, Any]]:
    """What was told of copies so far, each event by its Region."""
    told = [event for event in stack.outcomes(request) if "destination" in event["detail"]]
    return {event["detail"]["destination"]: event for event in told}


def copied_to(stack: Deployment, request: str, *regions: str) -> list[dict[str, Any]]:
    """Wait until copies in these Regions, and in no others, are told of; return the details, one for each."""
    eventually(lambda: told_of_copies(stack, request).keys() >= set(regions), f"copies of {request} in {regions}")
    told = told_of_copies(stack, request)
    assert {region: event["detail-type"] for region, event in told.items()} == dict.fromkeys(regions, COPIED)
    return [event["detail"] for event in told.values()]


def assert_copied(stack: Deployment, told: dict[str, Any]) -> None:
    """There is one copy, the one that was told of: usable, with the tags of its source, and `copy-of`."""
    (source,) = stack.snapshots_of(told["instanceName"])
    (copy,) = stack.snapshots_of(told["instanceName"], told["destination"])
    assert (copy["name"], copy["arn"]) == (told["instanceSnapshotName"], told["instanceSnapshotArn"])
    assert (copy["name"], copy["state"]) == (source["name"], "available")
    assert (copy["tags"], source["arn"]) == (told["tags"], told["sourceSnapshotArn"])
    tags = tags_of(copy)
    assert tags.pop("copy-of").endswith(source["fromInstanceArn"])
    assert tags == tags_of(source)


def test_a_usable_snapshot_is_copied_to_each_region_that_its_request_names(stack: Deployment) -> None:
    instance = stack.instance(env="prod")

    (request,) = stack.request(wanted(instance, THERE, FAR))

    told = copied_to(stack, request, THERE, FAR)
    assert stack.available(request)["copyTo"] == [THERE, FAR]
    for detail in told:
        assert_copied(stack, detail)
        assert {"env": "prod", "managed-by": "lightsail-snapshots"}.items() <= tags_of(detail).items()


def test_what_a_plan_takes_is_copied_to_the_regions_that_the_plan_names(stack: Deployment) -> None:
    instance = stack.instance(backup="release")
    stack.put("Release", {"state": "STARTED"}, source="my.ci")

    request = stack.usable(instance)["requestId"]
    for told in copied_to(stack, request, THERE, FAR):
        assert_copied(stack, told)


def test_a_request_that_is_delivered_twice_makes_one_copy_in_each_region(stack: Deployment) -> None:
    instance = stack.instance()
    event = requested(wanted(instance, THERE, FAR), id="copied-twice", time=time_now())

    stack.deliver(*[json.dumps(event)] * 2)

    eventually(lambda: len(stack.outcomes("copied-twice")) >= 6, "one snapshot and two copies, each told of twice")
    for detail in copied_to(stack, "copied-twice", THERE, FAR):
        assert_copied(stack, detail)


def test_a_copy_whose_tagging_is_refused_and_one_that_is_throttled_end_tagged_and_announced(stack: Deployment) -> None:
    instance = stack.instance()
    stack.fault("busy", name_of(instance), "TagResource", region=THERE)
    # As often as one delivery tries it, so that it is given up once and comes back.
    stack.fault("throttle", name_of(instance), "CopySnapshot", times=2, region=FAR)

    (request,) = stack.request(wanted(instance, THERE, FAR))

    told = copied_to(stack, request, THERE, FAR)
    assert stack.faults_left() == []
    for detail in told:
        assert_copied(stack, detail)


def test_a_source_that_is_deleted_before_it_could_be_copied_fails(stack: Deployment) -> None:
    instance = stack.instance()
    stack.fault("throttle", name_of(instance), "CopySnapshot", times=1000)
    (request,) = stack.request(wanted(instance, THERE))
    stack.available(request)

    stack.lightsail.delete_instance_snapshot(instanceSnapshotName=name_of(instance))
    stack.aws.control("DELETE", "/_lightsail/faults")

    (told,) = eventually(lambda: told_of_copies(stack, request), "an outcome of the copy").values()
    assert (told["detail-type"], told["detail"]["destination"]) == ("Instance Snapshot Failed", THERE)
    assert told["detail"]["reason"] == "SourceGone"
    assert stack.snapshots_of(instance, THERE) == []


@pytest.fixture
def as_role(stack: Deployment) -> Iterator[Callable[[str, str], Any]]:
    """A function that makes clients, of a service and in a Region, with the copy function's credentials."""
    with stack.acting_as(stack.role_of("CopyFunction")) as client:
        yield client


def test_the_role_may_copy_into_no_region_but_those_that_a_plan_copies_to(
    stack: Deployment, as_role: Callable[[str, str], Any]
) -> None:
    instance = stack.instance()
    stack.lightsail.create_instance_snapshot(instanceSnapshotName=name_of(instance), instanceName=instance)
    eventually(lambda: stack.snapshots_of(instance)[0]["state"] == "available", "snapshot to copy")
    names = dict.fromkeys(("sourceSnapshotName", "targetSnapshotName"), name_of(instance))

    as_role("lightsail", THERE).copy_snapshot(sourceRegion=REGION, **names)
    with pytest.raises(ClientError, match="AccessDenied"):
        as_role("lightsail", ELSEWHERE).copy_snapshot(sourceRegion=REGION, **names)

    assert len(stack.snapshots_of(instance, THERE)) == 1
    assert stack.snapshots_of(instance, ELSEWHERE) == []


def test_the_role_may_not_take_over_a_strangers_snapshot(stack: Deployment, as_role: Callable[[str, str], Any]) -> None:
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
