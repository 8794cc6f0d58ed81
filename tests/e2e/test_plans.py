"""A schedule or an event triggers a plan: each selected instance gets one snapshot, and no other instance does."""

import json

from lightsail_snapshots.events import SOURCE
from local.run_schedule import run_schedule
from tests.e2e.deployment import Deployment, eventually, tags_of
from tests.support.events import time_now

SIX_REGIONS = ("us-east-1", "eu-central-1", "us-west-2", "eu-west-1", "ap-south-1", "ap-southeast-2")


def test_schedule_makes_one_snapshot_of_each_tagged_instance_of_its_regions(stack: Deployment) -> None:
    tagged = {region: stack.instance(region, backup="nightly-1", team=region) for region in SIX_REGIONS}
    others = {region: stack.instance(region, backup="never") for region in SIX_REGIONS}

    slot = run_schedule(stack.aws, "nightly")

    for region in ("us-east-1", "eu-central-1"):
        detail = stack.usable(tagged[region])
        (snapshot,) = stack.snapshots_of(tagged[region], region)
        assert (detail["region"], detail["plan"], detail["instanceSnapshotArn"]) == (region, "nightly", snapshot["arn"])
        assert slot.replace("-", "").replace(":", "") in snapshot["name"]
        assert snapshot["state"] == "available"
        tags = tags_of(snapshot)
        assert (tags.pop("restore-settings").split()[0], tags.pop("restore-ports")) == (
            f"zone={region}a",
            "tcp=80 tcp=22 tcp=443",
        )
        assert tags == {
            "backup": "nightly-1",
            "team": region,
            "cost-center": "web",
            "managed-by": "lightsail-snapshots",
            "snapshot-name": snapshot["name"],
            "snapshot-of": tagged[region],
            "snapshot-keep": "last=7",
            "snapshot-plan": "nightly",
        }
    stack.drain()
    for region in SIX_REGIONS[2:]:
        assert stack.snapshots_of(tagged[region], region) == []
    for region in SIX_REGIONS:
        assert stack.snapshots_of(others[region], region) == []


def test_each_instance_has_one_snapshot_when_a_fleet_request_stopped_half_way(stack: Deployment) -> None:
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
    stack.drain()
    for region, instance in instances.items():
        outcomes = stack.outcomes_for(instance)
        assert {event["detail-type"] for event in outcomes} == {"Instance Snapshot Available"}
        assert len(stack.snapshots_of(instance, region)) == 1


def test_each_event_of_the_default_bus_and_of_ours_triggers_a_plan(stack: Deployment) -> None:
    instance = stack.instance(backup="release")

    for bus in ("default", stack.resources["Bus"]):
        stack.put("Release", {"state": "DONE"}, {"state": "STARTED"}, source="my.ci", bus=bus)

    def requests() -> set[str]:
        return {event["detail"]["requestId"] for event in stack.outcomes_for(instance)}

    eventually(lambda: len(requests()) == 2, "outcomes of two requests")
    stack.drain()
    snapshots = stack.snapshots_of(instance)
    assert len(snapshots) == 2
    for snapshot in snapshots:
        assert snapshot["state"] == "available"
        assert tags_of(snapshot)["snapshot-plan"] == "releases"
        assert "expires-at" in tags_of(snapshot)


def test_schedule_triggers_nothing_when_its_role_cannot_put_events(stack: Deployment) -> None:
    instance = stack.instance(backup="nightly")
    client = stack.aws.client("scheduler")
    deployed = client.get_schedule(Name="plan-nightly", GroupName="lightsail-snapshots")
    role = stack.aws.client("iam").create_role(RoleName="without-permission", AssumeRolePolicyDocument="{}")["Role"]
    client.create_schedule(
        Name="without-permission",
        ScheduleExpression="at(2026-11-23T03:15:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={**deployed["Target"], "RoleArn": role["Arn"]},
    )

    def is_denied() -> bool:
        return "AccessDenied" in stack.aws.log.read_text().partition("error for default/without-permission")[2]

    eventually(is_denied, "AccessDenied in the log of the local AWS")

    assert stack.snapshots_of(instance) == []
