"""A plan: something starts it, each instance that it selects gets one snapshot, and no other does."""

import json

import pytest

from lightsail_snapshots.events import SOURCE
from local.run_schedule import run_schedule
from tests.e2e.deployment import Deployment, eventually, tags_of
from tests.support.events import time_now

SIX_REGIONS = ("us-east-1", "eu-central-1", "us-west-2", "eu-west-1", "ap-south-1", "ap-southeast-2")


def test_a_schedule_that_fires_takes_a_snapshot_of_each_tagged_instance_in_two_regions_of_six(
    stack: Deployment,
) -> None:
    tagged = {region: stack.instance(region, backup="nightly-1", team=region) for region in SIX_REGIONS}
    others = {region: stack.instance(region, backup="never") for region in SIX_REGIONS}

    slot = run_schedule(stack.aws, "nightly")

    for region in ("us-east-1", "eu-central-1"):
        told = stack.usable(tagged[region])
        (snapshot,) = stack.snapshots_of(tagged[region], region)
        assert (told["region"], told["plan"], told["instanceSnapshotArn"]) == (region, "nightly", snapshot["arn"])
        assert slot.replace("-", "").replace(":", "") in snapshot["name"]
        assert snapshot["state"] == "available"
        assert tags_of(snapshot) == {
            "backup": "nightly-1",
            "team": region,
            "cost-center": "web",
            "managed-by": "lightsail-snapshots",
            "snapshot-name": snapshot["name"],
            "snapshot-of": tagged[region],
            "snapshot-keep": "last=7",
            "snapshot-plan": "nightly",
        }
    stack.quiet()
    for region in SIX_REGIONS[2:]:
        assert stack.snapshots_of(tagged[region], region) == []
    for region in SIX_REGIONS:
        assert stack.snapshots_of(others[region], region) == []


def test_one_slot_is_one_snapshot_of_each_instance_though_its_first_delivery_stopped_half_way(
    stack: Deployment,
) -> None:
    instances = {region: stack.instance(region, backup="half-way") for region in ("us-east-1", "eu-central-1")}
    detail = {
        "plan": "half-way",
        "select": {"tags": {"backup": "half-way"}},
        "regions": list(instances),
        "scheduledTime": time_now(),
    }
    event = {
        "id": "fleet-1",
        "detail-type": "Fleet Snapshot Requested",
        "source": SOURCE,
        "time": time_now(),
    }
    fault = {"fault": "access-denied", "operation": "GetInstances", "region": "eu-central-1", "times": 1}
    stack.aws.control("POST", "/_lightsail/faults", fault)

    first = stack.aws.client("lambda").invoke(
        FunctionName=stack.resources["FanOutFunction"], Payload=json.dumps({**event, "detail": detail})
    )

    assert first["FunctionError"]
    stack.usable(instances["us-east-1"])
    assert stack.snapshots_of(instances["eu-central-1"], "eu-central-1") == []

    stack.put("Fleet Snapshot Requested", detail, detail, source=SOURCE)

    stack.usable(instances["eu-central-1"])
    eventually(lambda: len(stack.outcomes_for(instances["us-east-1"])) >= 3, "an outcome for each delivery")
    stack.quiet()
    for region, instance in instances.items():
        outcomes = stack.outcomes_for(instance)
        assert {event["detail-type"] for event in outcomes} == {"Instance Snapshot Available"}
        assert len(stack.snapshots_of(instance, region)) == 1


@pytest.mark.parametrize("bus", ["default", "ours"])
def test_an_event_of_any_bus_triggers_a_plan_and_two_events_are_two_snapshots(stack: Deployment, bus: str) -> None:
    instance = stack.instance(backup="release")
    where = {"default": "default", "ours": stack.resources["Bus"]}[bus]

    stack.put("Release", {"state": "STARTED"}, {"state": "STARTED"}, {"state": "DONE"}, source="my.ci", bus=where)

    eventually(lambda: len(stack.outcomes_for(instance)) >= 2, "two outcomes")
    stack.quiet()
    snapshots = stack.snapshots_of(instance)
    assert len(snapshots) == 2
    for snapshot in snapshots:
        assert snapshot["state"] == "available"
        assert tags_of(snapshot)["snapshot-plan"] == "releases"
        assert "expires-at" in tags_of(snapshot)


def test_a_schedule_whose_role_may_put_no_event_starts_nothing(stack: Deployment) -> None:
    instance = stack.instance(backup="nightly")
    client = stack.aws.client("scheduler")
    deployed = client.get_schedule(Name="plan-nightly", GroupName="lightsail-snapshots")
    role = stack.aws.client("iam").create_role(RoleName="powerless", AssumeRolePolicyDocument="{}")["Role"]
    client.create_schedule(
        Name="of-the-powerless",
        ScheduleExpression="at(2026-11-23T03:15:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={**deployed["Target"], "RoleArn": role["Arn"]},
    )

    def refused() -> bool:
        return "AccessDenied" in stack.aws.log.read_text().partition("error for default/of-the-powerless")[2]

    eventually(refused, "a refusal in the local AWS's log")

    assert stack.snapshots_of(instance) == []
