"""The `Schedules` construct: one schedule for each plan that has one, and a role that is for Scheduler alone."""

from typing import Any

from lightsail_snapshots.events.fleet_snapshot_requested import parse_fleet_request
from tests.infra.simulation import statements_of
from tests.infra.synthesized import ACCOUNT, FOURTEEN_DAYS, REGION, Synthesized, detail_of

SCHEDULE = "AWS::Scheduler::Schedule"


def schedules(template: Synthesized) -> dict[str, dict[str, Any]]:
    """Return the schedules of the plans by their own names."""
    found = template.of_type(SCHEDULE).values()
    return {schedule["Name"]: schedule for schedule in found if schedule["Name"].startswith("plan-")}


def test_each_plan_with_a_schedule_has_one_in_our_group(everything: Synthesized) -> None:
    assert schedules(everything).keys() == {"plan-daily", "plan-Both.ways_1"}
    group = everything.only("AWS::Scheduler::ScheduleGroup")["Name"]
    assert {schedule["GroupName"] for schedule in schedules(everything).values()} == {group}


def test_a_schedule_is_made_after_its_group_and_after_what_its_role_may_do(everything: Synthesized) -> None:
    resources = everything.document["Resources"].values()
    for schedule in (resource for resource in resources if resource["Type"] == SCHEDULE):
        types = [everything.document["Resources"][name]["Type"] for name in schedule["DependsOn"]]
        assert {"AWS::Scheduler::ScheduleGroup", "AWS::IAM::Policy"} <= set(types)


def test_a_schedule_runs_when_the_plan_says_in_its_zone_and_window(everything: Synthesized) -> None:
    daily = schedules(everything)["plan-daily"]
    assert (daily["ScheduleExpression"], daily["ScheduleExpressionTimezone"]) == ("cron(30 2 * * ? *)", "Europe/Berlin")
    assert daily["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    assert daily["State"] == "ENABLED"
    other = schedules(everything)["plan-Both.ways_1"]
    assert (other["ScheduleExpression"], other["ScheduleExpressionTimezone"]) == ("rate(12 hours)", "UTC")
    assert other["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_a_schedule_puts_the_plan_on_our_bus_as_a_fleet_request_of_its_slot(everything: Synthesized) -> None:
    daily = schedules(everything)["plan-daily"]
    assert daily["Target"]["Arn"] == everything.arn(everything.bus)
    assert daily["Target"]["EventBridgeParameters"] == {
        "Source": "lightsail-snapshots",
        "DetailType": "Fleet Snapshot Requested",
    }
    event = {"id": "1", "time": "2026-11-23T01:30:41Z", "detail": detail_of(daily)}
    regions = ["eu-central-1", "us-east-1"]
    request = parse_fleet_request(event, default_region=REGION, regions=regions, copy_regions=["eu-west-1"])
    assert request.is_scheduled
    assert request.slot.isoformat() == "2026-11-23T01:30:00+00:00"
    assert (request.plan, request.regions, request.copy_to) == ("daily", tuple(regions), ("eu-west-1",))
    assert request.select.as_detail() == {"tags": {"backup": "daily"}, "exclude": ["scratch-*"]}
    assert request.tags == {"cost center": "web @ co", "team": "+-=._:/@"}


def test_the_plan_that_ships_looks_in_the_region_of_the_stack(template: Synthesized) -> None:
    assert "regions" not in detail_of(schedules(template)["plan-daily"])
    assert template.only("AWS::Lambda::Function", "FanOut")["Environment"]["Variables"]["SNAPSHOT_REGIONS"] == REGION


def test_an_event_that_cannot_be_put_is_retried_for_a_day_and_then_kept(everything: Synthesized) -> None:
    arn, queue = everything.named("SchedulesDeadLetterQueue")
    assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS
    for schedule in everything.of_type(SCHEDULE).values():
        assert schedule["Target"]["DeadLetterConfig"] == {"Arn": arn}
        policy = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
        assert schedule["Target"]["RetryPolicy"] == policy


def test_the_role_is_for_scheduler_and_for_the_schedules_of_our_group_alone(everything: Synthesized) -> None:
    (trust,) = everything.only("AWS::IAM::Role", "Schedules")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {
            "aws:SourceAccount": ACCOUNT,
            "aws:SourceArn": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/lightsail-snapshots",
        }
    }
    roles = {schedule["Target"]["RoleArn"] for schedule in everything.of_type(SCHEDULE).values()}
    assert roles == {everything.arn(everything.id_of("AWS::IAM::Role", "Schedules"))}


def test_the_role_sends_to_the_dead_letter_queue(two_regions: Synthesized) -> None:
    statements = statements_of(two_regions, "Schedules")
    (send,) = (statement for statement in statements if statement["Action"] == "sqs:SendMessage")
    assert send["Resource"] == two_regions.named("SchedulesDeadLetterQueue")[0]
