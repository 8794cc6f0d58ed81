"""The schedules: when each puts its event, that the code can read it, and a role that is for Scheduler only."""

import json
from datetime import date, timedelta

import pytest

from infra.schedules import MAX_INPUT
from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.events.audit_requested import parse_audit_request
from lightsail_snapshots.events.fleet_snapshot_requested import parse_fleet_request
from lightsail_snapshots.plan import read_plans as read_plans_of_event
from lightsail_snapshots_plans.file import InvalidPlansError
from lightsail_snapshots_plans.plans import read_plans
from tests.infra import plans
from tests.infra.simulation import statements_of
from tests.infra.synthesized import ACCOUNT, FOURTEEN_DAYS, REGION, ROOT, Synthesized, detail_of, synthesize
from tests.support.events import fits, requested

SCHEDULE = "AWS::Scheduler::Schedule"


def timing(template: Synthesized, name: str) -> tuple[str, str]:
    schedule = template.schedule(name)
    assert schedule["State"] == "ENABLED"
    return schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]


def test_stack_has_a_schedule_for_each_plan_and_for_prune_and_audit(everything: Synthesized) -> None:
    schedules = everything.of_type(SCHEDULE).values()
    assert {schedule["Name"] for schedule in schedules} == {
        "plan-daily",
        "plan-Both.ways_1",
        "prune",
        "audit",
        "prune-report",
        "audit-report",
    }
    group = everything.only("AWS::Scheduler::ScheduleGroup")["Name"]
    assert {schedule["GroupName"] for schedule in schedules} == {group}


def test_schedule_is_created_after_its_group_and_the_policy_of_its_role(everything: Synthesized) -> None:
    resources = everything.document["Resources"]
    for schedule in (resource for resource in resources.values() if resource["Type"] == SCHEDULE):
        types = {resources[name]["Type"] for name in schedule["DependsOn"]}
        assert {"AWS::Scheduler::ScheduleGroup", "AWS::IAM::Policy"} <= types


