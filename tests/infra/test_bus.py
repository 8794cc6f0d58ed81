"""The bus: its archive, and which other accounts may put which events (`allow_accounts` in plans.toml)."""

from typing import Any

from tests.infra.simulation import Case, bus_arn, decide, events
from tests.infra.synthesized import Synthesized

NAMED, OTHER = "111122223333", "999999999999"
PUT = "events:PutEvents"
INSTANCE, FLEET = ("my.ci", "Instance Snapshot Requested"), ("my.ci", "Fleet Snapshot Requested")
AVAILABLE = ("my.ci", "Instance Snapshot Available")
AS_US = ("lightsail-snapshots", "Instance Snapshot Requested")

ALLOWED: dict[str, Case] = {
    "request a snapshot": (PUT, bus_arn("BUS"), events(INSTANCE)),
    "request snapshots of a fleet, among others": (PUT, bus_arn("BUS"), events(INSTANCE, FLEET)),
}
DENIED: dict[str, Case] = {
    "report a usable snapshot, and so trigger copies": (PUT, bus_arn("BUS"), events(AVAILABLE)),
    "request a prune": (PUT, bus_arn("BUS"), events(("my.ci", "Prune Requested"))),
    "put any other event": (PUT, bus_arn("BUS"), events(("my.ci", "Release"))),
    "use our source": (PUT, bus_arn("BUS"), events(AS_US)),
    "hide an outcome among requests": (PUT, bus_arn("BUS"), events(INSTANCE, AVAILABLE)),
    "hide our source among others": (PUT, bus_arn("BUS"), events(INSTANCE, AS_US)),
    "put events on the default bus": (PUT, bus_arn("default"), events(INSTANCE)),
    "create a rule on the bus": ("events:PutRule", bus_arn("BUS").replace("event-bus/BUS", "rule/BUS/mine"), {}),
    "delete the bus": ("events:DeleteEventBus", bus_arn("BUS"), {}),
}
ADMIN = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]


def decisions_for(template: Synthesized, account: str) -> dict[str, Any]:
    """Return what an administrator of another account may do, by the bus's policy."""
    statement = template.only("AWS::Events::EventBusPolicy")["Statement"]
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return decide(template, ADMIN, ALLOWED | DENIED, account=account, resource_policy=policy)


def test_named_account_can_put_requests_and_nothing_else(everything: Synthesized) -> None:
    expected = dict.fromkeys(ALLOWED, "Allowed") | dict.fromkeys(DENIED, "ImplicitlyDenied")
    assert decisions_for(everything, NAMED) == expected


def test_other_account_can_do_nothing(everything: Synthesized) -> None:
    assert set(decisions_for(everything, OTHER).values()) == {"ImplicitlyDenied"}


def test_policy_names_the_accounts_of_the_file_only(everything: Synthesized) -> None:
    statement = everything.only("AWS::Events::EventBusPolicy")["Statement"]
    accounts = [f"arn:aws:iam::{account}:root" for account in (NAMED, "444455556666")]
    assert statement["Principal"] == {"AWS": accounts}


def test_bus_has_no_policy_when_no_accounts_are_allowed(template: Synthesized) -> None:
    assert template.of_type("AWS::Events::EventBusPolicy") == {}
    assert "Policy" not in template.only("AWS::Events::EventBus")


def test_archive_keeps_all_events_for_thirty_days(template: Synthesized) -> None:
    archive = template.only("AWS::Events::Archive")
    assert archive["SourceArn"] == template.arn(template.bus)
    assert archive["RetentionDays"] == 30
    assert "EventPattern" not in archive


def test_bus_and_archive_share_a_name_so_that_both_are_replaced_together(template: Synthesized) -> None:
    assert template.only("AWS::Events::EventBus")["Name"] == "lightsail-snapshots"
    assert template.only("AWS::Events::Archive")["ArchiveName"] == "lightsail-snapshots"
