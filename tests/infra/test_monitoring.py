"""The alarms, the messages and the dashboard: they watch what the code emits, and none is silent."""

import json
import re
from typing import Any

import pytest

from infra.monitoring.queries import QUERIES
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.selection import Select
from lightsail_snapshots_plans.plans import MAX_PLANS
from tests.infra import emitted
from tests.infra.synthesized import ACCOUNT, REGION, ROOT, Synthesized, synthesize, without_hash
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
DRILL = 'drill = { schedule = "rate(7 days)", max_age = "35d" }'
"""The last line of a plan."""
CHAT = 'chat = { webhook_parameter = "/chat" }'
OPERATIONS = ROOT / "docs" / "operations.md"
ALARM, DASHBOARD = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"

OURS = {
    "overdue-daily": ("InstancesOverdue", "Maximum", "ignore"),
    "instances-unprotected": ("InstancesUnprotected", "Maximum", "ignore"),
    "audit-missing": ("AuditsCompleted", "Sum", "breaching"),
    "snapshots-failed": ("SnapshotsFailed", "Sum", "ignore"),
    "copies-failed": ("CopiesFailed", "Sum", "ignore"),
    "nothing-selected-daily": ("EmptySelections", "Sum", "ignore"),
    "prune-refused": ("PrunesRefused", "Sum", "ignore"),
}
DEAD_LETTERS = {
    "create": "CreateDeadLetterQueue",
    "copy": "CopyDeadLetterQueue",
    "copy-undelivered": "CopyUndeliveredQueue",
    "fan-out": "FanOutFailures",
    "prune": "PruneFailures",
    "audit": "AuditFailures",
    "notify": "NotifyFailures",
    "schedules": "SchedulesDeadLetterQueue",
}
FUNCTIONS = {"fan-out": "FanOut", "create": "Create", "copy": "Copy", "prune": "Prune", "audit": "Audit"}
WORK_QUEUES = {"create": "CreateQueue", "copy": "CopyQueue"}


@pytest.fixture(scope="module")
def watched() -> Synthesized:
    return synthesize(PLANS)


@pytest.fixture(scope="module")
def alarms(watched: Synthesized) -> dict[str, dict[str, Any]]:
    """The alarms' properties, by name without the prefix that all have."""
    found = watched.of_type(ALARM).values()
    return {properties["AlarmName"].removeprefix("lightsail-snapshots-"): properties for properties in found}


@pytest.fixture(scope="module")
def series() -> set[emitted.Series]:
    return emitted.series()


def watches(alarm: dict[str, Any]) -> emitted.Series:
    dimensions = frozenset((each["Name"], each["Value"]) for each in alarm.get("Dimensions", []))
    return alarm["Namespace"], alarm["MetricName"], dimensions


def topic(template: Synthesized) -> str:
    return template.arn(template.id_of("AWS::SNS::Topic"))


# Alarms


def test_stack_has_these_alarms_only(alarms: dict[str, Any]) -> None:
    dead_letters = {f"dead-letters-{name}" for name in DEAD_LETTERS}
    stalled = {f"queue-stalled-{name}" for name in WORK_QUEUES}
    assert set(alarms) == {
        *OURS,
        "nothing-selected-archive",
        *dead_letters,
        *stalled,
        *(f"function-errors-{name}" for name in FUNCTIONS),
    }


def test_alarm_on_our_metric_watches_what_the_code_emits(alarms: dict[str, Any], series: set[emitted.Series]) -> None:
    assert {watches(alarms[name]) for name in OURS} <= series
    for name, expected in OURS.items():
        alarm = alarms[name]
        assert (alarm["MetricName"], alarm["Statistic"], alarm["TreatMissingData"]) == expected


def test_alarm_of_a_plan_has_the_name_that_the_audit_asks_for(watched: Synthesized) -> None:
    names = {alarm["AlarmName"] for alarm in watched.of_type(ALARM).values()}
    assert Plan(name="daily", select=Select()).overdue_alarm in names


def test_disabled_plan_has_no_alarm_on_an_empty_selection() -> None:
    template = synthesize(plan_toml(enabled="false", max_age='"26h"'))
    names = {alarm["AlarmName"] for alarm in template.of_type(ALARM).values()}
    assert "lightsail-snapshots-overdue-daily" in names
    assert "lightsail-snapshots-nothing-selected-daily" not in names


def test_alarm_goes_off_at_the_first_failure_but_for_missing_audits(alarms: dict[str, Any]) -> None:
    for name in OURS:
        alarm = alarms[name]
        wrong = ("LessThanThreshold", 1) if name == "audit-missing" else ("GreaterThanThreshold", 0)
        assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["EvaluationPeriods"]) == (*wrong, 1), name


