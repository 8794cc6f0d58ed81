"""The `create` construct: what enters its queue, and what its role may do in Lightsail."""

import json

from lightsail_snapshots.naming import MANAGED_BY, MANAGED_BY_KEY
from lightsail_snapshots_plans.checks import lightsail_regions
from tests.infra.simulation import statements_of
from tests.infra.synthesized import ACCOUNT, Synthesized

WITH_OUR_TAG = {"StringEquals": {"aws:RequestTag/managed-by": "lightsail-snapshots"}}
IS_OURS = {"aws:ResourceTag/managed-by": "lightsail-snapshots"}


def test_request_from_any_source_on_our_bus_enters_the_queue_as_it_is(template: Synthesized) -> None:
    rule = template.only("AWS::Events::Rule", "Create")
    assert rule["EventPattern"] == {"detail-type": ["Instance Snapshot Requested"]}
    assert rule["EventBusName"] == template.bus
    assert rule["State"] == "ENABLED"
    (target,) = rule["Targets"]
    assert target["Arn"] == template.queue("CreateQueue")[0]
    assert {"Input", "InputPath", "InputTransformer"}.isdisjoint(target)


def test_concurrency_is_a_setting_and_sixteen_by_default(template: Synthesized, everything: Synthesized) -> None:
    mapping = "AWS::Lambda::EventSourceMapping"
    assert template.only(mapping, "Create")["ScalingConfig"] == {"MaximumConcurrency": 16}
    assert everything.only(mapping, "Create")["ScalingConfig"] == {"MaximumConcurrency": 7}


def test_role_has_these_statements_about_lightsail_only(two_regions: Synthesized) -> None:
    statements = statements_of(two_regions, "Create")
    granted = [statement for statement in statements if "lightsail" in json.dumps(statement["Action"])]
    assert granted == [
        {
            "Sid": "CreateWithOurTag",
            "Effect": "Allow",
            "Action": "lightsail:CreateInstanceSnapshot",
            "Resource": [
                f"arn:aws:lightsail:eu-central-1:{ACCOUNT}:Instance/*",
                f"arn:aws:lightsail:us-east-1:{ACCOUNT}:Instance/*",
            ],
            "Condition": WITH_OUR_TAG,
        },
        {
            "Sid": "TagWithOurTag",
            "Effect": "Allow",
            "Action": "lightsail:TagResource",
            "Resource": [
                f"arn:aws:lightsail:eu-central-1:{ACCOUNT}:InstanceSnapshot/*",
                f"arn:aws:lightsail:us-east-1:{ACCOUNT}:InstanceSnapshot/*",
            ],
            "Condition": WITH_OUR_TAG | {"StringEqualsIfExists": IS_OURS},
        },
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Action": ["lightsail:GetInstance", "lightsail:GetInstanceSnapshot"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": list(lightsail_regions())}},
        },
    ]
    everywhere = [statement["Sid"] for statement in statements if "*" in statement["Resource"][:1]]
    assert everywhere == ["Read"]


def test_role_sends_to_the_dead_letter_queue_and_receives_from_the_other(two_regions: Synthesized) -> None:
    resources = {
        json.dumps(statement["Action"]): statement["Resource"]
        for statement in statements_of(two_regions, "Create")
        if "sqs:" in json.dumps(statement["Action"])
    }
    assert resources.pop('"sqs:SendMessage"') == two_regions.queue("CreateDeadLetterQueue")[0]
    assert list(resources.values()) == [two_regions.queue("CreateQueue")[0]]


def test_policy_and_code_mean_the_same_tag() -> None:
    assert {f"aws:RequestTag/{MANAGED_BY_KEY}": MANAGED_BY} == WITH_OUR_TAG["StringEquals"]
