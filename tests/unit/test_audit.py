"""`audit`: its metrics and events, and that it reports nothing about a Region that it could not list."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from lightsail_snapshots import audit
from lightsail_snapshots.aws.errors import AccessDeniedError
from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.events.audit_requested import parse_audit_request
from lightsail_snapshots.naming import format_utc, our_tags
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import read_instant
from lightsail_snapshots.reporting import RegionsFailedError
from lightsail_snapshots.selection import Select
from tests.support.events import example, fits, requested
from tests.support.fake_aws import Context, FakeAws, client, make_instance

HOUR = 3600


def plan(name: str = "daily", **fields: object) -> dict[str, Any]:
    """Build a plan of an audit; None leaves a field out."""
    given = {"name": name, "select": {"all": True}, "maxAge": "PT26H"} | fields
    return {name: value for name, value in given.items() if value is not None}


def requested_at(now: datetime, *plans: object, **fields: object) -> dict[str, Any]:
    detail = {"plans": list(plans), "every": "PT1H", "scheduledTime": format_utc(now)} | fields
    envelope = {"detail-type": "Audit Requested", "source": SOURCE, "time": format_utc(now)}
    return requested(detail, **envelope)


def run(aws: FakeAws, *plans: dict[str, Any], **fields: object) -> dict[str, Any]:
    """Audit at the emulator's time, which a test may have advanced."""
    event = requested_at(aws.emulator.clock.now(), *(plans or [plan()]), **fields)
    assert fits(event)
    answer: dict[str, Any] = audit.handler(event, Context())
    return answer


def published(aws: FakeAws) -> list[dict[str, Any]]:
    """Receive the events since the last call, except `Audit Completed`."""
    return [event for event in aws.events() if event["detail-type"] != "Audit Completed"]


def only_published(aws: FakeAws) -> dict[str, Any]:
    [only] = published(aws)
    return only


def take_snapshot(aws: FakeAws, name: str = "s-1", region: str = "us-east-1", **tags: str) -> None:
    """Have a usable snapshot of web-1, made by us."""
    ours = our_tags(name, "web-1", plan="daily") | tags
    client("lightsail", region).create_instance_snapshot(
        instanceSnapshotName=name,
        instanceName="web-1",
        tags=[{"key": key, "value": value} for key, value in ours.items()],
    )
    aws.emulator.clock.advance(600)