def test_schedule_has_the_plans_time_zone_and_window(everything: Synthesized) -> None:
    assert timing(everything, "plan-daily") == ("cron(30 2 * * ? *)", "Europe/Berlin")
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    assert everything.schedule("plan-daily")["FlexibleTimeWindow"] == window
    assert timing(everything, "plan-Both.ways_1") == ("rate(12 hours)", "UTC")
    assert everything.schedule("plan-Both.ways_1")["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_prune_runs_daily_and_audit_every_six_hours_at_minutes_of_their_own(template: Synthesized) -> None:
    assert timing(template, "prune") == ("cron(45 5 * * ? *)", "UTC")
    assert timing(template, "audit") == ("cron(50 3/6 * * ? *)", "UTC")
    assert detail_of(template.schedule("audit"))["every"] == "PT6H"


def test_reports_run_daily_after_six_at_a_minute_of_their_own(template: Synthesized) -> None:
    for name in ("prune-report", "audit-report"):
        assert timing(template, name) == ("cron(40 6 * * ? *)", "UTC")


def test_reports_run_when_the_file_says_so() -> None:
    template = synthesize('report_schedule = "cron(30 8 * * ? *)"\n')
    for name in ("prune-report", "audit-report"):
        assert timing(template, name) == ("cron(30 8 * * ? *)", "UTC")


@pytest.mark.parametrize("name", ["prune", "audit"])
def test_report_request_is_that_of_every_run_and_says_that_it_is_the_report(name: str, template: Synthesized) -> None:
    every_run, report = detail_of(template.schedule(name)), detail_of(template.schedule(f"{name}-report"))
    assert report == every_run | {"report": True}
    assert "report" not in every_run


def test_prune_and_audit_run_when_the_file_says_so() -> None:
    template = synthesize('prune_schedule = "cron(7 4 * * ? *)"\naudit_schedule = "rate(1 hour)"\n')
    assert timing(template, "prune") == ("cron(7 4 * * ? *)", "UTC")
    assert timing(template, "audit") == ("rate(1 hour)", "UTC")
    assert detail_of(template.schedule("audit"))["every"] == "PT1H"


def test_schedule_puts_the_plans_fleet_request_on_our_bus(everything: Synthesized) -> None:
    daily = everything.schedule("plan-daily")
    assert daily["Target"]["Arn"] == everything.arn(everything.bus)
    assert daily["Target"]["EventBridgeParameters"] == {
        "Source": "lightsail-snapshots",
        "DetailType": "Fleet Snapshot Requested",
    }
    event = {"id": "1", "time": "2026-11-23T01:30:41Z", "source": SOURCE, "detail": detail_of(daily)}
    regions = ["eu-central-1", "us-east-1"]
    request = parse_fleet_request(event, default_region=REGION, regions=regions, copy_regions=["eu-west-1"])
    assert request.is_scheduled
    assert request.late_at - request.slot == timedelta(hours=24, minutes=15), "with its flexible window"
    assert request.slot.isoformat() == "2026-11-23T01:30:00+00:00"
    assert (request.plan, request.regions, request.copy_to) == ("daily", tuple(regions), ("eu-west-1",))
    assert request.select.as_detail() == {"tags": {"backup": "daily"}, "exclude": ["scratch-*"]}
    assert request.tags == {"cost center": "web @ co", "team": "+-=._:/@"}


@pytest.mark.parametrize("name", ["prune", "audit", "prune-report", "audit-report"])
def test_prune_and_audit_requests_carry_every_plan(name: str, template: Synthesized) -> None:
    schedule = template.schedule(name)
    detail = detail_of(schedule)
    shipped = read_plans(ROOT / "plans.toml", today=date(2026, 11, 23)).plans
    assert detail["plans"] == [plan.as_detail() for plan in shipped]
    entry = schedule["Target"]["EventBridgeParameters"]
    event = requested(detail, **{"source": entry["Source"], "detail-type": entry["DetailType"]})
    assert fits(event)
    assert [plan.name for plan in read_plans_of_event(detail["plans"])] == [plan.name for plan in shipped]
    if name.startswith("audit"):
        assert parse_audit_request(event, default_region=REGION).every == timedelta(hours=6)


def test_prune_runs_without_plans_for_snapshots_that_expire() -> None:
    assert detail_of(synthesize("").schedule("prune"))["plans"] == []


def test_synth_fails_when_the_plans_do_not_fit_into_a_schedule() -> None:
    names = ", ".join(f'"{"x" * 200}{number}"' for number in range(MAX_INPUT // 204))
    text = f'[plans.daily]\nschedule = "rate(1 day)"\nselect = {{ names = [{names}] }}\nkeep = {{ last = 7 }}\n'
    with pytest.raises(InvalidPlansError, match=r"The schedule plan-daily needs 26.,... bytes .* can carry 262,144"):
        synthesize(text)


def test_audit_is_told_what_is_meant_to_be_unprotected() -> None:
    text = 'unprotected = ["scratch-*"]\nunprotected_tags = { backup = "none" }\n'
    for name in ("audit", "audit-report"):
        detail = detail_of(synthesize(text).schedule(name))
        event = requested(detail, source=SOURCE, **{"detail-type": "Audit Requested"})
        assert fits(event)
        meant = parse_audit_request(event, default_region=REGION).unprotected
        assert (meant.excludes("scratch-1", {}), meant.excludes("web", {"backup": "none"})) == (True, True)
        assert not meant.excludes("web", {})


def test_plan_without_regions_uses_the_region_of_the_stack(template: Synthesized) -> None:
    assert "regions" not in detail_of(template.schedule("plan-daily"))
    assert template.environment_of("FanOut")["SNAPSHOT_REGIONS"] == REGION


def test_event_that_cannot_be_put_is_retried_for_a_day_and_then_kept(everything: Synthesized) -> None:
    arn, queue = everything.queue("SchedulesDeadLetterQueue")
    assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS
    for schedule in everything.of_type(SCHEDULE).values():
        assert schedule["Target"]["DeadLetterConfig"] == {"Arn": arn}
        policy = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
        assert schedule["Target"]["RetryPolicy"] == policy


def test_role_is_for_the_schedules_of_our_group_only(everything: Synthesized) -> None:
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


@pytest.mark.parametrize("text", ["", plans.EVERYTHING])
def test_role_may_put_the_events_of_its_schedules_only(text: str) -> None:
    template = synthesize(text)
    publish, keep = statements_of(template, "Schedules")
    schedules = template.of_type(SCHEDULE).values()
    detail_types = {schedule["Target"]["EventBridgeParameters"]["DetailType"] for schedule in schedules}
    condition = publish["Condition"]["ForAllValues:StringEquals"]
    assert condition["events:source"] == "lightsail-snapshots"
    assert sorted(condition["events:detail-type"]) == sorted(detail_types)
    assert (publish["Action"], publish["Resource"]) == ("events:PutEvents", template.arn(template.bus))
    assert (keep["Action"], keep["Resource"]) == ("sqs:SendMessage", template.queue("SchedulesDeadLetterQueue")[0])
    assert json.dumps(publish).count("*") == 0
