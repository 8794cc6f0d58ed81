"""The policy for `doctor` allows each of its calls on what carries its tag, and nothing on anything else."""

from lightsail_snapshots_cli.permissions import by_command, policy_for
from tests.infra.simulation import Case, bus_arn, decide, events, lightsail_arn, tagging
from tests.infra.synthesized import ACCOUNT, REGION, Synthesized

SNAPSHOT, INSTANCE = lightsail_arn("InstanceSnapshot"), lightsail_arn("Instance")
OWNER = "lightsail-snapshots-doctor"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{OWNER}"
OWN = {"aws:ResourceTag/managed-by": OWNER}
GIVEN = tagging(managed_by=OWNER)
ON = {
    "CloseInstancePublicPorts": (INSTANCE, OWN),
    "CreateInstances": ("*", GIVEN),
    "CreateInstanceSnapshot": (INSTANCE, GIVEN),
    "CreateInstancesFromSnapshot": (SNAPSHOT, GIVEN),
    "DeleteInstance": (INSTANCE, OWN),
    "DeleteInstanceSnapshot": (SNAPSHOT, OWN),
    "StopInstance": (INSTANCE, OWN),
    "TagResource": (SNAPSHOT, GIVEN),
}
OTHERS: dict[str, Case] = {
    "cloudformation:ListStackResources": (
        "cloudformation:ListStackResources",
        f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/LightsailSnapshots/1",
        {},
    ),
    "events:PutEvents": (
        "events:PutEvents",
        bus_arn("lightsail-snapshots"),
        events(("lightsail-snapshots", "Doctor Checked")),
    ),
    "logs:FilterLogEvents": (
        "logs:FilterLogEvents",
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:LightsailSnapshots-AuditLogs-1",
        {},
    ),
}
DENIED: dict[str, Case] = {
    "an instance without the tag": ("lightsail:CreateInstances", "*", {}),
    "a snapshot without the tag": ("lightsail:CreateInstanceSnapshot", INSTANCE, {}),
    "a snapshot as ours": ("lightsail:CreateInstanceSnapshot", INSTANCE, tagging(managed_by="lightsail-snapshots")),
    "a deletion of an instance": ("lightsail:DeleteInstance", INSTANCE, {}),
    "a deletion of a clone": (
        "lightsail:DeleteInstance",
        INSTANCE,
        {"aws:ResourceTag/managed-by": "lightsail-snapshots-drill"},
    ),
    "a deletion of ours": (
        "lightsail:DeleteInstanceSnapshot",
        SNAPSHOT,
        {"aws:ResourceTag/managed-by": "lightsail-snapshots"},
    ),
    "a stop": ("lightsail:StopInstance", INSTANCE, {}),
    "ports": ("lightsail:CloseInstancePublicPorts", INSTANCE, {}),
    "a tag over another owner": (
        "lightsail:TagResource",
        SNAPSHOT,
        GIVEN | {"aws:ResourceTag/managed-by": "lightsail-snapshots"},
    ),
    "a tag on an instance": ("lightsail:TagResource", INSTANCE, GIVEN),
    "another role": ("iam:DeleteRole", f"arn:aws:iam::{ACCOUNT}:role/admin", {}),
    "to become another role": ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/admin", {}),
    "another source": (
        "events:PutEvents",
        bus_arn("lightsail-snapshots"),
        events(("tests", "Instance Snapshot Requested")),
    ),
}


def allowed() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for permission in by_command()["doctor"]:
        action = permission.action
        service, _, name = action.partition(":")
        is_of_role = service in {"iam", "sts"}
        resource, context = (
            ON.get(name, (ROLE if is_of_role else "*", {})) if action not in OTHERS else OTHERS[action][1:]
        )
        found[action] = (action, resource, context)
    return found


def test_policy_allows_what_doctor_does_and_nothing_else(template: Synthesized) -> None:
    cases = allowed()
    expected = dict.fromkeys(cases, "Allowed") | dict.fromkeys(DENIED, "ImplicitlyDenied")
    assert decide(template, policy_for("doctor")["Statement"], cases | DENIED) == expected
