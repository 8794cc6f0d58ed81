"""What each role can and cannot do, by IAM's own decision. The cases are in `roles`."""

from typing import Any

import pytest

from tests.infra.roles import audit, copy, create, drill, fan_out, notify, prune, schedules
from tests.infra.simulation import Case, actions_of, decide, in_region, lightsail_arn, statements_of, tagging
from tests.infra.synthesized import Synthesized, without_hash

ROLES: dict[str, tuple[Any, str, str]] = {  # the cases, the construct, and the stack that it is from
    "audit": (audit, "Audit", "with_copies"),
    "copy": (copy, "Copy", "with_copies"),
    "create": (create, "Create", "two_regions"),
    "drill": (drill, "Drill", "with_drill"),
    "fan_out": (fan_out, "FanOut", "two_regions"),
    "notify": (notify, "Notify", "everything"),
    "prune": (prune, "Prune", "with_copies"),
    "schedules": (schedules, "Schedules", "with_copies"),
}


@pytest.mark.parametrize("role", ROLES)
def test_role_can_do_what_it_must_and_nothing_else(
    role: str,
    two_regions: Synthesized,
    with_copies: Synthesized,
    with_drill: Synthesized,
    everything: Synthesized,
) -> None:
    cases, construct, stack = ROLES[role]
    stacks = {"two_regions": two_regions, "with_copies": with_copies, "with_drill": with_drill}
    template = (stacks | {"everything": everything})[stack]
    statements = statements_of(template, construct)
    expected = dict.fromkeys(cases.ALLOWED, "Allowed") | dict.fromkeys(cases.DENIED, "ImplicitlyDenied")
    assert decide(template, statements, cases.ALLOWED | cases.DENIED) == expected
    assert actions_of(statements) == cases.ACTIONS, "each by its name"


def test_stack_has_no_other_role(with_drill: Synthesized) -> None:
    roles = {without_hash(name) for name in with_drill.of_type("AWS::IAM::Role")}
    assert roles == {f"{construct}Role" for _, construct, _ in ROLES.values()}


SNAPSHOT, OURS = lightsail_arn("InstanceSnapshot", "eu-west-1"), tagging(managed_by="lightsail-snapshots")
OTHER_OWNERS: dict[str, Case] = {
    f"{action} on {whose}": (f"lightsail:{action}", SNAPSHOT, OURS | {"aws:TagKeys": ["managed-by"]} | tags)
    for whose, tags in (("terraform's", {"aws:ResourceTag/managed-by": "terraform"}), ("an untagged one", {}))
    for action in ("DeleteInstanceSnapshot", "TagResource", "UntagResource", "ExportSnapshot")
}
COPY: dict[str, Case] = {"CopySnapshot": ("lightsail:CopySnapshot", "*", in_region("eu-west-1"))}
UNTAGGED = {"TagResource on an untagged one"}
EXCEPTIONS = {"copy": UNTAGGED | {"CopySnapshot"}}
"""IAM cannot forbid these: CopySnapshot has no condition keys, and a new copy has no tags (docs/permissions.md)."""


@pytest.mark.parametrize("role", ROLES)
def test_role_cannot_tag_or_delete_what_is_not_ours(role: str, with_drill: Synthesized) -> None:
    statements = statements_of(with_drill, ROLES[role][1])
    decisions = decide(with_drill, statements, OTHER_OWNERS | COPY)
    allowed = {case for case, decision in decisions.items() if decision == "Allowed"}
    assert allowed == EXCEPTIONS.get(role, set())


def test_create_can_tag_untagged_snapshots_where_instances_are(with_copies: Synthesized) -> None:
    home = lightsail_arn("InstanceSnapshot", "eu-central-1")
    cases = {case: (action, home, context) for case, (action, _, context) in OTHER_OWNERS.items()}
    decisions = decide(with_copies, statements_of(with_copies, "Create"), cases)
    assert {case for case, decision in decisions.items() if decision == "Allowed"} == UNTAGGED
