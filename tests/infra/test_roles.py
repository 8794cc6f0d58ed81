"""What each role can and cannot do, by IAM's own decision; its actions and its deeds are in `roles`."""

from typing import Any

import pytest

from tests.infra.roles import audit, copy, create, fan_out, prune, schedules
from tests.infra.simulation import actions_of, decide, statements_of
from tests.infra.synthesized import Synthesized

ROLES = {"audit": audit, "copy": copy, "create": create, "fan_out": fan_out, "prune": prune, "schedules": schedules}


@pytest.fixture(scope="session")
def granted(two_regions: Synthesized, with_copies: Synthesized) -> dict[str, tuple[Synthesized, list[dict[str, Any]]]]:
    """The statements of each role, and the stack that they are from."""
    constructs = {
        "audit": (with_copies, "Audit"),
        "copy": (with_copies, "Copy"),
        "create": (two_regions, "Create"),
        "fan_out": (two_regions, "FanOut"),
        "prune": (with_copies, "Prune"),
        "schedules": (two_regions, "Schedules"),
    }
    return {role: (stack, statements_of(stack, construct)) for role, (stack, construct) in constructs.items()}


@pytest.fixture(scope="session")
def decisions(granted: dict[str, tuple[Synthesized, list[dict[str, Any]]]]) -> dict[str, dict[str, Any]]:
    """IAM's decisions on all deeds, by role: one process of Node.js for each."""
    return {
        role: decide(stack, statements, ROLES[role].ALLOWED | ROLES[role].DENIED)
        for role, (stack, statements) in granted.items()
    }


@pytest.mark.parametrize(("role", "deed"), [(role, deed) for role in ROLES for deed in ROLES[role].ALLOWED])
def test_the_role_can(role: str, deed: str, decisions: dict[str, dict[str, Any]]) -> None:
    assert decisions[role][deed] == "Allowed"


@pytest.mark.parametrize(("role", "deed"), [(role, deed) for role in ROLES for deed in ROLES[role].DENIED])
def test_the_role_cannot(role: str, deed: str, decisions: dict[str, dict[str, Any]]) -> None:
    assert decisions[role][deed] == "ImplicitlyDenied"


@pytest.mark.parametrize("role", ROLES)
def test_the_role_is_granted_these_actions_alone_and_none_by_wildcard(
    role: str, granted: dict[str, tuple[Synthesized, list[dict[str, Any]]]]
) -> None:
    _, statements = granted[role]
    assert actions_of(statements) == ROLES[role].ACTIONS


def test_there_is_no_other_role(with_copies: Synthesized) -> None:
    roles = {name.removesuffix(name[-8:]) for name in with_copies.of_type("AWS::IAM::Role")}  # the CDK's hash
    assert roles == {"AuditRole", "CopyRole", "CreateRole", "FanOutRole", "PruneRole", "SchedulesRole"}
