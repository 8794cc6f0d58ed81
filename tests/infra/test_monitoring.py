"""The alarms, who hears of them, and the dashboard: that they watch what the code emits, and that none is silent."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.monitoring.alarms import PREFIX
from infra.monitoring.dashboard import QUERIES
from lightsail_snapshots_plans.models import MAX_PLANS
from tests.infra import emitted
from tests.infra.synthesized import ACCOUNT, REGION, Synthesized, synthesize
from tests.support.plan_text import plan_toml

PLANS = """
notify = ["ops@example.com", "me@example.com"]

[plans.daily]
schedule = "cron(15 3 * * ? *)"
select   = { all = true }
keep     = { last = 7 }
max_age  = "26h"
regions  = ["eu-central-1"]
copy_to  = ["eu-west-1"]

[plans.archive]
schedule = "cron(15 4 1 * ? *)"
select   = { all = true }
keep     = { last = 7 }
"""
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"

OURS = {
    "overdue-daily": ("InstancesOverdue", "Maximum", "breaching"),
    "audit-missing": ("AuditsCompleted", "Sum", "breaching"),
    "snapshots-failed": ("SnapshotsFailed", "Sum", "ignore"),
    "copies-failed": ("CopiesFailed", "Sum", "ignore"),
    "nothing-selected": ("EmptySelections", "Sum", "ignore"),
    "prune-refused": ("PrunesRefused", "Sum", "ignore"),
}
DEAD_LETTERS = {
    "create": "CreateDeadLetterQueue",
    "copy": "CopyDeadLetterQueue",
    "copy-undelivered": "CopyUndeliveredQueue",
    "fan-out": "FanOutFailures",
    "prune": "PruneFailures",
    "audit": "AuditFailures",
    "schedules": "SchedulesDeadLetterQueue",
    "messages": "MonitoringNotificationsUndelivered",
}
FUNCTIONS = {"fan-out": "FanOut", "prune": "Prune", "audit": "Audit"}


@pytest.fixture(scope="module")
def watched() -> Synthesized:
    return synthesize(PLANS)


@pytest.fixture(scope="module")
def alarms(watched: Synthesized) -> dict[str, dict[str, Any]]:
    """The alarms' properties, by name without the prefix that all have."""
    found = watched.of_type("AWS::CloudWatch::Alarm").values()
    return {properties["AlarmName"].removeprefix(f"{PREFIX}-"): properties for properties in found}


@pytest.fixture(scope="module")
def series() -> set[emitted.Series]:
    return emitted.series()


def watches(alarm: dict[str, Any]) -> emitted.Series:
    dimensions = frozenset((each["Name"], each["Value"]) for each in alarm.get("Dimensions", []))
    return alarm["Namespace"], alarm["MetricName"], dimensions


def topic(template: Synthesized) -> str:
    return template.arn(template.id_of("AWS::SNS::Topic"))


# Alarms.


def test_there_is_no_other_alarm(alarms: dict[str, Any]) -> None:
    dead_letters = {f"dead-letters-{name}" for name in DEAD_LETTERS}
    assert set(alarms) == {*OURS, *dead_letters, *(f"function-errors-{name}" for name in FUNCTIONS)}


@pytest.mark.parametrize("name", OURS)
def test_an_alarm_on_a_metric_of_ours_watches_what_the_code_emits(
    name: str, alarms: dict[str, Any], series: set[emitted.Series]
) -> None:
    assert watches(alarms[name]) in series


@pytest.mark.parametrize("name", OURS)
def test_an_alarm_on_a_metric_of_ours_reads_it_and_its_absence_as_it_is_meant(
    name: str, alarms: dict[str, Any]
) -> None:
    alarm = alarms[name]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["TreatMissingData"]) == OURS[name]


@pytest.mark.parametrize("name", sorted(set(OURS) - {"audit-missing"}))
def test_one_is_enough(name: str, alarms: dict[str, Any]) -> None:
    alarm = alarms[name]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert alarm["EvaluationPeriods"] == 1


def test_no_audit_is_less_than_one(alarms: dict[str, Any]) -> None:
    alarm = alarms["audit-missing"]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)


@pytest.mark.parametrize("name", ["overdue-daily", "audit-missing"])
def test_an_audit_may_be_late_by_its_own_interval(name: str, alarms: dict[str, Any]) -> None:
    assert alarms[name]["Period"] == 2 * 3600


def test_the_window_follows_the_schedule_of_the_audit() -> None:
    template = synthesize('audit_schedule = "cron(0 7,19 * * ? *)"\n' + PLANS.lstrip())
    periods = {alarm["MetricName"]: alarm["Period"] for alarm in template.of_type("AWS::CloudWatch::Alarm").values()}
    assert periods["InstancesOverdue"] == periods["AuditsCompleted"] == 24 * 3600


