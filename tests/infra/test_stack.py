"""The stack as a whole: the bus, what is told to a user, and what a `cdk destroy` leaves."""

import json
import shlex

import botocore.session
import pytest
from botocore.validate import validate_parameters

from lightsail_snapshots.events.instance_snapshot_requested import parse_request
from tests.infra.synthesized import REGION, Synthesized, synthesize


def test_all_events_of_the_bus_are_archived_for_thirty_days(template: Synthesized) -> None:
    archive = template.only("AWS::Events::Archive")
    assert template.only("AWS::Events::EventBus")["Name"] == "lightsail-snapshots"
    assert archive["SourceArn"] == template.arn(template.bus)
    assert archive["RetentionDays"] == 30
    assert "EventPattern" not in archive


def test_the_archive_bears_the_name_of_the_bus_so_that_both_can_be_replaced(template: Synthesized) -> None:
    bus = template.only("AWS::Events::EventBus")
    assert template.only("AWS::Events::Archive")["ArchiveName"] == bus["Name"]


def test_nobody_outside_the_account_may_put_events(template: Synthesized) -> None:
    assert template.of_type("AWS::Events::EventBusPolicy") == {}
    assert "Policy" not in template.only("AWS::Events::EventBus")


def test_deleting_the_stack_keeps_the_logs_only(template: Synthesized) -> None:
    kept = {
        resource["Type"]: resource["DeletionPolicy"]
        for resource in template.document["Resources"].values()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    }
    assert kept == {"AWS::Logs::LogGroup": "RetainExceptOnCreate"}


def test_what_is_kept_has_no_name_that_a_new_deployment_would_want(template: Synthesized) -> None:
    assert all("LogGroupName" not in group for group in template.of_type("AWS::Logs::LogGroup").values())


def test_no_snapshot_belongs_to_the_stack(template: Synthesized) -> None:
    types = {resource["Type"] for resource in template.document["Resources"].values()}
    assert [name for name in types if name.startswith("AWS::Lightsail::")] == []


def test_the_outputs_name_what_a_user_needs(template: Synthesized) -> None:
    outputs = template.outputs
    assert outputs["BusName"] == template.bus
    assert outputs["CreateFunctionName"] in template.of_type("AWS::Lambda::Function")
    assert outputs["RequestQueueUrl"] == template.named("CreateQueue")[0].rpartition(":")[2]
    assert outputs["DeadLetterQueueUrl"] == template.named("CreateDeadLetterQueue")[0].rpartition(":")[2]


def test_the_command_that_requests_a_snapshot_can_be_pasted(template: Synthesized) -> None:
    *command, entries = shlex.split(template.outputs["RequestSnapshot"])
    assert command == ["aws", "events", "put-events", "--region", REGION, "--entries"]
    put_events = botocore.session.get_session().get_service_model("events").operation_model("PutEvents")
    assert put_events.input_shape
    validate_parameters({"Entries": json.loads(entries)}, put_events.input_shape)


@pytest.mark.parametrize(
    ("regions", "asked"),
    [
        ([REGION], REGION),
        (["eu-west-3"], "eu-west-3"),
        (["eu-west-3", REGION], "MY-REGION"),
    ],
)
def test_the_command_that_requests_a_snapshot_sends_a_good_request(regions: list[str], asked: str) -> None:
    template = synthesize("" if regions == [REGION] else f"regions = {json.dumps(regions)}")
    (entry,) = json.loads(shlex.split(template.outputs["RequestSnapshot"])[-1])
    assert entry["EventBusName"] == template.only("AWS::Events::EventBus")["Name"]
    assert entry["DetailType"] in template.only("AWS::Events::Rule", "Create")["EventPattern"]["detail-type"]
    event = {"id": "one", "time": "2026-11-23T03:15:00Z", "detail": json.loads(entry["Detail"])}
    request = parse_request(event, default_region=REGION, regions=[*regions, "MY-REGION"])
    assert (request.instance_name, request.region) == ("MY-INSTANCE", asked)


def test_the_command_that_follows_the_logs_names_the_log_group(template: Synthesized) -> None:
    for construct, output in {"Create": "FollowLogs", "FanOut": "FollowFanOutLogs"}.items():
        log_group = template.id_of("AWS::Logs::LogGroup", construct)
        assert template.outputs[output] == f"aws logs tail {log_group} --follow --region {REGION}"


def test_the_command_that_replays_dead_letters_sends_them_to_the_request_queue(template: Synthesized) -> None:
    (dead_letters, _), (requests, _) = template.named("CreateDeadLetterQueue"), template.named("CreateQueue")
    assert template.outputs["ReplayDeadLetters"] == (
        f"aws sqs start-message-move-task --source-arn {dead_letters} --destination-arn {requests} --region {REGION}"
    )
