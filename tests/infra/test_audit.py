"""The `audit` construct: what triggers it, and where its messages send a person."""

from tests.infra.synthesized import Synthesized, synthesize


def test_our_own_request_triggers_it_unless_it_is_replayed(template: Synthesized) -> None:
    rule = template.only("AWS::Events::Rule", "AuditRule")
    assert rule["EventPattern"] == {
        "source": ["lightsail-snapshots"],
        "detail-type": ["Audit Requested"],
        "replay-name": [{"exists": False}],
    }
    assert rule["EventBusName"] == template.bus


def test_messages_send_a_person_to_the_runbook_of_the_context(template: Synthesized) -> None:
    assert template.environment_of("Audit")["RUNBOOK"] == "docs/operations.md"
    own = synthesize(runbook="https://wiki.example.com/snapshots")
    assert own.environment_of("Audit")["RUNBOOK"] == "https://wiki.example.com/snapshots"
    alarm = own.only("AWS::CloudWatch::Alarm", "MonitoringAlarmsauditmissing")
    assert alarm["AlarmDescription"].endswith("https://wiki.example.com/snapshots#audit-missing")
