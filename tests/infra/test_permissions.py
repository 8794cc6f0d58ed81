"""Of everything that could be done, each role can do exactly this; docs/permissions.md says the same."""

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.infra.permissions import (
    CONFIGURED,
    HOME,
    OF_INSTANCES,
    OF_LIGHTSAIL,
    PAGE,
    TAGS,
    Key,
    simulated,
    with_table,
)
from tests.infra.synthesized import built

Allowed = tuple[str, str, tuple[str, ...], tuple[str, ...], frozenset[str]]
"""Actions, what they are done to, the tags that it carries, what the request has, and the kinds of Regions."""

NONE = ("",)
UNSAID = ("no tags",)
COPIES = frozenset(("of copies",))
OUR_TAG = ("our tag", "our tag, key in capitals")
OURS = ("ours", "ours, key in capitals")
OURS_OR_HELD = (*OURS, "ours, held", "ours, held in capitals")
OURS_OR_UNTAGGED = (*OURS_OR_HELD, "untagged")


def reads(actions: str) -> Allowed:
    return f"lightsail: {actions}", "*", NONE, UNSAID, OF_LIGHTSAIL


def does(actions: str, on: str) -> Allowed:
    return actions, on, NONE, NONE, HOME


def puts(*detail_types: str) -> Allowed:
    return "events: PutEvents", "Bus", NONE, detail_types, HOME


def logs(function: str) -> Allowed:
    return does("logs: CreateLogStream PutLogEvents", f"{function}Logs's streams")


def keeps_failures(function: str) -> Allowed:
    return does("sqs: GetQueueAttributes GetQueueUrl SendMessage", f"{function}Failures")


def consumes(function: str) -> Iterator[Allowed]:
    yield does(
        "sqs: ChangeMessageVisibility DeleteMessage GetQueueAttributes GetQueueUrl ReceiveMessage", f"{function}Queue"
    )
    yield does("sqs: SendMessage", f"{function}DeadLetterQueue")


EXPECTED: dict[str, tuple[Allowed, ...]] = {
    "Audit": (
        reads("GetInstances GetInstanceSnapshots"),
        puts(
            "Recovery Point Overdue",
            "Restore Proof Overdue",
            "Instances Unprotected",
            "Audit Completed",
            "Request Rejected",
        ),
        does("cloudwatch: DescribeAlarms", "an alarm of the stack"),
        does("cloudwatch: DescribeAlarms", "another's alarm"),
        logs("Audit"),
        keeps_failures("Audit"),
    ),
    "Copy": (
        reads("GetInstanceSnapshot GetOperationsForResource"),
        ("lightsail: CopySnapshot", "*", NONE, UNSAID, COPIES),
        ("lightsail: TagResource", "InstanceSnapshot", OURS_OR_UNTAGGED, OUR_TAG, COPIES),
        puts("Instance Snapshot Copied", "Instance Snapshot Failed"),
        logs("Copy"),
        *consumes("Copy"),
    ),
    "Create": (
        reads("GetInstance GetInstanceSnapshot"),
        ("lightsail: CreateInstanceSnapshot", "Instance", tuple(TAGS), OUR_TAG, OF_INSTANCES),
        ("lightsail: TagResource", "InstanceSnapshot", OURS_OR_UNTAGGED, OUR_TAG, OF_INSTANCES),
        puts("Instance Snapshot Available", "Instance Snapshot Failed"),
        logs("Create"),
        *consumes("Create"),
    ),
    "Drill": (
        reads(
            "GetBundles GetInstance GetInstanceMetricData GetInstanceSnapshot GetInstanceSnapshots GetInstances"
            " GetOperationsForResource"
        ),
        ("lightsail: CreateInstancesFromSnapshot", "InstanceSnapshot", OURS_OR_HELD, ("a drill's tag",), CONFIGURED),
        (
            "lightsail: DeleteInstance OpenInstancePublicPorts CloseInstancePublicPorts",
            "Instance",
            ("a drill's",),
            UNSAID,
            CONFIGURED,
        ),
        ("lightsail: TagResource", "InstanceSnapshot", OURS_OR_HELD, ("a drill's verdict", "no tags"), CONFIGURED),
        puts("Restore Drill Requested", "Restore Drill Passed", "Restore Drill Failed", "Request Rejected"),
        logs("Drill"),
        *consumes("Drill"),
    ),
    "FanOut": (
        reads("GetInstances"),
        puts("Instance Snapshot Requested", "Request Rejected"),
        logs("FanOut"),
        keeps_failures("FanOut"),
    ),
    "Notify": (
        does("sns: Publish", "Topic"),
        does("kms: Decrypt GenerateDataKey", "TopicKey"),
        does("ssm: GetParameter", "the chat's parameter"),
        logs("Notify"),
        keeps_failures("Notify"),
    ),
    "Prune": (
        reads("GetInstances GetInstanceSnapshot GetInstanceSnapshots"),
        ("lightsail: DeleteInstanceSnapshot", "InstanceSnapshot", OURS, UNSAID, CONFIGURED),
        puts("Instance Snapshot Deleted", "Prune Refused", "Request Rejected"),
        logs("Prune"),
        keeps_failures("Prune"),
    ),
    "Schedules": (
        puts("Fleet Snapshot Requested", "Prune Requested", "Audit Requested", "Restore Drill Requested"),
        does("sqs: SendMessage", "SchedulesDeadLetterQueue"),
    ),
}


def cells(allowed: Allowed) -> Iterator[Key]:
    actions, on, tags, requests, regions = allowed
    service, *names = actions.split()
    for name, *rest in product(names, tags, requests, regions):
        yield Key(service + name, on, *rest)


def test_expected_roles_are_those_of_the_stack() -> None:
    assert set(simulated().allowed) == set(EXPECTED)


@pytest.mark.parametrize("role", EXPECTED)
def test_role_is_allowed_exactly_the_expected_cells(role: str) -> None:
    expected = {cell for allowed in EXPECTED[role] for cell in cells(allowed)}
    assert sorted(simulated().allowed[role]) == sorted(expected)


def test_cells_have_every_action_of_lightsail() -> None:
    actions = {cell.key.action for cell in simulated().cells if cell.key.action.startswith("lightsail:")}
    assert {"lightsail:DeleteInstance", "lightsail:ExportSnapshot", "lightsail:DeleteAutoSnapshot"} < actions
    assert len(actions) > 150


def test_table_of_the_page_is_what_was_simulated() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_table(text, simulated()) == text, "run python -m tests.infra.permissions"


def deploy_policy() -> dict[str, list[dict[str, str]]]:
    """Return the policy for deploying that docs/permissions.md shows."""
    _, _, section = PAGE.read_text(encoding="utf-8").partition("\n## What a person needs to deploy\n")
    (found,) = re.findall(r"```json\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    policy: dict[str, list[dict[str, str]]] = json.loads(found)
    return policy


def test_policy_to_deploy_has_the_roles_that_the_cdk_assumes() -> None:
    with built() as app:
        text = "".join(path.read_text() for path in Path(app.synth().directory).glob("*.json"))
    named = set(re.findall(r'"assumeRoleArn": *"[^"]*role/(cdk-\w+-[a-z-]+-role)-', text))
    (statement,) = deploy_policy()["Statement"]
    assert statement["Action"] == "sts:AssumeRole"
    assert {re.sub(r".*role/|-\*$", "", arn) for arn in statement["Resource"]} == named
