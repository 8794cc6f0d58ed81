"""The heartbeat: each completed audit calls an address outside AWS."""

import json

import pytest

from tests.infra.simulation import Case, actions_of, decide, statements_of
from tests.infra.synthesized import Synthesized, synthesize

URL = "https://hc-ping.com/0f8b2bd1-3f5c-4b2a-9d55-2b6a3b1c7e90"
DESTINATION, RULE = "AWS::Events::ApiDestination", "AWS::Events::Rule"
ARN = "arn:aws:events:eu-central-1:123456789012:api-destination/lightsail-snapshots-heartbeat/0f8b2bd1"


@pytest.fixture(scope="module")
def beating() -> Synthesized:
    return synthesize(f'heartbeat = "{URL}"')


def test_stack_has_no_destination_without_a_heartbeat(template: Synthesized) -> None:
    assert template.of_type(DESTINATION) == template.of_type("AWS::Events::Connection") == {}


def test_only_a_completed_audit_calls_the_address(beating: Synthesized) -> None:
    rule = beating.only(RULE, "MonitoringHeartbeat")
    assert rule["EventPattern"] == {
        "source": ["lightsail-snapshots"],
        "detail-type": ["Audit Completed"],
        "replay-name": [{"exists": False}],
    }
    assert rule["EventBusName"] == beating.bus
    destination = beating.only(DESTINATION)
    assert (destination["HttpMethod"], destination["InvocationEndpoint"]) == ("POST", URL)


def test_call_says_nothing_about_the_account_and_its_instances(beating: Synthesized) -> None:
    [target] = beating.only(RULE, "MonitoringHeartbeat")["Targets"]
    assert target["InputTransformer"]["InputPathsMap"] == {"auditedAt": "$.detail.auditedAt"}
    assert json.loads(target["InputTransformer"]["InputTemplate"].replace("<auditedAt>", '"2026-11-23T06:20:00Z"')) == {
        "event": "Audit Completed",
        "auditedAt": "2026-11-23T06:20:00Z",
    }


def test_call_is_retried_for_an_hour_and_then_dropped(beating: Synthesized) -> None:
    [target] = beating.only(RULE, "MonitoringHeartbeat")["Targets"]
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 3600
    assert "DeadLetterConfig" not in target


def test_role_can_only_call_that_destination(beating: Synthesized) -> None:
    statements = statements_of(beating, "MonitoringHeartbeat")
    assert actions_of(statements) == {"events:InvokeApiDestination"}
    [statement] = statements
    assert statement["Resource"] == beating.arn(beating.id_of(DESTINATION))
    role = beating.id_of("AWS::IAM::Role", "MonitoringHeartbeat")
    [target] = beating.only(RULE, "MonitoringHeartbeat")["Targets"]
    assert target["RoleArn"] == beating.arn(role)
    other = ARN.replace("lightsail-snapshots-heartbeat", "other")
    cases: dict[str, Case] = {
        "others": ("events:InvokeApiDestination", other, {}),
        "events": ("events:PutEvents", "*", {}),
    }
    assert set(decide(beating, statements, cases).values()) == {"ImplicitlyDenied"}


def test_template_has_the_name_of_the_parameter_and_no_address() -> None:
    template = synthesize('heartbeat = { url_parameter = "/backup/heartbeat" }')
    assert template.only(DESTINATION)["InvocationEndpoint"] == "{{resolve:ssm:/backup/heartbeat}}"
    assert "https://hc" not in json.dumps(template.document)
