"""What a person needs to run each command: IAM policies, made from what the commands say that they call.

    python -m lightsail_snapshots_cli.permissions take status     # prints the policy for these two

In a clone, without arguments, it writes them into docs/permissions.md.
"""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from lightsail_snapshots.naming import HOLD_KEY, MANAGED_BY, MANAGED_BY_KEY
from lightsail_snapshots.reader import suggestion
from lightsail_snapshots_cli.main import MODULES

PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"
_GENERATED = re.compile(r"(<!-- (\w+), generated -->\n).*?(?=<!-- end -->)", re.DOTALL)

STACK = "arn:aws:cloudformation:*:*:stack/LightsailSnapshots/*"
FUNCTIONS = "arn:aws:lambda:*:*:function:LightsailSnapshots-*"
LOG_GROUPS = "arn:aws:logs:*:*:log-group:LightsailSnapshots-*"
QUEUES = "arn:aws:sqs:*:*:LightsailSnapshots-*"
SCHEDULES = "arn:aws:scheduler:*:*:schedule/lightsail-snapshots/*"
BUS = "arn:aws:events:*:*:event-bus/lightsail-snapshots"
RULES = "arn:aws:events:*:*:rule/lightsail-snapshots/*"
ALL_RULES = "arn:aws:events:*:*:rule/*"
SNAPSHOTS = "arn:aws:lightsail:*:*:InstanceSnapshot/*"

APART = ("restore", "doctor")
"""Commands that may create instances."""

Conditions = Mapping[str, Mapping[str, str | Sequence[str]]]


@dataclass(frozen=True)
class Permission:
    """One action that a command calls, and on what."""

    action: str
    resource: str = "*"
    conditions: Conditions = field(default_factory=dict)


def tagging(*keys: str) -> Conditions:
    """Return the conditions under which a call can set or remove only tags with these keys, in any case of letters."""
    return {"ForAllValues:StringEqualsIgnoreCase": {"aws:TagKeys": list(keys)}}


def may_invoke(capability: str) -> Permission:
    """Return the permission to invoke the function of a capability, such as `Prune`."""
    return Permission("lambda:InvokeFunction", f"arn:aws:lambda:*:*:function:LightsailSnapshots-{capability}*")


OURS = {f"aws:ResourceTag/{MANAGED_BY_KEY}": MANAGED_BY}
READ_DEPLOYMENT = (
    Permission("cloudformation:ListStackResources", STACK),
    Permission("lambda:GetFunctionConfiguration", FUNCTIONS),
    Permission("scheduler:GetSchedule", SCHEDULES),
)
READ_INSTANCE = Permission("lightsail:GetInstance")
READ_SNAPSHOT = Permission("lightsail:GetInstanceSnapshot")
LIST_INSTANCES = Permission("lightsail:GetInstances")
LIST_SNAPSHOTS = Permission("lightsail:GetInstanceSnapshots")
LIST_DISKS = Permission("lightsail:GetDisks")
LIST_DATABASES = Permission("lightsail:GetRelationalDatabases")
DELETE_OURS = Permission(
    "lightsail:DeleteInstanceSnapshot",
    SNAPSHOTS,
    {"StringEquals": OURS, "Null": {f"aws:ResourceTag/{HOLD_KEY}": "true"}},
)


def by_command() -> dict[str, tuple[Permission, ...]]:
    """Return what each command needs, in the order of the help."""
    found = {name: import_module(f"lightsail_snapshots_cli.{module}").PERMISSIONS for name, module in MODULES.items()}
    return {name: tuple(permissions[name]) for name, permissions in found.items()}


def policy(permissions: Iterable[Permission]) -> dict[str, Any]:
    """Return the IAM policy that allows all of these, and nothing else."""
    statements: dict[str, list[Permission]] = defaultdict(list)
    for each in permissions:
        alike = statements[json.dumps([each.resource, each.conditions])]
        if each not in alike:
            alike.append(each)
    return {"Version": "2012-10-17", "Statement": [_statement(alike) for alike in statements.values()]}


def policy_for(*commands: str) -> dict[str, Any]:
    """Return the IAM policy for some commands."""
    permissions = by_command()
    return policy(each for command in commands for each in permissions[command])


def _statement(alike: Sequence[Permission]) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Action": sorted(each.action for each in alike),
        "Resource": alike[0].resource,
        **({"Condition": dict(alike[0].conditions)} if alike[0].conditions else {}),
    }


def with_policies(text: str) -> str:
    """Return docs/permissions.md with what is between its markers made anew."""
    commands = by_command()
    parts = {
        "commands": _table(commands),
        "gate": _block("take"),
        "operator": _block(*(each for each in commands if each not in APART)),
        **{command: _block(command) for command in APART},
    }
    return _GENERATED.sub(lambda match: match[1] + parts[match[2]], text)


def _table(commands: Mapping[str, Sequence[Permission]]) -> str:
    rows = [
        f"| `{name}` | {', '.join(sorted({each.action for each in permissions}))} |"
        for name, permissions in commands.items()
    ]
    return "\n".join(["", "| command | actions |", "|---|---|", *rows, "", ""])


def _block(*commands: str) -> str:
    return f"\n```json\n{json.dumps(policy_for(*commands), indent=2)}\n```\n\n"


def main(commands: Sequence[str]) -> None:
    """Print the policy of these commands; without any, write all of docs/permissions.md."""
    if unknown := [each for each in commands if each not in MODULES]:
        sys.exit(f"There is no command {unknown[0]}; {suggestion(unknown[0], list(MODULES))}")
    if commands or not PAGE.exists():  # a wheel has no page
        sys.stdout.write(json.dumps(policy_for(*commands or MODULES), indent=2) + "\n")
    else:
        PAGE.write_text(with_policies(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
