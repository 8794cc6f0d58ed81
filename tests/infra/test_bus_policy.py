"""Who else may put events on the bus, and which: `allow_accounts` in plans.toml."""

from typing import Any

import pytest

from tests.infra.simulation import Case, bus_arn, decide, events
from tests.infra.synthesized import Synthesized

NAMED, UNTAGGED = "111122223333", "999999999999"
PUT = "events:PutEvents"
INSTANCE, FLEET = ("my.ci", "Instance Snapshot Requested"), ("my.ci", "Fleet Snapshot Requested")
AVAILABLE = ("my.ci", "Instance Snapshot Available")
IN_OUR_NAME = ("lightsail-snapshots", "Instance Snapshot Requested")

ALLOWED: dict[str, Case] = {
    "ask for a snapshot": (PUT, bus_arn("BUS"), events(INSTANCE)),
    "ask for snapshots of a fleet, among others": (PUT, bus_arn("BUS"), events(INSTANCE, FLEET)),
}
DENIED: dict[str, Case] = {
    "say that a snapshot is usable, and so start copies": (PUT, bus_arn("BUS"), events(AVAILABLE)),
    "let snapshots be deleted": (PUT, bus_arn("BUS"), events(("my.ci", "Prune Requested"))),
    "put any other event": (PUT, bus_arn("BUS"), events(("my.ci", "Release"))),
    "speak in our name": (PUT, bus_arn("BUS"), events(IN_OUR_NAME)),
    "hide it among what is allowed": (PUT, bus_arn("BUS"), events(INSTANCE, AVAILABLE)),
    "speak in our name among others": (PUT, bus_arn("BUS"), events(INSTANCE, IN_OUR_NAME)),
    "put events on the default bus": (PUT, bus_arn("default"), events(INSTANCE)),
    "make a rule on the bus": ("events:PutRule", bus_arn("BUS").replace("event-bus/BUS", "rule/BUS/mine"), {}),
    "delete the bus": ("events:DeleteEventBus", bus_arn("BUS"), {}),
}
ADMIN = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]


def decisions_for(template: Synthesized, account: str) -> dict[str, Any]:
    """Return what an administrator of another account may do, by the bus's policy."""
    statement = template.only("AWS::Events::EventBusPolicy")["Statement"]
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return decide(template, ADMIN, ALLOWED | DENIED, account=account, resource_policy=policy)


@pytest.fixture(scope="session")
def decisions(everything: Synthesized) -> dict[str, Any]:
    return decisions_for(everything, NAMED)


@pytest.mark.parametrize("deed", ALLOWED)
def test_a_named_account_can(deed: str, decisions: dict[str, Any]) -> None:
    assert decisions[deed] == "Allowed"


@pytest.mark.parametrize("deed", DENIED)
def test_a_named_account_cannot(deed: str, decisions: dict[str, Any]) -> None:
    assert decisions[deed] == "ImplicitlyDenied"


def test_any_other_account_can_do_nothing(everything: Synthesized) -> None:
    assert set(decisions_for(everything, UNTAGGED).values()) == {"ImplicitlyDenied"}


def test_each_account_in_the_file_is_named_and_nobody_else(everything: Synthesized) -> None:
    statement = everything.only("AWS::Events::EventBusPolicy")["Statement"]
    accounts = [f"arn:aws:iam::{account}:root" for account in (NAMED, "444455556666")]
    assert statement["Principal"] == {"AWS": accounts}


def test_without_accounts_there_is_no_policy_at_all(template: Synthesized) -> None:
    assert template.of_type("AWS::Events::EventBusPolicy") == {}
