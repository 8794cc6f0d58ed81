"""The `fan_out` construct: what starts it, what it is told, and what becomes of what it cannot do."""

import json
import shlex
from datetime import timedelta
from typing import Any

import pytest
from ministack.services import eventbridge  # type: ignore[import-untyped]  # MiniStack has no types

from lightsail_snapshots.events.fleet_snapshot_requested import FleetRequest, parse_fleet_request
from lightsail_snapshots.naming import MAX_PLAN_NAME
from lightsail_snapshots.settings import Settings
from lightsail_snapshots_plans.models import MAX_WITH_ON
from tests.infra.synthesized import ACCOUNT, FOURTEEN_DAYS, REGION, Synthesized, synthesize

FUNCTION, RULE, PERMISSION = "AWS::Lambda::Function", "AWS::Events::Rule", "AWS::Lambda::Permission"
TRIGGERED = 'on = { source = ["ci"] }\nselect = { all = true }\nkeep_for = "P7D"\n'
TRIGGERS = (
    "FanOutOnbeforedeploydefault",
    "FanOutOnbeforedeployours",
    "FanOutOnBothways1default",
    "FanOutOnBothways1ours",
)


def rules(template: Synthesized) -> dict[str, dict[str, Any]]:
    """Return all rules of which the function is the target."""
    return {name: rule for name, rule in template.of_type(RULE).items() if name.startswith("FanOut")}


def target(rule: dict[str, Any]) -> dict[str, Any]:
    (only,) = rule["Targets"]
    return dict(only)


def delivered(rule: dict[str, Any], event: dict[str, Any]) -> FleetRequest:
    """Return what the function reads of an event for which the rule's target has made another."""
    transformer = target(rule)["InputTransformer"]
    values = {name: event[path.removeprefix("$.")] for name, path in transformer["InputPathsMap"].items()}
    rendered = json.loads(eventbridge._render_input_template(transformer["InputTemplate"], values))
    regions = ["eu-central-1", "us-east-1"]
    return parse_fleet_request(rendered, default_region=REGION, regions=regions, copy_regions=["eu-west-1"])


def test_a_fleet_request_from_any_source_on_our_bus_goes_to_the_function_as_it_is(template: Synthesized) -> None:
    ((_, rule),) = rules(template).items()
    assert rule["EventPattern"] == {"detail-type": ["Fleet Snapshot Requested"]}
    assert rule["EventBusName"] == template.bus
    assert target(rule)["Arn"] == template.arn(template.id_of(FUNCTION, "FanOut"))
    assert {"Input", "InputPath", "InputTransformer"}.isdisjoint(target(rule))


@pytest.mark.parametrize("name", TRIGGERS)
def test_a_plans_trigger_listens_on_its_bus_for_what_on_says(everything: Synthesized, name: str) -> None:
    rule = everything.only(RULE, name)
    patterns = {
        "before": {
            "source": ["aws.codepipeline"],
            "detail": {"state": ["STARTED"], "$or": [{"a": [1]}, {"b": [True]}]},
        },
        "Bothwa": {"source": ["my.ci"], "detail-type": [{"prefix": "Release"}]},
    }
    ours = name.endswith("ours")
    assert rule["EventPattern"] == patterns[name.removeprefix("FanOutOn")[:6]]
    assert rule.get("EventBusName") == (everything.bus if ours else None)


@pytest.mark.parametrize("name", TRIGGERS)
def test_of_the_event_the_function_gets_id_and_time_and_the_plan(everything: Synthesized, name: str) -> None:
    event = {"id": "17793124-05d4-b198-2fde-7ededc63b103", "time": "2026-11-23T03:15:07Z", "detail": {"a": 1}}
    request = delivered(everything.only(RULE, name), event)
    assert request.request_id == event["id"]
    assert request.slot.isoformat() == "2026-11-23T03:15:07+00:00"
    assert not request.is_scheduled
    before = (request.plan, request.select.as_detail(), request.keep_for)
    plans = {
        "before": ("before-deploy", {"names": ["shop-*"]}, timedelta(days=14)),
        "Bothwa": ("Both.ways_1", {"all": True}, None),
    }
    assert before == plans[name.removeprefix("FanOutOn")[:6]]