@pytest.mark.parametrize(
    ("audits", "hours"),
    [
        ("", 12),
        ('audit_schedule = "rate(1 hour)"', 2),
        ('audit_schedule = "cron(0 7,19 * * ? *)"', 24),
        ('audit_schedule = "cron(0 7 1 * ? *)"', 7 * 24),  # the most that CloudWatch takes
    ],
)
def test_alarm_on_missing_audits_looks_back_over_two(audits: str, hours: int) -> None:
    template = synthesize(audits + PLANS)
    periods = {alarm.get("MetricName"): alarm.get("Period") for alarm in template.of_type(ALARM).values()}
    assert periods["AuditsCompleted"] == hours * 3600
    assert periods["InstancesOverdue"] == 3600, "it follows each audit, and keeps its state between them"


def test_dead_letter_alarm_lasts_until_the_queue_is_empty(alarms: dict[str, Any], watched: Synthesized) -> None:
    for name, queue in DEAD_LETTERS.items():
        alarm = alarms[f"dead-letters-{name}"]
        dimensions = frozenset({("QueueName", watched.queue(queue)[0].rpartition(":")[2])})
        assert watches(alarm) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible", dimensions)
        assert (alarm["Statistic"], alarm["Threshold"], alarm["TreatMissingData"]) == ("Maximum", 0, "ignore")


def test_every_queue_is_a_work_queue_or_has_an_alarm(watched: Synthesized) -> None:
    queues = {without_hash(name) for name in watched.of_type("AWS::SQS::Queue")}
    assert queues == {*DEAD_LETTERS.values(), *WORK_QUEUES.values()}


def test_stalled_alarm_needs_three_periods_of_waiting_messages_that_nothing_receives(
    alarms: dict[str, Any], watched: Synthesized
) -> None:
    for name, queue in WORK_QUEUES.items():
        alarm = alarms[f"queue-stalled-{name}"]
        result, *inputs = alarm["Metrics"]
        assert result["Expression"] == "IF(waiting > 0 AND (received + 0 * waiting) == 0, waiting, 0)"
        assert {
            one["Id"]: (one["MetricStat"]["Metric"]["MetricName"], one["MetricStat"]["Stat"]) for one in inputs
        } == {
            "waiting": ("ApproximateNumberOfMessagesVisible", "Minimum"),
            "received": ("NumberOfMessagesReceived", "Sum"),
        }
        queues = {one["MetricStat"]["Metric"]["Dimensions"][0]["Value"] for one in inputs}
        assert queues == {watched.queue(queue)[0].rpartition(":")[2]}
        assert {one["MetricStat"]["Period"] for one in inputs} == {300}
        assert (alarm["EvaluationPeriods"], alarm["Threshold"], alarm["TreatMissingData"]) == (3, 0, "ignore")


def test_function_alarm_goes_off_when_all_attempts_failed(alarms: dict[str, Any], watched: Synthesized) -> None:
    for name, construct in FUNCTIONS.items():
        alarm = alarms[f"function-errors-{name}"]
        function = watched.id_of("AWS::Lambda::Function", construct)
        assert watches(alarm) == ("AWS/Lambda", "Errors", frozenset({("FunctionName", function)}))
        assert (alarm["Statistic"], alarm["Period"], alarm["ComparisonOperator"]) == (
            "Sum",
            3600,
            "GreaterThanThreshold",
        )
        assert alarm["Threshold"] == watched.only("AWS::Lambda::EventInvokeConfig", construct)["MaximumRetryAttempts"]


def test_alarm_sends_messages_when_it_goes_off_and_when_all_is_well(
    alarms: dict[str, Any], watched: Synthesized
) -> None:
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic(watched)]
        assert alarm.get("ActionsEnabled", True)


def test_alarm_says_what_it_means_what_to_do_first_and_where_to_read_on(alarms: dict[str, Any]) -> None:
    form = r"[A-Z].{20,}\. First: [a-z].{20,}\. Step by step: docs/operations\.md#[a-z-]+"
    assert [name for name, alarm in alarms.items() if not re.fullmatch(form, alarm["AlarmDescription"])] == []


# The runbook


def sections() -> dict[str, str]:
    """Read the sections of the runbook about alarms, by their anchor."""
    text = OPERATIONS.read_text(encoding="utf-8").split("\n## Alarms\n")[1].split("\n## ")[0]
    parts = text.split("\n### ")[1:]
    return {part.partition("\n")[0].lower().replace(" ", "-"): part for part in parts}


