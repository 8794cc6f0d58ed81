"""The stack as a whole: what an update and a `cdk destroy` keep, and what the outputs tell a user."""

import json
import shlex

import botocore.session
import pytest
from botocore.validate import validate_parameters

from lightsail_snapshots.events.instance_snapshot_requested import parse_request
from tests.infra import plans
from tests.infra.synthesized import REGION, Synthesized, synthesize

STATE = {
    "AWS::KMS::Key": {"TopicKeyB2E0C9CB"},
    "AWS::Logs::LogGroup": {
        "AuditLogsA35F3E1F",
        "CopyLogsA5820B08",
        "CreateLogsBFB67714",
        "DrillLogs1D13E7D5",
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
        "DrillDeadLetterQueueA0E98B1B",
        "DrillQueueF4762AE5",
        "FanOutFailures14B1B91D",
        "NotifyFailuresF6874DDD",
        "PruneFailures675DAA9A",
        "SchedulesDeadLetterQueue84E31400",
    },
}
"""Logical ids of what holds messages, logs and subscribers."""
NAMED = {
    "ApiDestination lightsail-snapshots-heartbeat": "MonitoringHeartbeatDestination91253C80",
    "Archive lightsail-snapshots": "Archive",
    "Connection lightsail-snapshots-heartbeat": "MonitoringHeartbeatConnectionF74F1FB2",
    "Dashboard lightsail-snapshots": "MonitoringDashboard242C9864",
    "EventBus lightsail-snapshots": "BusEA82B648",
    "Schedule audit": "SchedulesAuditE1D32352",
    "Schedule audit-report": "SchedulesAuditreport746A8978",
    "Schedule drill-daily": "SchedulesDrilldaily5C4BD6FC",
    "Schedule plan-daily": "SchedulesPlandailyBE9F4980",
    "Schedule prune": "SchedulesPrune1103B748",
    "Schedule prune-report": "SchedulesPrunereport60A8942C",
    "ScheduleGroup lightsail-snapshots": "SchedulesGroupD276B6F4",
    "Alarm lightsail-snapshots-audit-missing": "MonitoringAlarmsauditmissing0D50128D",
    "Alarm lightsail-snapshots-chat-failed": "MonitoringAlarmschatfailed5D644454",
    "Alarm lightsail-snapshots-copies-failed": "MonitoringAlarmscopiesfailed1734540E",
    "Alarm lightsail-snapshots-dead-letters-audit": "MonitoringAlarmsdeadlettersaudit36CCF2E8",
    "Alarm lightsail-snapshots-dead-letters-copy": "MonitoringAlarmsdeadletterscopy3B399F20",
    "Alarm lightsail-snapshots-dead-letters-copy-undelivered": "MonitoringAlarmsdeadletterscopyundeliveredAE57FB8C",
    "Alarm lightsail-snapshots-dead-letters-create": "MonitoringAlarmsdeadletterscreate547AF2B9",
    "Alarm lightsail-snapshots-dead-letters-drill": "MonitoringAlarmsdeadlettersdrillF05A23B2",
    "Alarm lightsail-snapshots-dead-letters-fan-out": "MonitoringAlarmsdeadlettersfanoutACA5220B",
    "Alarm lightsail-snapshots-dead-letters-notify": "MonitoringAlarmsdeadlettersnotifyC1DBE4FF",
    "Alarm lightsail-snapshots-dead-letters-prune": "MonitoringAlarmsdeadlettersprune4FA09944",
    "Alarm lightsail-snapshots-dead-letters-schedules": "MonitoringAlarmsdeadlettersschedulesD0FEF7DE",
    "Alarm lightsail-snapshots-drill-clones-left": "MonitoringAlarmsdrillclonesleftA702E73E",
    "Alarm lightsail-snapshots-drills-failed": "MonitoringAlarmsdrillsfailed573492EB",
    "Alarm lightsail-snapshots-function-errors-audit": "MonitoringAlarmsfunctionerrorsaudit9AB6C3E0",
    "Alarm lightsail-snapshots-function-errors-copy": "MonitoringAlarmsfunctionerrorscopy00762F2E",
    "Alarm lightsail-snapshots-function-errors-create": "MonitoringAlarmsfunctionerrorscreateDEEA63D4",
    "Alarm lightsail-snapshots-function-errors-drill": "MonitoringAlarmsfunctionerrorsdrill9AAF9EAD",
    "Alarm lightsail-snapshots-function-errors-fan-out": "MonitoringAlarmsfunctionerrorsfanout44AD8C8D",
    "Alarm lightsail-snapshots-function-errors-prune": "MonitoringAlarmsfunctionerrorspruneC438A8FF",
    "Alarm lightsail-snapshots-instances-unprotected": "MonitoringAlarmsinstancesunprotected8EDAC04F",
    "Alarm lightsail-snapshots-nothing-selected-daily": "MonitoringAlarmsnothingselecteddaily567B8FD1",
    "Alarm lightsail-snapshots-overdue-daily": "MonitoringAlarmsoverduedailyEB88AB1B",
    "Alarm lightsail-snapshots-prune-refused": "MonitoringAlarmsprunerefusedB7650072",
    "Alarm lightsail-snapshots-queue-stalled-copy": "MonitoringAlarmsqueuestalledcopy39771DD4",
    "Alarm lightsail-snapshots-queue-stalled-create": "MonitoringAlarmsqueuestalledcreate81A23B85",
    "Alarm lightsail-snapshots-queue-stalled-drill": "MonitoringAlarmsqueuestalleddrill1E96EECC",
    "Alarm lightsail-snapshots-snapshots-failed": "MonitoringAlarmssnapshotsfailed219BFED7",
}
"""Logical ids of what has a name of its own."""
NAMES = ("Name", "AlarmName", "ArchiveName", "DashboardName", "FunctionName", "LogGroupName", "QueueName", "TopicName")


def test_update_keeps_what_holds_state(with_drill: Synthesized) -> None:
    found = {resource_type: set(with_drill.of_type(resource_type)) for resource_type in STATE}
    assert found == STATE, (
        "Under another logical id, CloudFormation replaces the resource: its messages are deleted, and subscribers have"
        " to confirm again. Keep the constructs' names, and where they are."
    )


def test_update_finds_no_name_taken() -> None:
    with_names = plans.WITH_DRILL.replace("copy_to", 'max_age = "26h"\ncopy_to')
    template = synthesize(f'heartbeat = "https://example.com"\nchat = {{ webhook_parameter = "/a" }}\n{with_names}')
    found = {
        f"{resource['Type'].rpartition(':')[2]} {resource['Properties'][key]}": logical_id
        for logical_id, resource in template.document["Resources"].items()
        for key in NAMES
        if isinstance(resource.get("Properties", {}).get(key), str)
        if resource["Type"] != "AWS::Logs::QueryDefinition"  # two may have the same name
    }
    assert found == NAMED, (
        "CloudFormation creates the resource of a new logical id before it deletes the old one, which still has the"
        " name: the update fails. Keep the logical id, or change the name with it."
    )


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
