"""The `fan_out` construct: what triggers it, with which request, and that all its rules fit into its policies."""

import json
from datetime import timedelta
from typing import Any, cast

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Annotations, Match, Template
from ministack.services import eventbridge  # type: ignore[import-untyped]  # MiniStack has no types

from lightsail_snapshots.events.fleet_snapshot_requested import parse_fleet_request
from lightsail_snapshots.naming import MAX_PLAN_NAME
from lightsail_snapshots_plans.plans import MAX_WITH_ON
from tests.infra.synthesized import ACCOUNT, REGION, Synthesized, built, detail_of, synthesize

FUNCTION, RULE, PERMISSION = "AWS::Lambda::Function", "AWS::Events::Rule", "AWS::Lambda::Permission"
WITH_ON = 'on = { source = ["ci"] }\nselect = { all = true }\nkeep_for = "P7D"\n'
TRIGGERS: dict[str, tuple[dict[str, Any], tuple[Any, ...]]] = {
    "beforedeploy": (
        {"source": ["aws.codepipeline"], "detail": {"state": ["STARTED"], "$or": [{"a": [1]}, {"b": [True]}]}},
        ("before-deploy", {"names": ["shop-*"]}, timedelta(days=14)),
    ),
    "Bothways1": (
        {"source": ["my.ci"], "detail-type": [{"prefix": "Release"}]},
        ("Both.ways_1", {"all": True}, None),
    ),
}
"""The pattern of each plan's `on`, and the plan's name, select and keepFor."""


def rules(template: Synthesized) -> dict[str, dict[str, Any]]:
    """Return the rules that trigger the function."""
    return {name: rule for name, rule in template.of_type(RULE).items() if name.startswith("FanOut")}


def test_fleet_request_from_any_source_reaches_the_function_unless_it_is_replayed(template: Synthesized) -> None:
    ((_, rule),) = rules(template).items()
    assert rule["EventPattern"] == {"detail-type": ["Fleet Snapshot Requested"], "replay-name": [{"exists": False}]}
    assert rule["EventBusName"] == template.bus
    (target,) = rule["Targets"]
    assert target["Arn"] == template.arn(template.id_of(FUNCTION, "FanOut"))
    assert {"Input", "InputPath", "InputTransformer"}.isdisjoint(target)


@pytest.mark.parametrize("bus", ["default", "ours"])
@pytest.mark.parametrize("plan", TRIGGERS)
def test_event_that_on_matches_triggers_the_plan(plan: str, bus: str, everything: Synthesized) -> None:
    pattern, expected = TRIGGERS[plan]
    rule = everything.only(RULE, f"FanOutOn{plan}{bus}")
    assert rule["EventPattern"] == pattern
    assert rule.get("EventBusName") == (everything.bus if bus == "ours" else None)
    (target,) = rule["Targets"]
    event = {"id": "17793124-05d4-b198-2fde-7ededc63b103", "time": "2026-11-23T03:15:07Z", "detail": {"a": 1}}
    paths = target["InputTransformer"]["InputPathsMap"]
    values = {name: event[path.removeprefix("$.")] for name, path in paths.items()}
    rendered = eventbridge._render_input_template(target["InputTransformer"]["InputTemplate"], values)
    request = parse_fleet_request(json.loads(rendered), default_region=REGION, regions=[REGION])
    assert (request.request_id, request.is_scheduled) == (event["id"], False)
    assert request.slot.isoformat() == "2026-11-23T03:15:07+00:00"
    assert (request.plan, request.select.as_detail(), request.keep_for) == expected


def test_only_plans_with_on_have_rules_of_their_own(everything: Synthesized) -> None:
    assert len(rules(everything)) == 1 + 2 * len(TRIGGERS)


def test_all_plans_with_on_fit_into_the_policies_of_function_and_queue() -> None:
    """With the longest names that CloudFormation gives: 64 characters, and 100 for a statement of the function's."""
    plans = [f"[plans.{number:0{MAX_PLAN_NAME}}]\n{WITH_ON}" for number in range(MAX_WITH_ON)]
    full = synthesize("\n".join(plans))
    rule = f"arn:aws:events:ap-southeast-3:{ACCOUNT}:rule/lightsail-snapshots/{'r' * 64}"
    statement = {
        "Sid": "s" * 100,
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": f"arn:aws:lambda:ap-southeast-3:{ACCOUNT}:function:{'f' * 64}",
        "Condition": {"ArnLike": {"AWS:SourceArn": rule}},
    }
    permissions = [name for name in full.of_type(PERMISSION) if name.startswith("FanOut")]
    assert len(permissions) == 2 * MAX_WITH_ON + 1
    assert len(json.dumps([statement] * len(permissions))) < 20 * 1024 - 100
    assert len(json.dumps([rule] * len(permissions))) < 8 * 1024 - 1000  # the rest of the queue's policy


def test_function_has_time_for_ten_thousand_instances(template: Synthesized) -> None:
    calls = 10_000 / 10 + 10_000 / 20  # PutEvents and GetInstances: see `fan_out`
    assert template.only(FUNCTION, "FanOut")["Timeout"] / calls == 0.6


def test_disabled_plan_has_no_trigger_and_is_still_pruned_and_audited() -> None:
    text = 'notify = ["ops@example.com"]\n[plans.daily]\nenabled = false\nschedule = "rate(1 day)"\n' + WITH_ON
    with built(text) as app:
        stack = cast("Stack", app.node.find_child("LightsailSnapshots"))
        assert Annotations.from_stack(stack).find_warning("*", Match.any_value()) == []
        template = Synthesized(Template.from_stack(stack).to_json())
    assert {schedule["Name"] for schedule in template.of_type("AWS::Scheduler::Schedule").values()} == {
        "prune",
        "audit",
        "prune-report",
        "audit-report",
    }
    assert len(rules(template)) == 1
    for name in ("prune", "audit"):
        assert [plan["enabled"] for plan in detail_of(template.schedule(name))["plans"]] == [False]
