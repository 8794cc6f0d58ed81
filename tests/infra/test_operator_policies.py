"""The policies of docs/permissions.md allow what each command does to the stack and to snapshots, and nothing else."""

from typing import Any

import pytest

from lightsail_snapshots_cli.permissions import APART, PAGE, by_command, policy_for, with_policies
from tests.infra.simulation import Case, bus_arn, decide, events, lightsail_arn, tagging
from tests.infra.synthesized import ACCOUNT, REGION, Synthesized

SNAPSHOT, INSTANCE = lightsail_arn("InstanceSnapshot"), lightsail_arn("Instance")
OURS = {"aws:ResourceTag/managed-by": "lightsail-snapshots"}
TAG, UNTAG, DELETE = "lightsail:TagResource", "lightsail:UntagResource", "lightsail:DeleteInstanceSnapshot"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


FUNCTION, QUEUE = (
    arn("lambda", "function:LightsailSnapshots-{}Function-1"),
    arn("sqs", "LightsailSnapshots-CreateQueue-1"),
)
RULE = arn("events", "rule/lightsail-snapshots/mine")
ON: dict[str, str] = {
    "cloudformation:ListStackResources": arn("cloudformation", "stack/LightsailSnapshots/1"),
    "lambda:GetFunctionConfiguration": FUNCTION.format("Audit"),
    "scheduler:GetSchedule": arn("scheduler", "schedule/lightsail-snapshots/audit"),
    "logs:FilterLogEvents": arn("logs", "log-group:LightsailSnapshots-CreateLogs-1"),
    "events:ListTargetsByRule": RULE,
    "events:RemoveTargets": RULE,
    "events:DeleteRule": RULE,
    "events:PutEvents": bus_arn("lightsail-snapshots"),
    TAG: SNAPSHOT,
    UNTAG: SNAPSHOT,
    DELETE: SNAPSHOT,
}
"""What a command does an action to, if not to everything."""
QUEUES = {"drill": arn("sqs", "LightsailSnapshots-DrillQueue-1")}
FUNCTIONS = {"prune": "Prune", "audit": "Audit", "replay": "FanOut"}
HOLD: dict[str, Any] = {"aws:TagKeys": ["snapshot-hold"]}
CONTEXTS: dict[tuple[str, str], dict[str, Any]] = {
    ("take", "events:PutEvents"): events(("lightsail-snapshots-cli", "Instance Snapshot Requested")),
    ("hold", TAG): HOLD | {"aws:RequestTag/snapshot-hold": "true"},
    ("release", UNTAG): {"aws:TagKeys": ["Snapshot-Hold"]},
    ("adopt", TAG): tagging(managed_by="lightsail-snapshots", snapshot_keep="all"),
    ("leave", TAG): OURS | tagging(expires_at="2026-11-23T00:00:00Z"),
    ("leave", DELETE): OURS,
    ("forget", DELETE): OURS,
}
"""What IAM knows of the call that a command makes."""

DENIED: dict[str, dict[str, Case]] = {
    "hold": {
        "another tag": (TAG, SNAPSHOT, tagging(managed_by="lightsail-snapshots")),
        "an instance": (TAG, INSTANCE, HOLD),
    },
    "release": {"another tag": (UNTAG, SNAPSHOT, {"aws:TagKeys": ["managed-by"]})},
    "take": {
        "our own source": (
            "events:PutEvents",
            bus_arn("lightsail-snapshots"),
            events(("lightsail-snapshots", "Instance Snapshot Requested")),
        ),
        "to prune": (
            "events:PutEvents",
            bus_arn("lightsail-snapshots"),
            events(("lightsail-snapshots-cli", "Prune Requested")),
        ),
        "another bus": (
            "events:PutEvents",
            bus_arn("default"),
            events(("lightsail-snapshots-cli", "Instance Snapshot Requested")),
        ),
    },
    "adopt": {
        "another owner's": (
            TAG,
            SNAPSHOT,
            tagging(managed_by="lightsail-snapshots") | {"aws:ResourceTag/managed-by": "terraform"},
        ),
        "for another owner": (TAG, SNAPSHOT, tagging(managed_by="terraform")),
    },
    "forget": {
        "a person's": (DELETE, SNAPSHOT, {}),
        "one on hold": (DELETE, SNAPSHOT, OURS | {"aws:ResourceTag/snapshot-hold": "true"}),
        "an instance": ("lightsail:DeleteInstance", INSTANCE, {}),
    },
    "leave": {
        "a person's": (DELETE, SNAPSHOT, {}),
        "an expiry on a person's": (TAG, SNAPSHOT, tagging(expires_at="2026-11-23T00:00:00Z")),
        "another tag on ours": (TAG, SNAPSHOT, OURS | tagging(managed_by="me")),
        "a rule of another bus": ("events:DeleteRule", arn("events", "rule/mine"), {}),
    },
    "prune": {"another function": ("lambda:InvokeFunction", FUNCTION.format("Create"), {})},
    "audit": {"another function": ("lambda:InvokeFunction", FUNCTION.format("Prune"), {})},
    "drill": {
        "another queue": ("sqs:SendMessage", QUEUE, {}),
        "its dead letters": ("sqs:SendMessage", arn("sqs", "LightsailSnapshots-DrillDeadLetterQueue-1"), {}),
        "a message of its queue": ("sqs:DeleteMessage", QUEUES["drill"], {}),
        "an instance": (
            "lightsail:DeleteInstance",
            INSTANCE,
            {"aws:ResourceTag/managed-by": "lightsail-snapshots-drill"},
        ),
    },
    "replay": {"another stack's queue": ("sqs:DeleteMessage", arn("sqs", "orders"), {})},
    "why": {"another log": ("logs:FilterLogEvents", arn("logs", "log-group:/aws/lambda/orders"), {})},
}


def cases(command: str) -> dict[str, Case]:
    """Return each action that a command needs, on what it does it to."""
    found: dict[str, Case] = {}
    for permission in by_command()[command]:
        action = permission.action
        resource = ON.get(action, "*")
        if action == "lambda:InvokeFunction":
            resource = FUNCTION.format(FUNCTIONS[command])
        elif action.startswith("sqs:"):
            resource = QUEUES.get(command, QUEUE)
        found[action] = (action, resource, CONTEXTS.get((command, action), {}))
    return found


@pytest.mark.parametrize("command", by_command())
def test_policy_allows_what_the_command_does_and_nothing_else(command: str, template: Synthesized) -> None:
    if command in APART:
        pytest.skip(f"its cases are in tests/infra/test_{command}_policy.py")
    allowed, denied = cases(command), DENIED.get(command, {})
    expected = dict.fromkeys(allowed, "Allowed") | dict.fromkeys(denied, "ImplicitlyDenied")
    assert decide(template, policy_for(command)["Statement"], allowed | denied) == expected


def test_policies_of_the_page_are_those_of_the_commands() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_policies(text) == text, "run python -m lightsail_snapshots_cli.permissions"
    assert text.count(", generated -->") == 5