def test_a_window_is_never_longer_than_cloudwatch_takes() -> None:
    template = synthesize('audit_schedule = "cron(0 7 1 * ? *)"\n' + PLANS.lstrip())
    assert template.only("AWS::CloudWatch::Alarm", "MonitoringAlarmsauditmissing")["Period"] == 7 * 24 * 3600


def test_a_plan_that_promises_no_age_has_no_alarm_that_would_wait_for_its_data(alarms: dict[str, Any]) -> None:
    assert "overdue-archive" not in alarms


@pytest.mark.parametrize("name", DEAD_LETTERS)
def test_anything_in_a_queue_that_should_be_empty_is_an_alarm_until_it_is_empty(
    name: str, alarms: dict[str, Any], watched: Synthesized
) -> None:
    alarm = alarms[f"dead-letters-{name}"]
    queue = watched.named(DEAD_LETTERS[name])[0].rpartition(":")[2]
    assert watches(alarm) == (
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        frozenset({("QueueName", queue)}),
    )
    assert (alarm["Statistic"], alarm["Threshold"], alarm["TreatMissingData"]) == ("Maximum", 0, "ignore")


def test_every_queue_works_or_is_watched(watched: Synthesized, alarms: dict[str, Any]) -> None:
    seen = {dict(watches(alarm)[2]).get("QueueName") for alarm in alarms.values()}
    working = {
        name
        for name in watched.of_type("AWS::SQS::Queue")
        if "RedrivePolicy" in watched.of_type("AWS::SQS::Queue")[name]
    }
    assert set(watched.of_type("AWS::SQS::Queue")) == (seen - {None}) | working


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_failed_all_its_tries_is_an_alarm_and_one_that_failed_once_is_not(
    name: str, alarms: dict[str, Any], watched: Synthesized
) -> None:
    alarm = alarms[f"function-errors-{name}"]
    function = watched.id_of("AWS::Lambda::Function", FUNCTIONS[name])
    assert watches(alarm) == ("AWS/Lambda", "Errors", frozenset({("FunctionName", function)}))
    assert (alarm["Statistic"], alarm["Period"], alarm["Threshold"]) == ("Sum", 3600, 2)
    tries = 1 + watched.only("AWS::Lambda::EventInvokeConfig", FUNCTIONS[name])["MaximumRetryAttempts"]
    assert alarm["Threshold"] == tries - 1


def test_every_alarm_says_when_it_goes_off_and_when_all_is_well_again(
    alarms: dict[str, Any], watched: Synthesized
) -> None:
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic(watched)]
        assert alarm.get("ActionsEnabled", True)


def test_every_alarm_says_what_it_means_what_to_do_first_and_where_to_read_on(alarms: dict[str, Any]) -> None:
    for alarm in alarms.values():
        assert re.fullmatch(
            r".{20,} First: .{20,} Step by step: docs/operations\.md#[a-z-]+", alarm["AlarmDescription"]
        )


def test_a_team_may_link_to_a_runbook_of_its_own() -> None:
    template = synthesize(PLANS, runbook="https://wiki.example.com/snapshots")
    alarm = template.only("AWS::CloudWatch::Alarm", "MonitoringAlarmsauditmissing")
    assert alarm["AlarmDescription"].endswith("https://wiki.example.com/snapshots#audit-missing")
    variables = template.only("AWS::Lambda::Function", "Audit")["Environment"]["Variables"]
    assert variables["RUNBOOK"] == "https://wiki.example.com/snapshots"


# The runbook.


def sections() -> dict[str, str]:
    """Read the sections of the runbook about alarms, by their anchor."""
    text = OPERATIONS.read_text(encoding="utf-8").split("\n## Alarms\n")[1].split("\n## ")[0]
    parts = text.split("\n### ")[1:]
    return {part.partition("\n")[0].lower().replace(" ", "-"): part for part in parts}


def test_every_alarm_has_its_section_and_every_section_its_alarm(alarms: dict[str, Any]) -> None:
    assert {alarm["AlarmDescription"].rpartition("#")[2] for alarm in alarms.values()} == set(sections())


@pytest.mark.parametrize("part", ["**Means:**", "**Look:**", "**Do:**"])
def test_every_section_says_what_it_means_where_to_look_and_what_to_do(part: str) -> None:
    assert [anchor for anchor, text in sections().items() if part not in text] == []


