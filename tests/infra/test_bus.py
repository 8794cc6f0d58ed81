"""The bus: its archive, who may use our source, and which other accounts may put which events (`allow_accounts`)."""

import json
from typing import Any

import pytest

from tests.infra.roles import audit, copy, create, fan_out, prune, schedules
from tests.infra.simulation import Case, bus_arn, decide, events, statements_of
from tests.infra.synthesized import ACCOUNT, Synthesized, synthesize

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
    "hide an outcome among requests": (PUT, bus_arn("BUS"), events(INSTANCE, AVAILABLE)),
    "put events on the default bus": (PUT, bus_arn("default"), events(INSTANCE)),
    "create a rule on the bus": ("events:PutRule", bus_arn("BUS").replace("event-bus/BUS", "rule/BUS/mine"), {}),
    "delete the bus": ("events:DeleteEventBus", bus_arn("BUS"), {}),
}
FORGED: dict[str, Case] = {
    "use our source": (PUT, bus_arn("BUS"), events(AS_US)),
    "request a prune as we do": (PUT, bus_arn("BUS"), events(("lightsail-snapshots", "Prune Requested"))),
    "hide our source among others": (PUT, bus_arn("BUS"), events(INSTANCE, AS_US)),
}
ADMIN = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
PUBLISHERS: dict[str, Any] = {
    "Audit": audit,
    "Copy": copy,
    "Create": create,
    "FanOut": fan_out,
    "Prune": prune,
    "Schedules": schedules,
}


def bus_policy(template: Synthesized) -> dict[str, Any]:
    """Return the policy of the bus, as EventBridge joins it from the statements of the template."""
    policies = template.of_type("AWS::Events::EventBusPolicy").values()
    statements = [{"Sid": policy["StatementId"], **policy["Statement"]} for policy in policies]
    return {"Version": "2012-10-17", "Statement": statements}


def decisions_for(template: Synthesized, principal: str) -> dict[str, Any]:
    """Return what a principal may do whose own policies allow everything."""
    cases = ALLOWED | DENIED | FORGED
    principals = dict.fromkeys(cases, principal)
    return decide(template, ADMIN, cases, principals=principals, resource_policy=bus_policy(template))


@pytest.mark.parametrize("construct", PUBLISHERS)
def test_role_of_the_stack_can_put_its_events_with_our_source(construct: str, with_copies: Synthesized) -> None:
    role = with_copies.id_of("AWS::IAM::Role", construct)
    cases = {name: case for name, case in PUBLISHERS[construct].ALLOWED.items() if case[0] == PUT}
    principals = dict.fromkeys(cases, f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/any-session")
    statements, policy = statements_of(with_copies, construct), bus_policy(with_copies)
    decisions = decide(with_copies, statements, cases, principals=principals, resource_policy=policy)
    assert decisions == dict.fromkeys(cases, "Allowed")
    assert cases


def test_nobody_else_can_use_our_source_when_their_policies_allow_it(everything: Synthesized) -> None:
    role = everything.id_of("AWS::IAM::Role", "Create")
    strangers = [
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:iam::{ACCOUNT}:user/admin",
        f"arn:aws:iam::{ACCOUNT}:user/{role}",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/{role}",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}2/session",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.lower()}/session",
        f"arn:aws:sts::{ACCOUNT}:federated-user/{role}",
        f"arn:aws:sts::{NAMED}:assumed-role/{role}/session",
        f"arn:aws:iam::{NAMED}:user/admin",
        f"arn:aws:iam::{OTHER}:root",
    ]
    who = {f"{what} as {stranger}": (stranger, case) for stranger in strangers for what, case in FORGED.items()}
    decisions = decide(
        everything,
        ADMIN,
        {name: case for name, (_, case) in who.items()},
        principals={name: stranger for name, (stranger, _) in who.items()},
        resource_policy=bus_policy(everything),
    )
    assert decisions == dict.fromkeys(who, "ExplicitlyDenied")


def test_administrator_of_the_account_can_put_events_of_other_sources(everything: Synthesized) -> None:
    decisions = decisions_for(everything, f"arn:aws:iam::{ACCOUNT}:user/admin")
    assert decisions == dict.fromkeys(ALLOWED | DENIED, "Allowed") | dict.fromkeys(FORGED, "ExplicitlyDenied")


def test_named_account_can_put_requests_and_nothing_else(everything: Synthesized) -> None:
    expected = dict.fromkeys(ALLOWED, "Allowed") | dict.fromkeys(DENIED, "ImplicitlyDenied")
    expected |= dict.fromkeys(FORGED, "ExplicitlyDenied")
    assert decisions_for(everything, f"arn:aws:iam::{NAMED}:user/admin") == expected


def test_other_account_can_do_nothing(everything: Synthesized) -> None:
    decisions = decisions_for(everything, f"arn:aws:iam::{OTHER}:user/admin")
    assert set(decisions.values()) == {"ImplicitlyDenied", "ExplicitlyDenied"}


def test_policy_names_the_accounts_of_the_file_only(everything: Synthesized) -> None:
    principals = [statement["Principal"] for statement in bus_policy(everything)["Statement"]]
    accounts = [f"arn:aws:iam::{account}:root" for account in (NAMED, "444455556666")]
    assert principals == ["*", {"AWS": accounts}]


def test_policy_only_denies_when_no_accounts_are_allowed(template: Synthesized) -> None:
    assert [statement["Effect"] for statement in bus_policy(template)["Statement"]] == ["Deny"]
    assert "Policy" not in template.only("AWS::Events::EventBus")


def test_policy_with_a_hundred_accounts_fits_into_ten_kilobytes() -> None:
    accounts = [f"{number:012}" for number in range(100)]
    policy = bus_policy(synthesize(f"allow_accounts = {json.dumps(accounts)}\n"))
    longest_role = f"arn:aws-us-gov:iam::{ACCOUNT}:role/{'r' * 64}"
    policy["Statement"][0]["Condition"]["StringNotEquals"]["aws:PrincipalArn"] = [longest_role] * len(PUBLISHERS)
    assert len(json.dumps(policy)) < 10_240


def test_functions_and_schedules_depend_on_the_policy(everything: Synthesized) -> None:
    (deny,) = (name for name in everything.of_type("AWS::Events::EventBusPolicy") if "Source" in name)
    publishing = {"AWS::Lambda::Function", "AWS::Scheduler::Schedule"}
    resources = everything.document["Resources"]
    independent = [
        name
        for name, resource in resources.items()
        if resource["Type"] in publishing and deny not in resource.get("DependsOn", [])
    ]
    assert independent == []


def test_archive_keeps_all_events_for_thirty_days(template: Synthesized) -> None:
    archive = template.only("AWS::Events::Archive")
    assert archive["SourceArn"] == template.arn(template.bus)
    assert archive["RetentionDays"] == 30
    assert "EventPattern" not in archive


def test_bus_and_archive_share_a_name_so_that_both_are_replaced_together(template: Synthesized) -> None:
    assert template.only("AWS::Events::EventBus")["Name"] == "lightsail-snapshots"
    assert template.only("AWS::Events::Archive")["ArchiveName"] == "lightsail-snapshots"