def test_what_cannot_be_delivered_is_retried_for_a_day_and_then_kept(everything: Synthesized) -> None:
    assert len(rules(everything)) == 1 + len(TRIGGERS)
    for rule in rules(everything).values():
        assert target(rule)["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
        assert target(rule)["DeadLetterConfig"] == {"Arn": everything.named("FanOutFailures")[0]}


def test_an_invocation_that_fails_is_retried_twice_and_then_kept_with_its_error(template: Synthesized) -> None:
    arn, queue = template.named("FanOutFailures")
    invoke = template.only("AWS::Lambda::EventInvokeConfig", "FanOut")
    assert invoke["DestinationConfig"] == {"OnFailure": {"Destination": arn}}
    assert (invoke["MaximumRetryAttempts"], invoke["MaximumEventAgeInSeconds"]) == (2, 21_600)
    assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS


def test_its_rules_and_no_others_may_send_to_its_queue_in_one_statement(everything: Synthesized) -> None:
    deny, allow = everything.only("AWS::SQS::QueuePolicy", "FanOut")["PolicyDocument"]["Statement"]
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert allow["Principal"] == {"Service": "events.amazonaws.com"}
    assert allow["Resource"] == everything.named("FanOutFailures")[0]
    arns = [everything.arn(name) for name in rules(everything)]
    assert sorted(allow["Condition"]["ArnEquals"]["aws:SourceArn"]) == sorted(arns)


def test_its_rules_and_nobody_else_may_invoke_it(everything: Synthesized) -> None:
    function = everything.arn(everything.id_of(FUNCTION, "FanOut"))
    permissions = [each for each in everything.of_type(PERMISSION).values() if each["FunctionName"] == function]
    for permission in permissions:
        assert (permission["Action"], permission["Principal"]) == ("lambda:InvokeFunction", "events.amazonaws.com")
    arns = [everything.arn(name) for name in rules(everything)]
    assert sorted(permission["SourceArn"] for permission in permissions) == sorted(arns)


def test_as_many_triggered_plans_as_are_allowed_fit_into_the_policies_of_function_and_queue() -> None:
    """With the longest names that CloudFormation gives: 64 characters, and 100 for a statement of the function's."""
    plans = [f"[plans.{number:0{MAX_PLAN_NAME}}]\n{TRIGGERED}" for number in range(MAX_WITH_ON)]
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


def test_it_has_as_long_as_lambda_gives_which_is_enough_for_ten_thousand_instances(template: Synthesized) -> None:
    function = template.only(FUNCTION, "FanOut")
    assert function["Handler"] == "lightsail_snapshots.fan_out.handler"
    assert function["Timeout"] == 900
    calls = 10_000 / 10 + 10_000 / 20  # PutEvents and GetInstances for ten thousand instances: see fan_out
    assert function["Timeout"] / calls == 0.6


def test_it_is_told_of_every_region_of_a_plan(everything: Synthesized) -> None:
    variables = everything.only(FUNCTION, "FanOut")["Environment"]["Variables"]
    settings = Settings.from_environment({**variables, "AWS_REGION": REGION})
    assert settings.regions == (REGION, "eu-central-1", "us-east-1")  # the stack's own, and each plan's
    assert settings.copy_regions == ("eu-west-1",)


def test_a_failure_is_replayed_by_a_command_that_takes_records_and_bare_events(template: Synthesized) -> None:
    words = shlex.split(template.outputs["ReplayFanOutFailure"])
    assert words[:3] == ["aws", "sqs", "receive-message"]
    assert words[words.index("--queue-url") + 1] == template.outputs["FanOutFailuresQueueUrl"]
    assert ".Body | fromjson | .requestPayload // ." in words
    assert words[words.index("--function-name") + 1] == template.outputs["FanOutFunctionName"]
    assert words.index("invoke") < words.index("delete-message"), "what could not be replayed stays in the queue"