def test_every_query_of_the_runbook_is_saved_in_the_stack_and_the_other_way_round(watched: Synthesized) -> None:
    written = set(re.findall(r"```sql\n(.*?)\n```", OPERATIONS.read_text(encoding="utf-8"), re.S))
    saved = {one["QueryString"] for one in watched.of_type("AWS::Logs::QueryDefinition").values()}
    assert {" ".join(query.split()) for query in written} == saved == set(QUERIES.values())


@pytest.mark.parametrize("plans", ["", plan_toml(), plan_toml(max_age='"26h"')], ids=["none", "no max_age", "usual"])
def test_every_widget_has_something_to_show_or_cloudwatch_refuses_the_dashboard(plans: str) -> None:
    body = json.loads(synthesize(plans).only("AWS::CloudWatch::Dashboard")["DashboardBody"])
    shown = [widget["properties"] for widget in body["widgets"]]
    assert shown
    assert [one["title"] for one in shown if not one.get("metrics") and not one.get("alarms")] == []


def test_the_query_for_errors_finds_also_those_that_only_lambda_knows_of() -> None:
    """An uncaught error is the runtime's line; of a timeout tells only `platform.report` (Lambda Telemetry API)."""
    for what in ('level = "ERROR"', 'log_level = "ERROR"', 'record.status in ["timeout", "error", "failure"]'):
        assert what in QUERIES["errors"]
    assert {"errorType", "errorMessage"} <= set(re.findall(r"\w+", QUERIES["errors"].partition("|")[0]))


def test_a_saved_query_looks_into_every_log(watched: Synthesized) -> None:
    for query in watched.of_type("AWS::Logs::QueryDefinition").values():
        assert set(query["LogGroupNames"]) == set(watched.of_type("AWS::Logs::LogGroup"))


# Who hears.


def test_each_address_of_the_file_gets_the_messages(watched: Synthesized) -> None:
    subscriptions = watched.of_type("AWS::SNS::Subscription").values()
    assert {(each["Protocol"], each["Endpoint"], each["TopicArn"]) for each in subscriptions} == {
        ("email", "ops@example.com", topic(watched)),
        ("email", "me@example.com", topic(watched)),
    }