def figures(capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, str], list[float]]:
    """Read the metrics so far, by name and plan."""
    found = {}
    for line in capsys.readouterr().out.splitlines():
        record = json.loads(line)
        for metric in record["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            found[metric["Name"], record.get("plan", "")] = record[metric["Name"]]
    return found


def morning(aws: FakeAws) -> None:
    """Advance to the next 09:45 in UTC."""
    now = aws.emulator.clock.now()
    later = (now + timedelta(days=1)).replace(hour=9, minute=45, second=0, microsecond=0)
    aws.emulator.clock.advance((later - now).total_seconds())


# Metrics


def test_instance_is_protected_if_its_snapshot_is_recent(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    take_snapshot(aws)
    aws.emulator.clock.advance(2 * HOUR)
    assert run(aws) == {"state": "completed", "overdue": {"daily": 0}}
    assert figures(capsys) == {
        ("InstancesOverdue", "daily"): [0],
        ("RecoveryPointAgeMax", "daily"): [pytest.approx(2.2, abs=0.1)],
        ("AuditsCompleted", ""): [0, 1],
    }
    assert published(aws) == []


def test_instance_is_overdue_without_a_recent_snapshot(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    take_snapshot(aws)
    aws.emulator.clock.advance(30 * HOUR)
    assert run(aws)["overdue"] == {"daily": 1}
    seen = figures(capsys)
    assert seen["InstancesOverdue", "daily"] == [1]
    assert seen["RecoveryPointAgeMax", "daily"] == [pytest.approx(30.2, abs=0.1)]
    [line] = [line for line in aws.logs() if line["message"] == "Overdue"]
    assert (line["plan"], line["instance_name"], line["region"]) == ("daily", "web-1", "us-east-1")


def test_each_plan_has_metrics_of_its_own(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    take_snapshot(aws)
    aws.emulator.clock.advance(30 * HOUR)
    run(aws, plan(), plan("weekly", maxAge="P8D"))
    seen = figures(capsys)
    assert (seen["InstancesOverdue", "daily"], seen["InstancesOverdue", "weekly"]) == ([1], [0])


def test_plan_without_max_age_has_no_overdue_metric(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    run(aws, plan(maxAge=None))
    assert ("InstancesOverdue", "daily") not in figures(capsys)


def test_copy_age_is_a_metric_if_the_plan_has_copies(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    take_snapshot(aws)
    aws.emulator.clock.advance(26 * HOUR)
    run(aws, plan(copyTo=["eu-west-1"], maxAge="PT2H"))
    assert figures(capsys)["CopyAgeMax", "daily"] == [pytest.approx(26.2, abs=0.1)]
    told = only_published(aws)["detail"]
    assert told["instances"][1]["copyRegion"] == "eu-west-1"
    assert "there is no usable copy in eu-west-1." in told["message"]


def test_each_region_is_listed_once_for_all_plans(aws: FakeAws) -> None:
    aws.emulator.settings.page_size = 5
    for number in range(7):
        make_instance(f"shop-{number}")
    aws.calls.clear()
    run(aws, *(plan(f"plan-{number}", regions=["us-east-1", "eu-central-1"]) for number in range(4)))
    assert sorted(aws.calls) == ["GetInstanceSnapshots"] * 2 + ["GetInstances"] * (2 + 1)


# Events: who is in them, and how often


def test_overdue_event_has_a_message_for_people(aws: FakeAws) -> None:
    take_snapshot(aws)
    taken_at = aws.snapshots()[0]["createdAt"]
    aws.emulator.clock.advance(26 * HOUR)
    run(aws)
    event = only_published(aws)
    since = taken_at + timedelta(hours=26)
    assert event["detail-type"] == "Recovery Point Overdue"
    assert event["detail"]["message"] == (
        "Recovery point overdue: 1 instance of plan daily has no usable snapshot or copy younger than 26 hours."
        f" web-1 in us-east-1: overdue since {since:%Y-%m-%d %H:%M} UTC,"
        f" the newest usable snapshot has data of {taken_at:%Y-%m-%d %H:%M} UTC."
        " What to do: find out why in the logs, then ask for a snapshot now."
        " Step by step: docs/operations.md#overdue"
    )
    [entry] = event["detail"]["instances"]
    assert (entry["instanceName"], entry["overdueSince"]) == ("web-1", format_utc(since))


def test_message_says_so_if_there_never_was_a_snapshot(aws: FakeAws) -> None:
    aws.emulator.clock.advance(26.5 * HOUR)
    run(aws)
    told = only_published(aws)["detail"]["message"]
    assert re.search(r"web-1 in us-east-1: overdue since [-0-9]+ [:0-9]+ UTC, there is no usable snapshot\.", told)


def test_message_names_five_instances_of_a_long_list(aws: FakeAws) -> None:
    for number in range(119):
        make_instance(f"shop-{number:03}")
    aws.emulator.clock.advance(26.5 * HOUR)
    run(aws)
    told = only_published(aws)["detail"]
    assert (told["instancesOverdue"], len(told["instances"])) == (120, 100)
    assert "120 instances of plan daily have no usable snapshot" in told["message"]
    assert " And 115 more. What to do" in told["message"]


def test_message_needs_no_escaping(aws: FakeAws) -> None:
    aws.emulator.clock.advance(26.5 * HOUR)
    run(aws)
    message = only_published(aws)["detail"]["message"]
    assert json.dumps(message) == f'"{message}"'


def test_overdue_instance_is_reported_once_and_not_every_hour(aws: FakeAws) -> None:
    morning(aws)
    take_snapshot(aws)
    aws.emulator.clock.advance(26 * HOUR)  # overdue for ten minutes
    told = []
    for _ in range(10):
        run(aws)
        told.append(len(published(aws)))
        aws.emulator.clock.advance(HOUR)
    assert told == [1] + [0] * 9


def test_report_has_the_whole_list_and_other_audits_only_what_is_new(aws: FakeAws) -> None:
    aws.emulator.clock.advance(3 * 24 * HOUR)
    run(aws)
    assert published(aws) == []
    run(aws, report=True)
    assert only_published(aws)["detail"]["instancesOverdue"] == 1


def test_report_has_what_a_failed_audit_missed(aws: FakeAws) -> None:
    take_snapshot(aws)
    aws.emulator.clock.advance(26 * HOUR)  # overdue for ten minutes
    aws.emulator.faults.add("server-error", operation="GetInstanceSnapshots", region="us-east-1")
    with pytest.raises(RegionsFailedError):
        run(aws)
    aws.emulator.faults.clear()
    aws.emulator.clock.advance(HOUR)
    assert run(aws)["overdue"] == {"daily": 1}
    assert published(aws) == []
    run(aws, report=True)
    assert only_published(aws)["detail"]["instancesOverdue"] == 1


def test_only_the_report_counts_and_lists_unprotected_instances(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    make_instance("forgotten", "ap-south-1")
    make_instance("shop", tags={"backup": "dayly"})
    take_snapshot(aws)
    plans = plan(select={"tags": {"backup": "daily"}}), plan("team", select={"tags": {"team": "shop"}})
    run(aws, *plans)
    assert published(aws) == []
    assert ("InstancesUnprotected", "") not in figures(capsys)

    run(aws, *plans, report=True)

    detail = only_published(aws)["detail"]
    assert detail["instancesUnprotected"] == 3
    found = [(each["instanceName"], each["region"], each["because"]) for each in detail["instances"]]
    assert found == [
        ("web-1", "us-east-1", "left_plan"),
        ("shop", "us-east-1", "similar_tag"),
        ("forgotten", "ap-south-1", "region_not_configured"),
    ]
    assert (detail["instances"][1]["tag"], detail["instances"][1]["meant"]) == ("backup=dayly", "backup=daily")
    assert figures(capsys)["InstancesUnprotected", ""] == [3]
    lines = [line for line in aws.logs() if line["message"] == "No plan selects the instance"]
    assert [(line["instance_name"], line.get("plan")) for line in lines] == [
        ("web-1", "daily"),
        ("shop", "daily"),
        ("forgotten", None),
    ]


def test_report_finds_instances_in_a_region_that_only_has_copies(aws: FakeAws) -> None:
    make_instance("forgotten", "eu-west-1")
    run(aws, plan(copyTo=["eu-west-1"], maxAge=None), report=True)
    [entry] = only_published(aws)["detail"]["instances"]
    assert (entry["instanceName"], entry["region"], entry["plan"]) == ("forgotten", "eu-west-1", "daily")


def test_report_leaves_out_what_is_meant_to_be_unprotected(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    make_instance("scratch-1")
    make_instance("shop", tags={"backup": "none"})
    meant = {"unprotected": ["scratch-*"], "unprotectedTags": {"backup": "none"}}
    run(aws, plan(select={"names": ["web-*"]}), report=True, **meant)
    assert published(aws) == []
    assert figures(capsys)["InstancesUnprotected", ""] == [0]


def test_list_of_unprotected_instances_is_cut_after_a_hundred(aws: FakeAws) -> None:
    for number in range(100):
        make_instance(f"shop-{number:03}")
    run(aws, plan(select={"names": ["nothing"]}), report=True)
    detail = only_published(aws)["detail"]
    assert (detail["instancesUnprotected"], len(detail["instances"])) == (101, 100)


@pytest.mark.parametrize("fault", ["access-denied", "error"])
def test_report_skips_a_region_that_is_not_enabled_without_failing(aws: FakeAws, fault: str) -> None:
    aws.emulator.faults.add(fault, operation="GetInstances", region="ap-south-1")
    assert run(aws, report=True)["state"] == "completed"
    [line] = [line for line in aws.logs() if line["message"] == "Skipped a Region that is not configured"]
    assert line["region"] == "ap-south-1"


def test_each_retry_reports_the_other_regions_while_one_fails(aws: FakeAws) -> None:
    morning(aws)
    take_snapshot(aws)
    aws.emulator.clock.advance(26 * HOUR)
    aws.emulator.faults.add("server-error", operation="GetInstanceSnapshots", region="eu-central-1")
    for _ in range(3):
        with pytest.raises(RegionsFailedError):
            run(aws)
    assert [event["detail"]["plan"] for event in published(aws)] == ["daily"] * 3


def test_list_is_reported_again_when_a_second_instance_is_overdue(aws: FakeAws) -> None:
    morning(aws)
    aws.emulator.clock.advance(-17 * HOUR + 24 * HOUR)  # 16:45
    make_instance("web-2")
    aws.emulator.clock.advance(26 * HOUR)  # 18:45
    run(aws)
    assert published(aws) == []  # web-1 has been told of, web-2 is just in time
    aws.emulator.clock.advance(HOUR)
    run(aws)
    assert only_published(aws)["detail"]["instancesOverdue"] == 2


def test_each_plan_has_an_event_of_its_own(aws: FakeAws) -> None:
    make_instance("shop")
    aws.emulator.clock.advance(26.5 * HOUR)
    run(aws, plan(select={"names": ["web-*"]}), plan("shops", select={"names": ["shop"]}))
    assert sorted(event["detail"]["plan"] for event in published(aws)) == ["daily", "shops"]


# Events: an alarm that is about to go off


def alarm_of_the_plan(state: str) -> None:
    """Have the alarm of plan daily in a state."""
    cloudwatch = client("cloudwatch")
    name = Plan(name="daily", select=Select()).overdue_alarm
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        MetricName="InstancesOverdue",
        Namespace="LightsailSnapshots",
        Statistic="Maximum",
        Period=7200,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")


@pytest.mark.parametrize(("state", "is_sent"), [("OK", True), ("INSUFFICIENT_DATA", True), ("ALARM", False)])
def test_list_is_sent_when_the_alarm_is_about_to_go_off(aws: FakeAws, state: str, is_sent: bool) -> None:
    """Such as after the first deployment, beside an old instance."""
    alarm_of_the_plan(state)
    aws.emulator.clock.advance(3 * 24 * HOUR)
    run(aws)
    assert [event["detail-type"] for event in published(aws)] == ["Recovery Point Overdue"] * is_sent


def test_list_waits_for_the_report_if_the_alarms_cannot_be_read(aws: FakeAws) -> None:
    alarm_of_the_plan("OK")
    aws.emulator.clock.advance(3 * 24 * HOUR)
    with patch.object(audit, "alarms_not_in_alarm", side_effect=AccessDeniedError("AccessDenied")):
        assert run(aws)["overdue"] == {"daily": 1}
    assert published(aws) == []
    [line] = [line for line in aws.logs() if "error" in line]
    assert line["message"] == "Could not read the alarms; the daily report has the whole list"


def test_alarms_are_read_only_if_there_is_something_old_to_report(aws: FakeAws) -> None:
    with patch.object(audit, "alarms_not_in_alarm") as read:
        run(aws)
        aws.emulator.clock.advance(26.5 * HOUR)
        run(aws)
        run(aws, report=True)
    assert read.mock_calls == []


# Events: the audit itself


def test_completed_audit_publishes_its_figures(aws: FakeAws) -> None:
    take_snapshot(aws)
    make_instance("shop")
    aws.emulator.clock.advance(27 * HOUR)
    plans = plan(), plan("archive", select={"names": ["shop"]}, maxAge=None), plan("none", select={"names": ["no"]})
    run(aws, *plans)
    event = next(event for event in aws.events() if event["detail-type"] == "Audit Completed")
    daily, archive, empty = event["detail"]["plans"]
    assert daily == {
        "plan": "daily",
        "instances": 2,
        "instancesProtected": 0,
        "instancesOverdue": 2,
        "oldestHours": pytest.approx(27.2, abs=0.2),
    }
    assert archive == {
        "plan": "archive",
        "instances": 1,
        "instancesProtected": 0,
        "oldestHours": pytest.approx(27, abs=0.2),
    }
    assert empty == {"plan": "none", "instances": 0, "instancesProtected": 0, "instancesOverdue": 0}
    assert event["detail"]["report"] is False
    assert "instancesUnprotected" not in event["detail"]


def test_report_publishes_the_number_of_unprotected_instances_too(aws: FakeAws) -> None:
    run(aws, plan(select={"names": ["shop"]}), report=True)
    event = next(event for event in aws.events() if event["detail-type"] == "Audit Completed")
    assert event["detail"]["instancesUnprotected"] == 1


def test_audit_that_fails_publishes_no_figures(aws: FakeAws) -> None:
    aws.emulator.faults.add("access-denied", operation="GetInstances", region="eu-central-1")
    with pytest.raises(RegionsFailedError):
        run(aws)
    assert aws.events() == []


# Failures


@pytest.mark.parametrize("operation", ["GetInstances", "GetInstanceSnapshots"])
def test_failed_region_suppresses_the_metrics_of_its_plans(
    aws: FakeAws, capsys: pytest.CaptureFixture[str], operation: str
) -> None:
    aws.emulator.faults.add("access-denied", operation=operation, region="eu-central-1")
    with pytest.raises(RegionsFailedError, match="eu-central-1: AccessDeniedException"):
        run(aws, plan("here"), plan("both", regions=["us-east-1", "eu-central-1"]))
    seen = figures(capsys)
    assert seen["InstancesOverdue", "here"] == [0]
    assert {name for name, of in seen if of == "both"} == set()
    assert seen["AuditsCompleted", ""] == [0]
    assert ("InstancesUnprotected", "") not in seen


def test_failed_copy_region_suppresses_plan_metrics(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.emulator.faults.add("region-setup", operation="GetInstanceSnapshots", region="eu-west-1")
    with pytest.raises(RegionsFailedError, match="eu-west-1"):
        run(aws, plan(copyTo=["eu-west-1"]))
    assert figures(capsys) == {("AuditsCompleted", ""): [0]}


def test_listing_that_fails_halfway_suppresses_plan_metrics(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.emulator.settings.page_size = 1
    make_instance("web-2")
    aws.emulator.clock.advance(100 * HOUR)
    client, calls = lightsail("us-east-1")._client, list[Any]()
    real = client.get_instances

    def breaks_off(**parameters: Any) -> Any:
        calls.append(parameters)
        if len(calls) == 2:
            aws.emulator.faults.add("access-denied", operation="GetInstances", times=1)
        return real(**parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "get_instances", breaks_off)
        with pytest.raises(RegionsFailedError):
            run(aws)
    assert len(calls) == 2
    assert ("InstancesOverdue", "daily") not in figures(capsys)


def late(hours: float, **fields: object) -> dict[str, Any]:
    """Audit with a request that comes so many hours late."""
    event = requested_at(datetime.now(UTC) - timedelta(hours=hours), plan(), **fields)
    answer: dict[str, Any] = audit.handler(event, Context())
    return answer


def test_late_request_is_skipped(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    assert late(2) == {"state": "late"}
    assert figures(capsys) == {("AuditsCompleted", ""): [0]}
    assert aws.calls == []


def test_late_report_is_made_with_the_ages_of_now(aws: FakeAws) -> None:
    aws.emulator.clock.advance(-27 * HOUR)
    make_instance("shop")
    aws.emulator.clock.advance(27 * HOUR)
    assert late(2, report=True) == {"state": "completed", "overdue": {"daily": 1}}
    detail = only_published(aws)["detail"]
    assert detail["instances"][0]["ageHours"] == pytest.approx(27, abs=0.2)
    assert read_instant(detail["auditedAt"]) > datetime.now(UTC) - timedelta(hours=1)


def test_report_that_is_a_day_late_is_skipped(aws: FakeAws) -> None:
    assert late(25, report=True) == {"state": "late"}
    assert aws.calls == []


# Bad requests


def test_bad_request_reports_every_problem_and_completes_no_audit(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    event = requested_at(datetime.now(UTC), plan(select={"nams": ["a"]}, maxage="P1D", maxAge="soon"), 7, evry="PT1H")
    answer = audit.handler(event, Context())
    assert answer["state"] == "failed"
    assert answer["message"] == (
        "detail.plans[0].select.nams: unknown key; did you mean names?; "
        "detail.plans[0].maxAge: must be a duration such as 14d, 26h, 90m, or in ISO 8601: P14D, P2W, "
        "PT36H, not 'soon'; "
        "detail.plans[0].maxage: unknown key; did you mean maxAge?; "
        "detail.plans[1]: must be a JSON object, not 7; "
        "detail.evry: unknown key; did you mean every?"
    )
    [line] = aws.logs()
    assert (line["message"], line["correlation_id"]) == ("Rejected the event", event["id"])
    rejected = only_published(aws)
    assert (rejected["detail-type"], rejected["detail"]["request"]) == ("Request Rejected", event)
    assert line["problems"] == rejected["detail"]["problems"]
    assert figures(capsys) == {("AuditsCompleted", ""): [0]}
    assert aws.calls == []


@pytest.mark.parametrize(
    ("envelope", "problem"),
    [
        ({"source": "my.ci"}, "source: must be lightsail-snapshots, not 'my.ci': "),
        ({"source": ""}, "source: must be lightsail-snapshots, not '': "),
        ({"replay-name": "last-night"}, "replay-name: a replay is rejected: "),
    ],
)
def test_audit_rejects_other_sources_and_replays(aws: FakeAws, envelope: dict[str, str], problem: str) -> None:
    answer = audit.handler(requested_at(datetime.now(UTC), plan()) | envelope, Context())
    assert answer["state"] == "failed"
    assert f"{problem}to audit now, run `lightsail-snapshots audit`" in answer["message"]
    assert aws.calls == []


@pytest.mark.parametrize("event", [{"detail": {}}, {"id": 3, "detail": "x"}, []])
def test_anything_but_an_event_is_rejected_too(aws: FakeAws, event: Any) -> None:  # noqa: ARG001 - nothing may be called
    assert audit.handler(event, Context())["state"] == "failed"


def test_published_example_is_a_valid_request() -> None:
    request = parse_audit_request(example("Audit Requested"), default_region="us-east-1")
    assert (request.plans[0].max_age, request.plans[0].copy_to) == (timedelta(hours=26), ("eu-west-1",))


DRILL = {"schedule": "rate(7 days)", "maxAge": "P35D"}


def test_proof_is_reported_when_the_plan_has_drills(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    proven_at = aws.emulator.clock.now() - timedelta(days=36)
    take_snapshot(aws, **{"proven-at": format_utc(proven_at)})
    make_instance("drill-web-1", tags={"managed-by": "lightsail-snapshots-drill", "drill-until": format_utc(proven_at)})
    run(aws, plan(drill=DRILL), report=True)
    [event] = [each for each in published(aws) if each["detail-type"] == "Restore Proof Overdue"]
    assert [each["instanceName"] for each in event["detail"]["instances"]] == ["web-1"], "a clone is in no plan"
    assert event["detail"]["instances"][0]["provenAt"] == format_utc(proven_at)
    found = figures(capsys)
    assert found["RestoreProofAge", "daily"][0] >= 36 * 24
    assert found["DrillClonesLeft", ""] == [1]


def test_clone_left_in_a_region_of_copies_is_counted(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    until = format_utc(aws.emulator.clock.now() - timedelta(minutes=1))
    clone = {"managed-by": "lightsail-snapshots-drill", "drill-until": until}
    make_instance("drill-web-1", "eu-west-1", tags=clone)
    run(aws, plan(drill=DRILL, copyTo=["eu-west-1"]))
    assert figures(capsys)["DrillClonesLeft", ""] == [1]


def test_proof_is_no_figure_when_the_plan_has_no_drills(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    take_snapshot(aws)
    run(aws, plan(), report=True)
    assert not {name for name, _ in figures(capsys)} & {"RestoreProofAge", "DrillClonesLeft"}
