"""The `notify` construct: which events reach it, by EventBridge's semantics, and what watches it."""

import json
from typing import Any

import pytest
from moto.events.models import EventPattern

from lightsail_snapshots.events import DETAIL_TYPES, SOURCE
from lightsail_snapshots.messages import ALARM_STATE_CHANGE, MESSAGES
from tests.infra.simulation import Case, decide, statements_of
from tests.infra.synthesized import ACCOUNT, REGION, Synthesized, synthesize
from tests.support.events import example, requested

RULE = "AWS::Events::Rule"
CHAT = 'chat = { webhook_parameter = "/lightsail-snapshots/chat" }\n'


def matches(template: Synthesized, rule: str, event: dict[str, Any]) -> bool:
    pattern = template.only(RULE, f"Notify{rule}")["EventPattern"]
    matcher: Any = EventPattern.load(json.dumps(pattern))
    return bool(matcher.matches_event(event))


def alarm(name: str, state: str, before: str, account: str = ACCOUNT) -> dict[str, Any]:
    return {
        "detail-type": ALARM_STATE_CHANGE,
        "source": "aws.cloudwatch",
        "resources": [f"arn:aws:cloudwatch:{REGION}:{account}:alarm:{name}"],
        "detail": {"alarmName": name, "state": {"value": state}, "previousState": {"value": before}},
    }


@pytest.mark.parametrize("detail_type", DETAIL_TYPES)
def test_our_own_event_reaches_it_if_there_is_a_message_about_it(detail_type: str, template: Synthesized) -> None:
    event = example(detail_type) | {"source": SOURCE}
    assert matches(template, "Rule", event) == (detail_type in MESSAGES)
    assert not matches(template, "Rule", event | {"replay-name": "again"})
    assert not matches(template, "Rule", event | {"source": "my.ci"})


def test_these_events_of_ours_have_messages() -> None:
    assert set(MESSAGES) == {
        "Instance Snapshot Failed",
        "Instances Unprotected",
        "Prune Refused",
        "Recovery Point Overdue",
        "Request Rejected",
        "Restore Drill Failed",
        "Restore Proof Overdue",
    }


@pytest.mark.parametrize("detail_type", DETAIL_TYPES)
def test_event_with_a_detail_type_of_ours_is_not_unknown(detail_type: str, template: Synthesized) -> None:
    for source in (SOURCE, "my.ci"):
        assert not matches(template, "UnknownRule", example(detail_type) | {"source": source})


def test_event_of_others_with_a_misspelt_detail_type_is_unknown(template: Synthesized) -> None:
    event = requested(**{"detail-type": "Instance snapshot Requested"})
    assert matches(template, "UnknownRule", event)
    assert not matches(template, "UnknownRule", event | {"source": SOURCE})
    assert not matches(template, "UnknownRule", event | {"replay-name": "again"})


def test_rules_are_on_our_bus_but_for_alarms(everything: Synthesized) -> None:
    buses = {rule: everything.only(RULE, f"Notify{rule}").get("EventBusName") for rule in ("Rule", "UnknownRule")}
    assert buses == dict.fromkeys(buses, everything.bus)
    assert "EventBusName" not in everything.only(RULE, "NotifyAlarmRule")


def test_alarm_that_goes_off_or_is_over_reaches_the_chat(everything: Synthesized) -> None:
    for state, before in (("ALARM", "OK"), ("ALARM", "INSUFFICIENT_DATA"), ("OK", "ALARM")):
        assert matches(everything, "AlarmRule", alarm("lightsail-snapshots-overdue-daily", state, before))


def test_first_ok_of_a_new_alarm_does_not_reach_the_chat(everything: Synthesized) -> None:
    new = alarm("lightsail-snapshots-overdue-daily", "OK", "INSUFFICIENT_DATA")
    assert not matches(everything, "AlarmRule", new)


def test_alarm_about_itself_or_of_others_does_not_reach_the_chat(everything: Synthesized) -> None:
    names = [each["AlarmName"] for each in everything.of_type("AWS::CloudWatch::Alarm").values()]
    heard = {name for name in names if matches(everything, "AlarmRule", alarm(name, "ALARM", "OK"))}
    assert set(names) - heard == {"lightsail-snapshots-chat-failed", "lightsail-snapshots-dead-letters-notify"}
    assert not matches(everything, "AlarmRule", alarm("billing", "ALARM", "OK"))
    assert not matches(everything, "AlarmRule", alarm("lightsail-snapshots-x", "ALARM", "OK", account="999999999999"))


def test_without_a_chat_nothing_of_it_is_there(template: Synthesized) -> None:
    rules = [name for name in template.of_type(RULE) if name.startswith("NotifyAlarmRule")]
    names = {each["AlarmName"] for each in template.of_type("AWS::CloudWatch::Alarm").values()}
    assert (rules, "lightsail-snapshots-chat-failed" in names) == ([], False)
    assert "CHAT_PARAMETER" not in template.environment_of("Notify")
    assert "ssm:" not in json.dumps(template.document)


def test_parameter_is_a_name_in_the_template_and_never_a_value() -> None:
    template = synthesize(CHAT)
    assert template.environment_of("Notify")["CHAT_PARAMETER"] == "/lightsail-snapshots/chat"
    assert "resolve:ssm" not in json.dumps(template.document)


def test_role_can_use_the_key_of_the_topic_and_no_other_role_can(everything: Synthesized) -> None:
    key = everything.arn(everything.id_of("AWS::KMS::Key"))
    policy = everything.only("AWS::KMS::Key")["KeyPolicy"]
    cases: dict[str, Case] = {action: (f"kms:{action}", key, {}) for action in ("GenerateDataKey", "Decrypt")}
    for construct, decision in (("Notify", "Allowed"), ("Audit", "ImplicitlyDenied")):
        statements = statements_of(everything, construct)
        decisions = decide(everything, statements, cases, resource_policy=policy)
        assert decisions == dict.fromkeys(cases, decision)


def test_messages_send_a_person_to_the_runbook_of_the_context() -> None:
    own = synthesize(runbook="https://wiki.example.com/snapshots")
    assert own.environment_of("Notify")["RUNBOOK"] == "https://wiki.example.com/snapshots"


def test_alarms_about_it_go_to_the_topic_directly(everything: Synthesized) -> None:
    topic = everything.arn(everything.id_of("AWS::SNS::Topic"))
    alarms = {each["AlarmName"]: each for each in everything.of_type("AWS::CloudWatch::Alarm").values()}
    for name in ("chat-failed", "dead-letters-notify"):
        assert alarms[f"lightsail-snapshots-{name}"]["AlarmActions"] == [topic]
