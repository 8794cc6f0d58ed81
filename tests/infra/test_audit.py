"""The `audit` construct: when it runs, with which plans, and that its role can read two lists and change nothing."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from infra.plans import policy, read_plans
from lightsail_snapshots.audit_request import parse_audit_request
from lightsail_snapshots.settings import AuditSettings
from tests.infra.simulation import (
    Case,
    actions_of,
    bus_arn,
    decide,
    events,
    in_region,
    lightsail_arn,
    statements_of,
    tagging,
)
from tests.infra.synthesized import Synthesized, synthesize
from tests.unit.events import fits, requested

SHIPPED = Path(__file__).parents[2] / "plans.toml"
OVERDUE = ("lightsail-snapshots", "Recovery Point Overdue")
SNAPSHOT = lightsail_arn("InstanceSnapshot")
IS_OURS = {"aws:ResourceTag/managed-by": "lightsail-snapshots"}

ALLOWED: dict[str, Case] = {
    "list instances": ("lightsail:GetInstances", "*", in_region("eu-central-1")),
    "list instances of the other Region": ("lightsail:GetInstances", "*", in_region("us-west-2")),
    "list snapshots": ("lightsail:GetInstanceSnapshots", "*", in_region("eu-central-1")),
    "list copies": ("lightsail:GetInstanceSnapshots", "*", in_region("eu-west-1")),
    "tell that something is overdue": ("events:PutEvents", bus_arn("BUS"), events(OVERDUE)),
}
DENIED: dict[str, Case] = {
    "list instances where there are only copies": ("lightsail:GetInstances", "*", in_region("eu-west-1")),
    "list snapshots of a Region that is not deployed": ("lightsail:GetInstanceSnapshots", "*", in_region("eu-west-2")),
    "create a snapshot": (
        "lightsail:CreateInstanceSnapshot",
        lightsail_arn("Instance"),
        tagging(managed_by="lightsail-snapshots"),
    ),
    "delete a snapshot of ours": ("lightsail:DeleteInstanceSnapshot", SNAPSHOT, IS_OURS),
    "delete an instance": ("lightsail:DeleteInstance", lightsail_arn("Instance"), {}),
    "copy a snapshot": ("lightsail:CopySnapshot", "*", in_region("eu-central-1")),
    "tag a snapshot": ("lightsail:TagResource", SNAPSHOT, tagging(managed_by="lightsail-snapshots")),
    "restore an instance": ("lightsail:CreateInstancesFromSnapshot", SNAPSHOT, IS_OURS),
    "fetch keys to an instance": (
        "lightsail:GetInstanceAccessDetails",
        lightsail_arn("Instance"),
        in_region("eu-central-1"),
    ),
    "tell that a snapshot is usable": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(("lightsail-snapshots", "Instance Snapshot Available")),
    ),
    "hide a request among its messages": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(OVERDUE, ("lightsail-snapshots", "Prune Requested")),
    ),
    "publish on the default bus": ("events:PutEvents", bus_arn("default"), events(OVERDUE)),
    "set an alarm to OK": ("cloudwatch:SetAlarmState", "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:x", {}),
    "publish to the topic": ("sns:Publish", "arn:aws:sns:eu-central-1:123456789012:x", {}),
}


@pytest.fixture(scope="module")
def statements(with_copies: Synthesized) -> list[dict[str, Any]]:
    return statements_of(with_copies, "Audit")


@pytest.fixture(scope="module")
def decisions(with_copies: Synthesized, statements: list[dict[str, Any]]) -> dict[str, Any]:
    return decide(with_copies, statements, ALLOWED | DENIED)


@pytest.mark.parametrize("deed", ALLOWED)
def test_the_role_can(deed: str, decisions: dict[str, Any]) -> None:
    assert decisions[deed] == "Allowed"


@pytest.mark.parametrize("deed", DENIED)
def test_the_role_cannot(deed: str, decisions: dict[str, Any]) -> None:
    assert decisions[deed] == "ImplicitlyDenied"


def test_the_role_has_these_rights_alone(statements: list[dict[str, Any]]) -> None:
    assert actions_of(statements) == {
        "events:PutEvents",
        "lightsail:GetInstanceSnapshots",
        "lightsail:GetInstances",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:SendMessage",
    }


def schedule(template: Synthesized) -> dict[str, Any]:
    return template.only("AWS::Scheduler::Schedule", "SchedulesAudit")


def detail(template: Synthesized) -> dict[str, Any]:
    """Read the detail that the schedule sends, with the time that Scheduler would put in."""
    text = schedule(template)["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-23T04:50:00Z")
    return dict(json.loads(text))


def test_it_runs_every_hour_at_a_minute_of_its_own(template: Synthesized) -> None:
    assert schedule(template)["ScheduleExpression"] == "cron(50 * * * ? *)"
    assert detail(template)["every"] == "PT1H"


def test_the_event_tells_how_far_apart_audits_are_where_the_file_says_so() -> None:
    template = synthesize('audit_schedule = "rate(6 hours)"\n')
    assert schedule(template)["ScheduleExpression"] == "rate(6 hours)"
    assert detail(template)["every"] == "PT6H"


def test_the_event_carries_every_plan_and_can_be_read(template: Synthesized) -> None:
    sent = detail(template)
    plans = read_plans(SHIPPED, today=date(2026, 11, 23)).plans
    assert sent["plans"] == [policy(plan) for plan in plans]
    event = requested(sent, **{"detail-type": schedule(template)["Target"]["EventBridgeParameters"]["DetailType"]})
    assert fits(event)
    request = parse_audit_request(event, default_region="eu-central-1")
    assert [(plan.name, plan.max_age) for plan in request.plans] == [(plan.name, plan.max_age) for plan in plans]


def test_a_request_from_anybody_on_our_bus_goes_to_the_function(template: Synthesized) -> None:
    rule = template.only("AWS::Events::Rule", "AuditRule")
    assert rule["EventPattern"] == {"detail-type": ["Audit Requested"]}
    assert rule["EventBusName"] == next(iter(template.of_type("AWS::Events::EventBus")))


def test_the_function_is_told_all_that_it_asks_for(with_copies: Synthesized) -> None:
    variables = with_copies.only("AWS::Lambda::Function", "Audit")["Environment"]["Variables"]
    settings = AuditSettings.from_environment({**variables, "AWS_REGION": "eu-central-1"})
    assert settings.regions == ("eu-central-1", "us-west-2")
    assert settings.runbook == "docs/operations.md"
