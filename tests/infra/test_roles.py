"""What each role can and cannot do, by IAM's own decision; the deeds of each are in `roles`."""

from typing import Any

import pytest

from tests.infra.roles import audit, copy, create, fan_out, prune, schedules
from tests.infra.simulation import decide, statements_of
from tests.infra.synthesized import Synthesized

ROLES = {"audit": audit, "copy": copy, "create": create, "fan_out": fan_out, "prune": prune, "schedules": schedules}


@pytest.fixture(scope="session")
def decisions(two_regions: Synthesized, with_copies: Synthesized) -> dict[str, dict[str, Any]]:
    """IAM's decisions on all deeds, by role: one process of Node.js for each."""
    constructs = {
        "audit": (with_copies, "Audit"),
        "copy": (with_copies, "Copy"),
        "create": (two_regions, "Create"),
        "fan_out": (two_regions, "FanOut"),
        "prune": (with_copies, "Prune"),
        "schedules": (two_regions, "Schedules"),
    }
    return {
        role: decide(template, statements_of(template, construct), ROLES[role].ALLOWED | ROLES[role].DENIED)
        for role, (template, construct) in constructs.items()
    }


@pytest.mark.parametrize(("role", "deed"), [(role, deed) for role in ROLES for deed in ROLES[role].ALLOWED])
def test_the_role_can(role: str, deed: str, decisions: dict[str, dict[str, Any]]) -> None:
    assert decisions[role][deed] == "Allowed"


@pytest.mark.parametrize(("role", "deed"), [(role, deed) for role in ROLES for deed in ROLES[role].DENIED])
def test_the_role_cannot(role: str, deed: str, decisions: dict[str, dict[str, Any]]) -> None:
    assert decisions[role][deed] == "ImplicitlyDenied"


def test_there_is_no_other_role(with_copies: Synthesized) -> None:
    roles = {name.removesuffix(name[-8:]) for name in with_copies.of_type("AWS::IAM::Role")}  # the CDK's hash
    assert roles == {"AuditRole", "CopyRole", "CreateRole", "FanOutRole", "PruneRole", "SchedulesRole"}
