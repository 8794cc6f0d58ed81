"""The `audit` construct: when it runs, with which plans, and what it is told."""

from datetime import date
from pathlib import Path
from typing import Any

from lightsail_snapshots.events.audit_requested import parse_audit_request
from lightsail_snapshots.settings import AuditSettings
from lightsail_snapshots_plans.models import policy, read_plans
from tests.infra.synthesized import Synthesized, detail_of, synthesize
from tests.support.events import fits, requested

SHIPPED = Path(__file__).parents[2] / "plans.toml"


def schedule(template: Synthesized) -> dict[str, Any]:
    return template.only("AWS::Scheduler::Schedule", "SchedulesAudit")


def test_it_runs_every_hour_at_a_minute_of_its_own(template: Synthesized) -> None:
    assert schedule(template)["ScheduleExpression"] == "cron(50 * * * ? *)"
    assert detail_of(schedule(template))["every"] == "PT1H"


def test_the_event_tells_how_far_apart_audits_are_where_the_file_says_so() -> None:
    template = synthesize('audit_schedule = "rate(6 hours)"\n')
    assert schedule(template)["ScheduleExpression"] == "rate(6 hours)"
    assert detail_of(schedule(template))["every"] == "PT6H"


def test_the_event_carries_every_plan_and_can_be_read(template: Synthesized) -> None:
    sent = detail_of(schedule(template))
    plans = read_plans(SHIPPED, today=date(2026, 11, 23)).plans
    assert sent["plans"] == [policy(plan) for plan in plans]
    event = requested(sent, **{"detail-type": schedule(template)["Target"]["EventBridgeParameters"]["DetailType"]})
    assert fits(event)
    request = parse_audit_request(event, default_region="eu-central-1")
    assert [(plan.name, plan.max_age) for plan in request.plans] == [(plan.name, plan.max_age) for plan in plans]


def test_a_request_from_anybody_on_our_bus_goes_to_the_function(template: Synthesized) -> None:
    rule = template.only("AWS::Events::Rule", "AuditRule")
    assert rule["EventPattern"] == {"detail-type": ["Audit Requested"]}
    assert rule["EventBusName"] == template.bus


def test_the_function_is_told_all_that_it_asks_for(with_copies: Synthesized) -> None:
    variables = with_copies.only("AWS::Lambda::Function", "Audit")["Environment"]["Variables"]
    settings = AuditSettings.from_environment({**variables, "AWS_REGION": "eu-central-1"})
    assert settings.regions == ("eu-central-1", "us-west-2")
    assert settings.runbook == "docs/operations.md"