def test_runbook_has_a_section_for_each_alarm_and_no_other() -> None:
    alarms = synthesize(CHAT + PLANS + DRILL).of_type(ALARM).values()
    assert {alarm["AlarmDescription"].rpartition("#")[2] for alarm in alarms} == set(sections())
    for anchor, text in sections().items():
        missing = [part for part in ("**Means:**", "**Look:**", "**Do:**") if part not in text]
        assert missing == [], anchor


def test_runbook_names_the_resources_of_the_stack(watched: Synthesized) -> None:
    """Its shell functions take the logical id without the CDK's hash, or the start of it."""
    text = OPERATIONS.read_text(encoding="utf-8")
    table = re.findall(r"^\| `([a-z-]+)` \| `(\w+)` \|", text, re.M)
    assert dict(table) == DEAD_LETTERS | {"drill": "DrillDeadLetterQueue"}
    for name in set(re.findall(r"\$\(queue (\w+)\)", text)) - {"QUEUE"}:
        assert watched.id_of("AWS::SQS::Queue", name)
    for name in re.findall(r"`redrive (\w+)`", text):
        assert watched.queue(f"{name}DeadLetterQueue")
        assert watched.queue(f"{name}Queue")
    for name in re.findall(r"`replay (\w+)`", text):
        assert watched.queue(f"{name}Failures")
        assert watched.id_of("AWS::Lambda::Function", name)
    for name in re.findall(r"`replay_archive NAME .* (\w+)`", text):
        assert watched.id_of("AWS::Events::Rule", name)


def test_runbook_and_stack_have_the_same_queries(watched: Synthesized) -> None:
    written = set(re.findall(r"```sql\n(.*?)\n```", OPERATIONS.read_text(encoding="utf-8"), re.S))
    saved = watched.of_type("AWS::Logs::QueryDefinition").values()
    assert {" ".join(query.split()) for query in written} == set(QUERIES.values())
    assert {one["QueryString"] for one in saved} == set(QUERIES.values())
    for query in saved:
        assert set(query["LogGroupNames"]) == set(watched.of_type("AWS::Logs::LogGroup"))


def test_error_query_finds_errors_that_only_lambda_reports() -> None:
    """The runtime logs an uncaught error; only `platform.report` has a timeout (Lambda Telemetry API)."""
    for condition in ('level = "ERROR"', 'log_level = "ERROR"', 'record.status in ["timeout", "error", "failure"]'):
        assert condition in QUERIES["errors"]
    assert {"errorType", "errorMessage"} <= set(re.findall(r"\w+", QUERIES["errors"].partition("|")[0]))


# Messages


def test_each_address_of_the_file_is_subscribed(watched: Synthesized) -> None:
    subscriptions = watched.of_type("AWS::SNS::Subscription").values()
    assert {(each["Protocol"], each["Endpoint"], each["TopicArn"]) for each in subscriptions} == {
        ("email", "ops@example.com", topic(watched)),
        ("email", "me@example.com", topic(watched)),
    }


