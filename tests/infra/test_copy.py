"""The `copy` construct: what must hold for each copy to be a message of its own, and never to be lost; its rights."""

import json
import shlex
from typing import Any

import pytest

from infra.copy import MAX_RECEIVE_COUNT
from infra.queue_function import VISIBILITY_TIMEOUT
from lightsail_snapshots.settings import ReconcilerSettings
from tests.infra.simulation import actions_of, statements_of
from tests.infra.synthesized import ACCOUNT, FOUR_DAYS, FOURTEEN_DAYS, REGION, Synthesized

DESTINATIONS = ["eu-west-1", "us-east-1"]
FUNCTION, MAPPING, RULE = "AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping", "AWS::Events::Rule"


def rule(template: Synthesized, region: str) -> dict[str, Any]:
    """Return the rule of one destination Region."""
    return template.only(RULE, f"CopyTo{region.replace('-', '')}")


def target(template: Synthesized, region: str) -> dict[str, Any]:
    (only,) = rule(template, region)["Targets"]
    return dict(only)


def test_without_destinations_there_is_no_copy(template: Synthesized) -> None:
    assert [name for name in template.document["Resources"] if name.startswith("Copy")] == []
    assert [name for name in template.outputs if "Cop" in name] == []
    assert "COPY_REGIONS" not in template.only(FUNCTION, "Create")["Environment"]["Variables"]


def test_there_is_one_rule_for_each_destination(with_copies: Synthesized) -> None:
    rules = [name for name in with_copies.of_type(RULE) if name.startswith("Copy")]
    assert len(rules) == len(DESTINATIONS)


@pytest.mark.parametrize("region", DESTINATIONS)
def test_what_is_usable_and_wanted_there_goes_to_the_queue(with_copies: Synthesized, region: str) -> None:
    assert rule(with_copies, region)["EventPattern"] == {
        "source": ["lightsail-snapshots"],
        "detail-type": ["Instance Snapshot Available"],
        "detail": {"copyTo": [region]},
    }
    assert target(with_copies, region)["Arn"] == with_copies.named("CopyQueue")[0]


@pytest.mark.parametrize("region", DESTINATIONS)
def test_the_queue_gets_the_destination_and_the_whole_event(with_copies: Synthesized, region: str) -> None:
    transformer = target(with_copies, region)["InputTransformer"]
    assert transformer.keys() == {"InputTemplate"}
    event = {"id": "1", "detail": {"copyTo": [region], "tags": [{"key": "env", "value": 'a "quoted" one'}]}}
    rendered = transformer["InputTemplate"].replace("<aws.events.event.json>", json.dumps(event))
    assert json.loads(rendered) == {"destination": region, "event": event}


@pytest.mark.parametrize("region", DESTINATIONS)
def test_what_a_rule_cannot_deliver_is_kept_apart_since_it_has_no_destination(
    with_copies: Synthesized, region: str
) -> None:
    assert target(with_copies, region)["RetryPolicy"] == {
        "MaximumEventAgeInSeconds": 86_400,
        "MaximumRetryAttempts": 185,
    }
    arn, queue = with_copies.named("CopyUndeliveredQueue")
    assert target(with_copies, region)["DeadLetterConfig"] == {"Arn": arn}
    assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS


def test_a_copy_that_never_converges_is_kept_and_so_is_an_invocation_that_fails(with_copies: Synthesized) -> None:
    arn, dead_letters = with_copies.named("CopyDeadLetterQueue")
    _, queue = with_copies.named("CopyQueue")
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVE_COUNT}
    assert with_copies.only(FUNCTION, "Copy")["DeadLetterConfig"] == {"TargetArn": arn}
    assert dead_letters["MessageRetentionPeriod"] == FOURTEEN_DAYS


def test_a_copy_has_a_day_to_become_usable_and_outlives_it_in_the_queue(with_copies: Synthesized) -> None:
    assert MAX_RECEIVE_COUNT * VISIBILITY_TIMEOUT.to_seconds() == 24 * 3600
    assert with_copies.named("CopyQueue")[1]["MessageRetentionPeriod"] == FOUR_DAYS


def test_lightsail_is_called_by_two_functions_at_most(with_copies: Synthesized) -> None:
    mapping = with_copies.only(MAPPING, "Copy")
    assert mapping["EventSourceArn"] == with_copies.named("CopyQueue")[0]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}


