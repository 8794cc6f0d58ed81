"""The stack as a whole: what an update and a `cdk destroy` keep, and what the outputs tell a user."""

import json
import shlex

import botocore.session
import pytest
from botocore.validate import validate_parameters

from lightsail_snapshots.events.instance_snapshot_requested import parse_request
from tests.infra.synthesized import REGION, Synthesized, synthesize

STATE = {
    "AWS::Events::Archive": {"Archive"},
    "AWS::Events::EventBus": {"BusEA82B648"},
    "AWS::KMS::Key": {"TopicKeyB2E0C9CB"},
    "AWS::Logs::LogGroup": {
        "AuditLogsA35F3E1F",
        "CopyLogsA5820B08",
        "CreateLogsBFB67714",
        "FanOutLogsE78F3434",
        "NotifyLogsB4CE6B4B",
        "PruneLogsC211374B",
    },
    "AWS::SNS::Topic": {"TopicBFC7AF6E"},
    "AWS::SQS::Queue": {
        "AuditFailuresE874CBAC",
        "CopyDeadLetterQueueC6C88BCD",
        "CopyQueueF02D9B37",
        "CopyUndeliveredQueue14C3163A",
        "CreateDeadLetterQueue1429F3AC",
        "CreateQueue5187380A",
        "FanOutFailures14B1B91D",
        "NotifyFailuresF6874DDD",
        "PruneFailures675DAA9A",
        "SchedulesDeadLetterQueue84E31400",
    },
}
"""Logical ids of what holds state. If one changes, CloudFormation replaces the resource and its state is lost."""


def test_update_keeps_what_holds_state(with_copies: Synthesized) -> None:
    assert {resource_type: set(with_copies.of_type(resource_type)) for resource_type in STATE} == STATE


def test_destroy_keeps_the_logs_only(template: Synthesized) -> None:
    kept = {
        resource["Type"]: resource["DeletionPolicy"]
        for resource in template.document["Resources"].values()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    }
    assert kept == {"AWS::Logs::LogGroup": "RetainExceptOnCreate"}


def test_kept_logs_have_no_name_that_a_new_deployment_needs(template: Synthesized) -> None:
    assert all("LogGroupName" not in group for group in template.of_type("AWS::Logs::LogGroup").values())


def test_no_snapshot_belongs_to_the_stack(template: Synthesized) -> None:
    types = {resource["Type"] for resource in template.document["Resources"].values()}
    assert [name for name in types if name.startswith("AWS::Lightsail::")] == []


def test_outputs_are_the_five_that_a_person_needs_each_with_a_description(template: Synthesized) -> None:
    log_group = template.id_of("AWS::Logs::LogGroup", "Create")
    console = f"https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}"
    dashboard = template.only("AWS::CloudWatch::Dashboard")["DashboardName"]
    expected = {
        "BusName": template.bus,
        "DashboardUrl": f"{console}#dashboards/dashboard/{dashboard}",
        "FollowLogs": f"aws logs tail {log_group} --follow --region {REGION}",
        "TopicArn": template.arn(template.id_of("AWS::SNS::Topic")),
    }
    assert template.outputs.keys() == expected.keys() | {"RequestSnapshot"}
    assert template.outputs.items() >= expected.items()
    assert all(len(output["Description"]) > 30 for output in template.document["Outputs"].values())


@pytest.mark.parametrize(
    ("regions", "region"),
    [
        ([REGION], REGION),
        (["eu-west-3"], "eu-west-3"),
        (["eu-west-3", REGION], "MY-REGION"),
    ],
)
def test_request_command_sends_a_valid_request(regions: list[str], region: str) -> None:
    template = synthesize("" if regions == [REGION] else f"regions = {json.dumps(regions)}")
    *command, entries = shlex.split(template.outputs["RequestSnapshot"])
    assert command == ["aws", "events", "put-events", "--region", REGION, "--entries"]
    put_events = botocore.session.get_session().get_service_model("events").operation_model("PutEvents")
    assert put_events.input_shape
    validate_parameters({"Entries": json.loads(entries)}, put_events.input_shape)
    (entry,) = json.loads(entries)
    assert entry["EventBusName"] == template.only("AWS::Events::EventBus")["Name"]
    assert entry["DetailType"] in template.only("AWS::Events::Rule", "Create")["EventPattern"]["detail-type"]
    event = {"id": "one", "time": "2026-11-23T03:15:00Z", "detail": json.loads(entry["Detail"])}
    request = parse_request(event, default_region=REGION, regions=[*regions, "MY-REGION"])
    assert (request.instance_name, request.region) == ("MY-INSTANCE", region)