def test_only_alarms_of_this_account_may_publish_and_only_over_tls(watched: Synthesized) -> None:
    statements = watched.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    allowed = [each for each in statements if each["Effect"] == "Allow"]
    assert [(each["Principal"], each["Action"], each.get("Condition")) for each in allowed] == [
        (
            {"Service": "cloudwatch.amazonaws.com"},
            "sns:Publish",
            {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        ),
    ]
    (denied,) = (each for each in statements if each["Effect"] == "Deny")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_topic_is_encrypted_with_a_key_that_alarms_may_use(watched: Synthesized) -> None:
    key = watched.only("AWS::KMS::Key")
    assert watched.only("AWS::SNS::Topic")["KmsMasterKeyId"] == watched.arn(watched.id_of("AWS::KMS::Key"))
    assert key["EnableKeyRotation"]
    users = [each for each in key["KeyPolicy"]["Statement"] if "kms:GenerateDataKey*" in each["Action"]]
    assert [each["Principal"]["Service"] for each in users] == ["cloudwatch.amazonaws.com"]


# The dashboard


def widgets(template: Synthesized) -> list[dict[str, Any]]:
    body: dict[str, Any] = json.loads(template.only(DASHBOARD)["DashboardBody"])
    found: list[dict[str, Any]] = body["widgets"]
    return found


def metrics(widget: dict[str, Any]) -> set[emitted.Series]:
    """Read a widget's metrics."""
    found: set[emitted.Series] = set()
    for metric in widget["properties"].get("metrics", []):
        namespace, name, *dimensions = [part for part in metric if isinstance(part, str)]
        assert "." not in (namespace, name), "a dot repeats a part of the metric before"
        found.add((namespace, name, frozenset(zip(dimensions[::2], dimensions[1::2], strict=True))))
    return found


def test_first_row_answers_whether_i_am_safe(watched: Synthesized) -> None:
    first = [widget["properties"]["title"].split(":")[0] for widget in widgets(watched) if widget["y"] == 0]
    assert first == ["Overdue", "Recovery point age", "Selected by no plan", "Alarms"]


def test_dashboard_shows_what_the_code_emits(watched: Synthesized, series: set[emitted.Series]) -> None:
    shown = {one for widget in widgets(watched) for one in metrics(widget) if one[0] == "LightsailSnapshots"}
    as_daily = {
        (space, name, frozenset(("plan", "daily") if each[0] == "plan" else each for each in dimensions))
        for space, name, dimensions in shown
    }
    assert as_daily - series == set()


@pytest.mark.parametrize(
    ("audits", "hours"),
    [("", 6), ('audit_schedule = "rate(1 hour)"', 1), ('audit_schedule = "cron(0 7 1 * ? *)"', 24)],
)
def test_graph_of_what_audits_find_has_a_point_for_each(audits: str, hours: int) -> None:
    shown = [each["properties"] for each in widgets(synthesize(audits + PLANS)) if each["y"] == 0]
    periods = {part["period"] for one in shown[:2] for metric in one["metrics"] for part in metric if "period" in part}
    assert periods == {hours * 3600}


def test_dashboard_shows_all_alarms_and_all_queues(watched: Synthesized) -> None:
    (status,) = (widget for widget in widgets(watched) if widget["type"] == "alarm")
    shown = [arn.rpartition(":")[2] for arn in status["properties"]["alarms"]]
    assert sorted(shown) == sorted(watched.of_type(ALARM))
    queues = {dict(dimensions).get("QueueName") for widget in widgets(watched) for _, _, dimensions in metrics(widget)}
    assert set(watched.of_type("AWS::SQS::Queue")) <= queues


@pytest.mark.parametrize("text", ["", plan_toml(), plan_toml(max_age='"26h"')], ids=["none", "no max_age", "usual"])
def test_every_widget_has_data_or_cloudwatch_rejects_the_dashboard(text: str) -> None:
    shown = [widget["properties"] for widget in widgets(synthesize(text))]
    assert shown
    assert [one["title"] for one in shown if not one.get("metrics") and not one.get("alarms")] == []


def test_as_many_plans_as_are_allowed_fit_into_the_stack_and_the_dashboard() -> None:
    plan = plan_toml(max_age='"2d"', copy_to='["eu-west-3"]')
    full = synthesize("\n".join(plan.replace("daily", f"p{number}") for number in range(MAX_PLANS)))
    shown = [widget["properties"]["alarms"] for widget in widgets(full) if widget["type"] == "alarm"]
    assert max(map(len, shown)) <= 100
    assert sum(map(len, shown)) == len(full.of_type(ALARM)) > 2 * MAX_PLANS
    assert len(full.document["Resources"]) <= 500


def test_dashboard_shows_the_snapshots_to_review_as_a_number(watched: Synthesized) -> None:
    (widget,) = (each for each in widgets(watched) if each["properties"]["title"] == "Snapshots to review")
    assert widget["properties"]["view"] == "singleValue"
    assert {name for _, name, _ in metrics(widget)} == {"SnapshotsToReview"}


def test_every_row_is_as_wide_as_the_page(watched: Synthesized) -> None:
    rows: dict[int, int] = {}
    for widget in widgets(watched):
        rows[widget["y"]] = rows.get(widget["y"], 0) + widget["width"]
        assert widget["properties"].get("region", REGION) == REGION
    assert set(rows.values()) == {24}


def test_alarms_on_drills_watch_what_the_code_emits(series: set[emitted.Series]) -> None:
    template = synthesize(PLANS + DRILL)
    for name in ("drillsfailed", "drillclonesleft"):
        assert watches(template.only(ALARM, f"MonitoringAlarms{name}")) in series


def test_plan_without_drill_deploys_nothing_for_it(watched: Synthesized) -> None:
    assert "drill" not in json.dumps(watched.document).lower().replace("restore drill", "")


def test_alarm_on_the_chat_watches_what_the_code_emits(everything: Synthesized) -> None:
    alarm = everything.only(ALARM, "MonitoringAlarmschatfailed")
    assert {watches(alarm)} == emitted.series_of_chat()
    assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["EvaluationPeriods"]) == (
        "GreaterThanThreshold",
        0,
        1,
    )