def test_only_its_rules_may_send_to_the_queue(with_copies: Synthesized) -> None:
    arn, _ = with_copies.named("CopyQueue")
    statements = [
        statement
        for policy in with_copies.of_type("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Resource"] == arn and statement["Effect"] == "Allow"
    ]
    rules = [with_copies.arn(name) for name in with_copies.of_type(RULE) if name.startswith("Copy")]
    # One for all of them: a queue's policy takes 20 statements and 10 conditions, and there may be more Regions.
    assert [statement["Condition"] for statement in statements] == [{"ArnEquals": {"aws:SourceArn": rules}}]


def test_nobody_may_invoke_the_function_but_its_queue(with_copies: Synthesized) -> None:
    assert [name for name in with_copies.of_type("AWS::Lambda::Permission") if name.startswith("Copy")] == []


def test_the_function_is_told_the_destinations_and_when_the_queue_gives_up(with_copies: Synthesized) -> None:
    function = with_copies.only(FUNCTION, "Copy")
    assert function["Handler"] == "lightsail_snapshots.copy.handler"
    settings = ReconcilerSettings.from_environment({**function["Environment"]["Variables"], "AWS_REGION": REGION})
    assert settings.copy_regions == tuple(DESTINATIONS)
    assert settings.max_receive_count == MAX_RECEIVE_COUNT


def test_create_accepts_what_copy_serves(with_copies: Synthesized) -> None:
    create, copy = (
        with_copies.only(FUNCTION, construct)["Environment"]["Variables"]["COPY_REGIONS"]
        for construct in ("Create", "Copy")
    )
    assert create == copy == ",".join(DESTINATIONS)


def test_both_functions_are_one_asset(with_copies: Synthesized) -> None:
    create, copy = (with_copies.only(FUNCTION, construct)["Code"] for construct in ("Create", "Copy"))
    assert create == copy


def test_dead_letters_are_replayed_into_the_queue(with_copies: Synthesized) -> None:
    (dead_letters, _), (queue, _) = with_copies.named("CopyDeadLetterQueue"), with_copies.named("CopyQueue")
    assert with_copies.outputs["ReplayCopyDeadLetters"] == (
        f"aws sqs start-message-move-task --source-arn {dead_letters} --destination-arn {queue} --region {REGION}"
    )


def test_what_was_not_delivered_is_replayed_from_the_archive_through_the_rules_of_copy_alone(
    with_copies: Synthesized,
) -> None:
    words = shlex.split(with_copies.outputs["ReplayUndeliveredCopies"])
    assert words[:3] == ["aws", "events", "start-replay"]
    archive = with_copies.arn(with_copies.id_of("AWS::Events::Archive"))
    assert words[words.index("--event-source-arn") + 1] == archive
    rules = [with_copies.arn(name) for name in with_copies.of_type(RULE) if name.startswith("Copy")]
    destination = f"Arn={with_copies.arn(with_copies.bus)},FilterArns={','.join(rules)}"
    assert words[words.index("--destination") + 1] == destination


def test_destinations_do_not_change_what_create_is(template: Synthesized, with_copies: Synthesized) -> None:
    def of_create(template: Synthesized) -> set[str]:
        return {name for name in template.document["Resources"] if name.startswith("Create")}

    assert of_create(template) == of_create(with_copies)


def test_lightsail_is_granted_by_these_statements_alone(with_copies: Synthesized) -> None:
    statements = statements_of(with_copies, "Copy")
    assert [statement for statement in statements if "lightsail:" in json.dumps(statement["Action"])] == [
        {
            "Sid": "CopyAndRead",
            "Effect": "Allow",
            "Action": [
                "lightsail:CopySnapshot",
                "lightsail:GetInstanceSnapshot",
                "lightsail:GetOperationsForResource",
            ],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}},
        },
        {
            "Sid": "TagCopies",
            "Effect": "Allow",
            "Action": "lightsail:TagResource",
            "Resource": [
                f"arn:aws:lightsail:eu-west-1:{ACCOUNT}:InstanceSnapshot/*",
                f"arn:aws:lightsail:us-east-1:{ACCOUNT}:InstanceSnapshot/*",
            ],
            "Condition": {
                "StringEquals": {"aws:RequestTag/managed-by": "lightsail-snapshots"},
                "StringEqualsIfExists": {"aws:ResourceTag/managed-by": "lightsail-snapshots"},
            },
        },
    ]


def test_create_may_do_no_more_where_there_are_copies(with_copies: Synthesized, two_regions: Synthesized) -> None:
    assert actions_of(statements_of(with_copies, "Create")) == actions_of(statements_of(two_regions, "Create"))
