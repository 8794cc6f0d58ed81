"""What the role of `create` may do: its statements to the letter, and IAM's decision on what must never happen."""

import json
from typing import Any

import pytest

from lightsail_snapshots.naming import MANAGED_BY, MANAGED_BY_KEY
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
from tests.infra.synthesized import ACCOUNT, Synthesized

WITH_OUR_TAG = {"StringEquals": {"aws:RequestTag/managed-by": "lightsail-snapshots"}}

OURS = tagging(managed_by="lightsail-snapshots", Name="web")
AVAILABLE = ("lightsail-snapshots", "Instance Snapshot Available")
FAILED = ("lightsail-snapshots", "Instance Snapshot Failed")
INSTANCE, SNAPSHOT = lightsail_arn("Instance"), lightsail_arn("InstanceSnapshot")
CREATE, TAG = "lightsail:CreateInstanceSnapshot", "lightsail:TagResource"

ALLOWED: dict[str, Case] = {
    "create a snapshot with our tag": (CREATE, INSTANCE, OURS),
    "create one in the other Region": (CREATE, lightsail_arn("Instance", "us-east-1"), OURS),
    "tag what it creates": (TAG, SNAPSHOT, OURS),
    "read an instance": ("lightsail:GetInstance", "*", in_region("us-east-1")),
    "read a snapshot": ("lightsail:GetInstanceSnapshot", "*", in_region("eu-central-1")),
    "publish that a snapshot is available": ("events:PutEvents", bus_arn("BUS"), events(AVAILABLE)),
    "publish several outcomes at once": ("events:PutEvents", bus_arn("BUS"), events(AVAILABLE, FAILED)),
}

DENIED: dict[str, Case] = {
    "create without tags": (CREATE, INSTANCE, {}),
    "create with other tags only": (CREATE, INSTANCE, tagging(env="prod")),
    "create with another owner's tag": (CREATE, INSTANCE, tagging(managed_by="terraform")),
    "create with our tag in other letters": (CREATE, INSTANCE, tagging(managed_by="Lightsail-Snapshots")),
    "create in a Region that is not deployed": (CREATE, lightsail_arn("Instance", "eu-west-1"), OURS),
    "create in another account": (CREATE, lightsail_arn("Instance", account="999999999999"), OURS),
    "tag without our tag": (TAG, SNAPSHOT, tagging(env="prod")),
    "tag an instance": (TAG, INSTANCE, OURS),
    "tag a disk": (TAG, lightsail_arn("Disk"), OURS),
    "tag in a Region that is not deployed": (TAG, lightsail_arn("InstanceSnapshot", "eu-west-1"), OURS),
    "untag a snapshot": ("lightsail:UntagResource", SNAPSHOT, {"aws:TagKeys": ["managed-by"]}),
    "delete a snapshot": (
        "lightsail:DeleteInstanceSnapshot",
        SNAPSHOT,
        {"aws:ResourceTag/managed-by": "lightsail-snapshots"},
    ),
    "delete an instance": ("lightsail:DeleteInstance", INSTANCE, {}),
    "delete automatic snapshots": ("lightsail:DeleteAutoSnapshot", "*", in_region("eu-central-1")),
    "make an instance of a snapshot": ("lightsail:CreateInstancesFromSnapshot", SNAPSHOT, OURS),
    "export a snapshot": ("lightsail:ExportSnapshot", SNAPSHOT, {}),
    "copy a snapshot": ("lightsail:CopySnapshot", "*", in_region("eu-central-1")),
    "read in a Region that is not deployed": ("lightsail:GetInstance", "*", in_region("eu-west-1")),
    "list instances": ("lightsail:GetInstances", "*", in_region("eu-central-1")),
    "fetch keys to an instance": ("lightsail:GetInstanceAccessDetails", INSTANCE, in_region("eu-central-1")),
    "publish on the default bus": ("events:PutEvents", bus_arn("default"), events(AVAILABLE)),
    "publish in the name of another source": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(("aws.lightsail", "Instance Snapshot Available")),
    ),
    "request a snapshot": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(("lightsail-snapshots", "Instance Snapshot Requested")),
    ),
    "hide a request among outcomes": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(AVAILABLE, ("lightsail-snapshots", "Instance Snapshot Requested")),
    ),
    "write to another log group": (
        "logs:PutLogEvents",
        f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:other:log-stream:x",
        {},
    ),
    "send to a queue of somebody else": ("sqs:SendMessage", f"arn:aws:sqs:eu-central-1:{ACCOUNT}:other", {}),
}


@pytest.fixture(scope="session")
def statements(two_regions: Synthesized) -> list[dict[str, Any]]:
    return statements_of(two_regions, "Create")


@pytest.fixture(scope="session")
def decisions(two_regions: Synthesized, statements: list[dict[str, Any]]) -> dict[str, Any]:
    return decide(two_regions, statements, ALLOWED | DENIED)


@pytest.mark.parametrize("deed", ALLOWED)
def test_the_role_can(deed: str, decisions: dict[str, Any]) -> None:
    assert decisions[deed] == "Allowed"


@pytest.mark.parametrize("deed", DENIED)
def test_the_role_cannot(deed: str, decisions: dict[str, Any]) -> None:
    assert decisions[deed] == "ImplicitlyDenied"


def test_lightsail_is_granted_by_these_statements_alone(statements: list[dict[str, Any]]) -> None:
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
            "Condition": WITH_OUR_TAG,
        },
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Action": ["lightsail:GetInstance", "lightsail:GetInstanceSnapshot"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-central-1", "us-east-1"]}},
        },
    ]


def test_no_other_action_is_granted_and_none_by_wildcard(statements: list[dict[str, Any]]) -> None:
    assert actions_of(statements) == {
        "events:PutEvents",
        "lightsail:CreateInstanceSnapshot",
        "lightsail:GetInstance",
        "lightsail:GetInstanceSnapshot",
        "lightsail:TagResource",  # checked by Lightsail itself, maybe, where a create carries tags
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    }


def test_only_lightsails_reads_are_granted_on_every_resource(statements: list[dict[str, Any]]) -> None:
    assert [statement["Sid"] for statement in statements if "*" in statement["Resource"][:1]] == ["Read"]


def test_the_role_sends_to_the_dead_letter_queue_and_receives_from_the_other(
    statements: list[dict[str, Any]], two_regions: Synthesized
) -> None:
    resources = {
        json.dumps(statement["Action"]): statement["Resource"]
        for statement in statements
        if "sqs:" in json.dumps(statement["Action"])
    }
    assert resources.pop('"sqs:SendMessage"') == two_regions.named("CreateDeadLetterQueue")[0]
    assert list(resources.values()) == [two_regions.named("CreateQueue")[0]]


def test_the_role_has_no_managed_policy_and_is_for_lambda_alone(two_regions: Synthesized) -> None:
    role = two_regions.only("AWS::IAM::Role", "Create")
    assert {"ManagedPolicyArns", "Policies"}.isdisjoint(role)
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    (name,) = (name for name in two_regions.of_type("AWS::IAM::Role") if name.startswith("Create"))
    assert two_regions.only("AWS::Lambda::Function", "Create")["Role"] == two_regions.arn(name)


def test_policy_and_code_mean_the_same_tag() -> None:
    assert {f"aws:RequestTag/{MANAGED_BY_KEY}": MANAGED_BY} == WITH_OUR_TAG["StringEquals"]
