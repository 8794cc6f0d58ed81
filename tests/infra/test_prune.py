"""The `prune` construct: when it runs, with which plans, that nothing else sets it off, and its rights."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from infra.prune import MAX_INPUT
from lightsail_snapshots.plan import read_plans as read_plans_of_event
from lightsail_snapshots.settings import Settings
from lightsail_snapshots_plans.file import InvalidPlansError
from lightsail_snapshots_plans.models import policy, read_plans
from tests.infra import plans
from tests.infra.roles.prune import DELETE, IS_OURS
from tests.infra.simulation import statements_of
from tests.infra.synthesized import ACCOUNT, Synthesized, detail_of, synthesize
from tests.support.events import fits, requested

SHIPPED = Path(__file__).parents[2] / "plans.toml"


def schedule(template: Synthesized) -> dict[str, Any]:
    return template.only("AWS::Scheduler::Schedule", "SchedulesPrune")


def function(template: Synthesized) -> dict[str, Any]:
    return template.only("AWS::Lambda::Function", "Prune")


def test_it_runs_every_hour_at_a_minute_when_no_plan_starts(template: Synthesized) -> None:
    assert schedule(template)["ScheduleExpression"] == "cron(45 * * * ? *)"
    assert schedule(template)["ScheduleExpressionTimezone"] == "UTC"


def test_the_file_may_say_when_it_runs() -> None:
    template = synthesize('prune_schedule = "cron(7 4 * * ? *)"\n' + plans.EVERYTHING.lstrip())
    assert schedule(template)["ScheduleExpression"] == "cron(7 4 * * ? *)"


def test_the_event_carries_what_each_plan_of_the_file_says_of_the_end_of_its_snapshots(template: Synthesized) -> None:
    sent = detail_of(schedule(template))
    shipped = read_plans(SHIPPED, today=date(2026, 11, 23)).plans
    assert sent["plans"] == [policy(plan) for plan in shipped]
    assert [plan.name for plan in read_plans_of_event(sent["plans"])] == ["daily"]
    assert fits(requested(sent, **{"detail-type": schedule(template)["Target"]["EventBridgeParameters"]["DetailType"]}))


def test_without_plans_it_runs_all_the_same_for_what_others_let_expire() -> None:
    assert detail_of(schedule(synthesize("")))["plans"] == []


def test_plans_that_do_not_fit_into_a_schedule_are_refused_at_synth() -> None:
    names = ", ".join(f'"{"x" * 200}{number}"' for number in range(MAX_INPUT // 204))
    text = f'[plans.daily]\nschedule = "rate(1 day)"\nselect = {{ names = [{names}] }}\nkeep = {{ last = 7 }}\n'
    with pytest.raises(InvalidPlansError, match=r"The 1 plans take 26.,... bytes, and a schedule can carry 262,144"):
        synthesize(text)


def test_requests_of_any_source_reach_it_but_not_those_that_the_archive_replays(template: Synthesized) -> None:
    rule = template.only("AWS::Events::Rule", "PruneRule")
    assert rule["EventPattern"] == {"detail-type": ["Prune Requested"], "replay-name": [{"exists": False}]}
    assert rule["EventBusName"] == template.bus
    (target,) = rule["Targets"]
    assert target["Arn"] == template.arn(template.id_of("AWS::Lambda::Function", "Prune"))
    assert {"Input", "InputPath", "InputTransformer"}.isdisjoint(target)
    assert target["DeadLetterConfig"]["Arn"] == template.named("PruneFailures")[0]


def test_it_reads_what_it_is_given_and_sees_the_copies_too(with_copies: Synthesized) -> None:
    variables = function(with_copies)["Environment"]["Variables"]
    settings = Settings.from_environment(variables | {"AWS_REGION": "eu-central-1"})
    assert settings.all_regions == ("eu-central-1", "us-west-2", "eu-west-1", "us-east-1")


def test_it_has_the_time_that_lambda_can_give_and_fails_loudly(template: Synthesized) -> None:
    assert function(template)["Handler"] == "lightsail_snapshots.prune.handler"
    assert function(template)["Timeout"] == 900
    invoke = template.only("AWS::Lambda::EventInvokeConfig", "Prune")
    assert invoke["DestinationConfig"]["OnFailure"]["Destination"] == template.named("PruneFailures")[0]
    assert invoke["MaximumRetryAttempts"] == 2


def test_its_rule_and_nobody_else_may_invoke_it(template: Synthesized) -> None:
    arn = template.arn(template.id_of("AWS::Lambda::Function", "Prune"))
    every = template.of_type("AWS::Lambda::Permission").values()
    (permission,) = (permission for permission in every if permission["FunctionName"] == arn)
    assert (permission["Action"], permission["Principal"]) == ("lambda:InvokeFunction", "events.amazonaws.com")
    assert permission["SourceArn"] == template.arn(template.id_of("AWS::Events::Rule", "Prune"))


def test_lightsail_is_granted_by_these_statements_alone(with_copies: Synthesized) -> None:
    regions = ["eu-central-1", "us-west-2", "eu-west-1", "us-east-1"]
    statements = statements_of(with_copies, "Prune")
    assert [one for one in statements if "lightsail:" in json.dumps(one["Action"])] == [
        {
            "Sid": "DeleteOurs",
            "Effect": "Allow",
            "Action": "lightsail:DeleteInstanceSnapshot",
            "Resource": [f"arn:aws:lightsail:{region}:{ACCOUNT}:InstanceSnapshot/*" for region in sorted(regions)],
            "Condition": {"StringEquals": IS_OURS, "Null": {"aws:ResourceTag/snapshot-hold": "true"}},
        },
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Action": ["lightsail:GetInstanceSnapshot", "lightsail:GetInstanceSnapshots"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": regions}},
        },
    ]


def test_no_other_role_may_delete_a_snapshot(everything: Synthesized) -> None:
    policies = everything.of_type("AWS::IAM::Policy").values()
    deleting = [one["Roles"] for one in policies if DELETE in json.dumps(one) or "lightsail:*" in json.dumps(one)]
    ((role,),) = deleting
    assert role.startswith("PruneRole")
