"""What each role can and cannot do, by IAM's own decision. The cases are in `roles`."""

from typing import Any

import pytest

from tests.infra.roles import audit, copy, create, fan_out, prune, schedules
from tests.infra.simulation import actions_of, decide, statements_of
from tests.infra.synthesized import Synthesized, without_hash

ROLES: dict[str, tuple[Any, str, str]] = {  # the cases, the construct, and the stack that it is from
    "audit": (audit, "Audit", "with_copies"),
    "copy": (copy, "Copy", "with_copies"),
    "create": (create, "Create", "two_regions"),
    "fan_out": (fan_out, "FanOut", "two_regions"),
    "prune": (prune, "Prune", "with_copies"),
    "schedules": (schedules, "Schedules", "with_copies"),
}


@pytest.mark.parametrize("role", ROLES)
def test_role_can_do_what_it_must_and_nothing_else(
    role: str, two_regions: Synthesized, with_copies: Synthesized
) -> None:
    cases, construct, stack = ROLES[role]
    template = {"two_regions": two_regions, "with_copies": with_copies}[stack]
    statements = statements_of(template, construct)
    expected = dict.fromkeys(cases.ALLOWED, "Allowed") | dict.fromkeys(cases.DENIED, "ImplicitlyDenied")
    assert decide(template, statements, cases.ALLOWED | cases.DENIED) == expected
    assert actions_of(statements) == cases.ACTIONS, "each by its name"


def test_stack_has_no_other_role(with_copies: Synthesized) -> None:
    roles = {without_hash(name) for name in with_copies.of_type("AWS::IAM::Role")}
    assert roles == {f"{construct}Role" for _, construct, _ in ROLES.values()}
