"""The policy for `restore` allows each of its calls, and neither deletes nor changes anything else."""

from lightsail_snapshots_cli.permissions import by_command, policy_for
from tests.infra.simulation import Case, decide, lightsail_arn, tagging
from tests.infra.synthesized import Synthesized

SNAPSHOT, INSTANCE, STATIC_IP = (lightsail_arn(each) for each in ("InstanceSnapshot", "Instance", "StaticIp"))
ATTACH = "lightsail:AttachStaticIp"
ALLOWED: dict[str, Case] = {
    each.action: (each.action, "*", {}) for each in by_command()["restore"] if each.resource == "*"
} | {
    "create": ("lightsail:CreateInstancesFromSnapshot", SNAPSHOT, tagging(env="prod")),
    "open ports": ("lightsail:PutInstancePublicPorts", INSTANCE, {}),
    "attach to an instance": (ATTACH, INSTANCE, {}),
    "attach a static IP": (ATTACH, STATIC_IP, {}),
    "detach a static IP": ("lightsail:DetachStaticIp", STATIC_IP, {}),
}
DENIED: dict[str, Case] = {
    "delete an instance": ("lightsail:DeleteInstance", INSTANCE, {}),
    "stop an instance": ("lightsail:StopInstance", INSTANCE, {}),
    "delete a snapshot": ("lightsail:DeleteInstanceSnapshot", SNAPSHOT, {}),
    "release a static IP": ("lightsail:ReleaseStaticIp", STATIC_IP, {}),
    "tag a snapshot": ("lightsail:TagResource", SNAPSHOT, tagging(managed_by="lightsail-snapshots")),
    "read a password": ("lightsail:GetInstanceAccessDetails", INSTANCE, {}),
}


def test_policy_allows_what_restore_does_and_nothing_else(template: Synthesized) -> None:
    expected = dict.fromkeys(ALLOWED, "Allowed") | dict.fromkeys(DENIED, "ImplicitlyDenied")
    assert decide(template, policy_for("restore")["Statement"], ALLOWED | DENIED) == expected
    assert {action for action, _, _ in ALLOWED.values()} == {each.action for each in by_command()["restore"]}
