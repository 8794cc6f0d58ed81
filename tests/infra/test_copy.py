"""The `copy` construct: one message for each copy, and what its role may do in Lightsail."""

import json

import pytest

from lightsail_snapshots_plans.checks import lightsail_regions
from tests.infra.simulation import actions_of, statements_of
from tests.infra.synthesized import ACCOUNT, Synthesized

DESTINATIONS = ["eu-west-1", "us-east-1"]
RULE = "AWS::Events::Rule"


def test_stack_without_copies_sees_earlier_ones_through_and_makes_none(template: Synthesized) -> None:
    """A deployment must not delete the queue with the copies that were requested before it."""
    assert template.only("AWS::Lambda::EventSourceMapping", "Copy")["EventSourceArn"] == template.queue("CopyQueue")[0]
    assert [name for name in template.of_type(RULE) if name.startswith("Copy")] == []
    statements = statements_of(template, "Copy")
    lightsail = {action for action in actions_of(statements) if action.startswith("lightsail:")}
    assert lightsail == {"lightsail:GetInstanceSnapshot", "lightsail:GetOperationsForResource"}
    assert all(statement["Resource"] for statement in statements), "IAM rejects an empty list"
    assert "COPY_REGIONS" not in template.environment_of("Create")


def test_each_destination_has_one_rule(with_copies: Synthesized) -> None:
    assert len([name for name in with_copies.of_type(RULE) if name.startswith("Copy")]) == len(DESTINATIONS)


@pytest.mark.parametrize("region", DESTINATIONS)
def test_usable_snapshot_enters_the_queue_with_its_destination(region: str, with_copies: Synthesized) -> None:
    rule = with_copies.only(RULE, f"CopyTo{region.replace('-', '')}")
    assert rule["EventBusName"] == with_copies.bus
    assert rule["EventPattern"] == {
        "source": ["lightsail-snapshots"],
        "detail-type": ["Instance Snapshot Available"],
        "detail": {"copyTo": [region]},
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == with_copies.queue("CopyQueue")[0]
    assert target["InputTransformer"].keys() == {"InputTemplate"}
    event = {"id": "1", "detail": {"copyTo": [region], "tags": [{"key": "env", "value": 'a "quoted" one'}]}}
    template = target["InputTransformer"]["InputTemplate"]
    rendered = template.replace("<aws.events.event.json>", json.dumps(event))
    assert json.loads(rendered) == {"destination": region, "event": event}


def test_two_functions_at_most_call_lightsail(with_copies: Synthesized) -> None:
    mapping = with_copies.only("AWS::Lambda::EventSourceMapping", "Copy")
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}


def test_destinations_change_neither_the_resources_nor_the_rights_of_create(
    template: Synthesized, with_copies: Synthesized
) -> None:
    def of_create(template: Synthesized) -> set[str]:
        return {name for name in template.document["Resources"] if name.startswith("Create")}

    assert of_create(template) == of_create(with_copies)
    assert actions_of(statements_of(with_copies, "Create")) == actions_of(statements_of(template, "Create"))


def test_role_has_these_statements_about_lightsail_only(with_copies: Synthesized) -> None:
    statements = statements_of(with_copies, "Copy")
    assert [statement for statement in statements if "lightsail:" in json.dumps(statement["Action"])] == [
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Action": ["lightsail:GetInstanceSnapshot", "lightsail:GetOperationsForResource"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": list(lightsail_regions())}},
        },
        {
            "Sid": "Copy",
            "Effect": "Allow",
            "Action": "lightsail:CopySnapshot",
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