def test_nobody_publishes_but_the_alarms_of_this_account_and_eventbridge_and_only_by_tls(watched: Synthesized) -> None:
    statements = watched.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    allowed = [each for each in statements if each["Effect"] == "Allow"]
    assert [(each["Principal"], each["Action"], each.get("Condition")) for each in allowed] == [
        (
            {"Service": "cloudwatch.amazonaws.com"},
            "sns:Publish",
            {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        ),
        ({"Service": "events.amazonaws.com"}, "sns:Publish", None),
    ]
    (denied,) = (each for each in statements if each["Effect"] == "Deny")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_topic_is_encrypted_with_a_key_that_the_publishers_may_use(watched: Synthesized) -> None:
    key = watched.only("AWS::KMS::Key")
    assert watched.only("AWS::SNS::Topic")["KmsMasterKeyId"] == watched.arn(watched.id_of("AWS::KMS::Key"))
    assert key["EnableKeyRotation"]
    users = [each for each in key["KeyPolicy"]["Statement"] if "kms:GenerateDataKey*" in each["Action"]]
    assert [each["Principal"]["Service"] for each in users] == ["cloudwatch.amazonaws.com", "events.amazonaws.com"]


def messages(template: Synthesized) -> dict[str, dict[str, Any]]:
    rules = template.of_type("AWS::Events::Rule").items()
    start = "MonitoringNotifications"
    return {name.removeprefix(start): rule for name, rule in rules if name.startswith(start)}


def test_each_kind_of_event_that_somebody_should_hear_of_is_a_message(watched: Synthesized) -> None:
    kinds = [rule["EventPattern"]["detail-type"] for rule in messages(watched).values()]
    assert sorted(kinds) == [["Instance Snapshot Failed"]] * 3 + [["Prune Refused"], ["Recovery Point Overdue"]]


def test_what_is_replayed_from_the_archive_is_no_news(watched: Synthesized) -> None:
    for rule in messages(watched).values():
        assert rule["EventPattern"]["replay-name"] == [{"exists": False}]
        assert rule["EventPattern"]["source"] == ["lightsail-snapshots"]


def test_a_message_is_a_text_whose_fields_are_all_given(watched: Synthesized) -> None:
    for rule in messages(watched).values():
        (target,) = rule["Targets"]
        transformer = target["InputTransformer"]
        used = set(re.findall("<(.*?)>", transformer["InputTemplate"]))
        assert used == set(transformer["InputPathsMap"])
        assert isinstance(json.loads(transformer["InputTemplate"]), str)
        assert target["Arn"] == topic(watched)


def test_a_message_that_cannot_be_sent_is_kept_and_watched(watched: Synthesized) -> None:
    kept = watched.named("MonitoringNotificationsUndelivered")[0]
    for rule in messages(watched).values():
        assert rule["Targets"][0]["DeadLetterConfig"] == {"Arn": kept}
    (statement,) = (
        each
        for policy in watched.of_type("AWS::SQS::QueuePolicy").values()
        for each in policy["PolicyDocument"]["Statement"]
        if each["Effect"] == "Allow" and each["Resource"] == kept
    )
    sources = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert len(sources) == len(messages(watched))


# The dashboard.


def widgets(template: Synthesized) -> list[dict[str, Any]]:
    body: dict[str, Any] = json.loads(template.only("AWS::CloudWatch::Dashboard")["DashboardBody"])
    found: list[dict[str, Any]] = body["widgets"]
    return found


def metrics(widget: dict[str, Any]) -> set[emitted.Series]:
    """Read a widget's metrics; `.` in one means the same as in the one before."""
    found: set[emitted.Series] = set()
    for metric in widget["properties"].get("metrics", []):
        namespace, name, *dimensions = [part for part in metric if isinstance(part, str)]
        assert "." not in (namespace, name)
        found.add((namespace, name, frozenset(zip(dimensions[::2], dimensions[1::2], strict=True))))
    return found


def test_the_first_row_answers_whether_i_am_safe(watched: Synthesized) -> None:
    first = [widget["properties"]["title"].split(":")[0] for widget in widgets(watched) if widget["y"] == 0]
    assert first == ["Overdue", "Recovery point age", "Protected, and selected by no plan", "Alarms"]


def test_the_dashboard_shows_what_the_code_emits(watched: Synthesized, series: set[emitted.Series]) -> None:
    shown = {one for widget in widgets(watched) for one in metrics(widget) if one[0] == "LightsailSnapshots"}
    as_daily = {
        (space, name, frozenset(("plan", "daily") if each[0] == "plan" else each for each in dimensions))
        for space, name, dimensions in shown
    }
    assert as_daily - series == set()


def test_the_dashboard_shows_all_alarms_and_all_queues(watched: Synthesized, alarms: dict[str, Any]) -> None:
    (status,) = (widget for widget in widgets(watched) if widget["type"] == "alarm")
    assert {arn.rpartition(":")[2] for arn in status["properties"]["alarms"]} == set(
        watched.of_type("AWS::CloudWatch::Alarm")
    )
    queues = {dict(dimensions).get("QueueName") for widget in widgets(watched) for _, _, dimensions in metrics(widget)}
    assert set(watched.of_type("AWS::SQS::Queue")) <= queues
    assert len(alarms) == len(status["properties"]["alarms"])


def test_as_many_plans_as_are_allowed_fit_into_the_stack_and_their_alarms_into_one_widget() -> None:
    plan = plan_toml(max_age='"2d"', copy_to='["eu-west-3"]')
    full = synthesize("\n".join(plan.replace("daily", f"p{number}") for number in range(MAX_PLANS)))
    (status,) = (widget for widget in widgets(full) if widget["type"] == "alarm")
    assert MAX_PLANS < len(status["properties"]["alarms"]) <= 100
    assert len(full.document["Resources"]) <= 500


def test_every_row_is_as_wide_as_the_page(watched: Synthesized) -> None:
    rows: dict[int, int] = {}
    for widget in widgets(watched):
        rows[widget["y"]] = rows.get(widget["y"], 0) + widget["width"]
        assert widget["properties"].get("region", REGION) == REGION
    assert set(rows.values()) == {24}


# What it costs.


def test_beside_those_of_a_plan_there_are_few_alarms_to_pay_for(alarms: dict[str, Any], template: Synthesized) -> None:
    without_copies = len(template.of_type("AWS::CloudWatch::Alarm")) - 1
    assert (without_copies, len(alarms) - 1) == (13, 16), "docs/operations.md says what they cost"


def test_beside_those_of_a_plan_there_are_few_metrics_to_pay_for(series: set[emitted.Series]) -> None:
    by_plan = {name for _, name, dimensions in series if "plan" in dict(dimensions)}
    others = {name for _, name, dimensions in series if {key for key, _ in dimensions} == {"service"}}
    assert by_plan == {"InstancesOverdue", "InstancesProtected", "RecoveryPointAgeMax", "CopyAgeMax"}
    copies = {name for name in others if name.startswith("Copies")}
    assert (len(others - copies), len(copies)) == (11, 3), "docs/operations.md says what they cost"
