"""The dashboard and the saved queries. Its first row answers one question: am I safe?"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.monitoring.metrics import our_metric
from lightsail_snapshots_plans.models import Plan

NAME = "lightsail-snapshots"
WIDTH = 24
"""Columns of a dashboard: CloudWatch API reference, "Dashboard body structure"."""
HOUR, DAY = Duration.hours(1), Duration.days(1)

QUERIES: Mapping[str, str] = {
    "failures": "fields @timestamp, instance_name, region, reason, message, request"
    ' | filter state = "failed" | sort @timestamp desc | limit 100',
    "one-request": "fields @timestamp, attempt, state, instance_name, instance_snapshot_name, message, why"
    ' | filter correlation_id = "PASTE-THE-REQUEST-ID" | sort @timestamp asc | limit 1000',
    "one-instance": "fields @timestamp, plan, attempt, state, instance_snapshot_name, message, why"
    ' | filter instance_name = "PASTE-THE-NAME" | sort @timestamp desc | limit 1000',
    "overdue": "fields @timestamp, plan, instance_name, region, copy_region, overdue_since, recovery_point_at"
    ' | filter message = "Overdue" | sort @timestamp desc | limit 100',
    "unprotected": "fields @timestamp, count, instances"
    ' | filter message = "No plan selects these instances" | sort @timestamp desc | limit 1',
    "nothing-selected": "fields @timestamp, plan, select, regions"
    ' | filter message like "Selected no instances" | sort @timestamp desc | limit 20',
    # What we log; what the runtime says of an error that nobody caught (`log_level`: clients before 4.0.4); and a
    # timeout or a lack of memory, of which only Lambda's own report of the invocation can tell.
    "errors": "fields @timestamp, @log, message, exception, errorType, errorMessage, record.status"
    ' | filter level = "ERROR" or log_level = "ERROR" or record.status in ["timeout", "error", "failure"]'
    " | sort @timestamp desc | limit 100",
    "slowest": "fields @timestamp, seconds_to_available, instance_name, instance_snapshot_name, plan"
    " | filter ispresent(seconds_to_available) | sort seconds_to_available desc | limit 50",
}
"""CloudWatch Logs Insights queries by name; docs/operations.md has the same, to be pasted."""


class Dashboard(Construct):
    """One page, from "am I safe?" down to what goes on inside."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plans: Sequence[Plan],
        alarms: Sequence[cloudwatch.IAlarm],
        working: Mapping[str, sqs.IQueue],
        dead_letters: Mapping[str, sqs.IQueue],
        functions: Mapping[str, lambda_.IFunction],
        log_groups: Sequence[logs.ILogGroup],
    ) -> None:
        super().__init__(scope, construct_id)
        rows = [
            self._am_i_safe(plans, alarms),
            self._snapshots(any(plan.copy_to for plan in plans), working),
            self._inside(working, dead_letters, functions),
        ]
        cloudwatch.Dashboard(self, "Dashboard", dashboard_name=NAME, default_interval=Duration.days(7), widgets=rows)
        for name, query in QUERIES.items():
            # The class for a query's parts would quote them anew; ours are pasted into the runbook as they are.
            logs.CfnQueryDefinition(
                self,
                f"Query-{name}",
                name=f"{NAME}/{name}",
                query_string=query,
                log_group_names=[group.log_group_name for group in log_groups],
            )

    def _am_i_safe(self, plans: Sequence[Plan], alarms: Sequence[cloudwatch.IAlarm]) -> list[cloudwatch.IWidget]:
        limits = [
            cloudwatch.HorizontalAnnotation(value=plan.max_age / timedelta(hours=1), label=f"max_age of {plan.name}")
            for plan in plans
            if plan.max_age
        ]
        ages = [_of_plan("RecoveryPointAgeMax", plan) for plan in plans]
        copies = [_of_plan("CopyAgeMax", plan, f"{plan.name}, copies") for plan in plans if plan.copy_to]
        nobody = our_metric("InstancesUnprotected", statistic="Maximum", period=HOUR, label="no plan")
        overdue = [_of_plan("InstancesOverdue", plan) for plan in plans if plan.max_age]
        graph = cloudwatch.GraphWidget(
            title="Recovery point age: hours of work that would be lost, worst instance of each plan",
            left=[*ages, *copies],
            left_annotations=limits,
            left_y_axis=cloudwatch.YAxisProps(min=0, label="hours", show_units=False),
            width=10,
        )
        return [
            # CloudWatch refuses a dashboard in which any widget has nothing to show.
            *([_numbers("Overdue: must be 0", overdue)] if overdue else []),
            *([graph] if plans else []),
            _numbers(
                "Protected, and selected by no plan",
                [*(_of_plan("InstancesProtected", plan) for plan in plans), nobody],
            ),
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=6, height=6),
        ]

    def _snapshots(self, copies: bool, working: Mapping[str, sqs.IQueue]) -> list[cloudwatch.IWidget]:
        counted = ["SnapshotsRequested", "SnapshotsAvailable", "SnapshotsFailed", "SnapshotsDeleted"]
        copied = ["CopiesRequested", "CopiesAvailable", "CopiesFailed"] if copies else []
        return [
            _graph("Snapshots: taken, failed, deleted", [our_metric(name, period=HOUR) for name in counted], width=8),
            _graph(
                "Pending: asked for, not usable yet",
                [
                    queue.metric(name, statistic="Maximum", period=Duration.minutes(5), label=f"{what}, {state}")
                    for what, queue in working.items()
                    for name, state in (
                        ("ApproximateNumberOfMessagesNotVisible", "comes back"),
                        ("ApproximateNumberOfMessagesVisible", "waiting"),
                    )
                ],
                width=8 if not copied else 6,
            ),
            _graph(
                "Seconds until usable",
                [
                    our_metric("TimeToAvailable", statistic=statistic, period=DAY, label=label)
                    for statistic, label in (("p50", "half of them"), ("p90", "nine of ten"), ("Maximum", "slowest"))
                ],
                width=8 if not copied else 5,
            ),
            *([_graph("Copies", [our_metric(name, period=HOUR) for name in copied], width=5)] if copied else []),
        ]

    def _inside(
        self,
        working: Mapping[str, sqs.IQueue],
        dead_letters: Mapping[str, sqs.IQueue],
        functions: Mapping[str, lambda_.IFunction],
    ) -> list[cloudwatch.IWidget]:
        five_minutes = Duration.minutes(5)
        return [
            _graph(
                "Dead letters: must be empty",
                [
                    queue.metric_approximate_number_of_messages_visible(
                        period=five_minutes, statistic="Maximum", label=name
                    )
                    for name, queue in dead_letters.items()
                ],
            ),
            _graph(
                "Oldest message in the working queues, in seconds",
                [
                    queue.metric_approximate_age_of_oldest_message(period=five_minutes, statistic="Maximum", label=name)
                    for name, queue in working.items()
                ],
            ),
            _graph(
                "Function errors",
                [function.metric_errors(period=HOUR, label=name) for name, function in functions.items()],
            ),
        ]


def _of_plan(name: str, plan: Plan, label: str | None = None) -> cloudwatch.Metric:
    return our_metric(name, plan=plan.name, statistic="Maximum", period=HOUR, label=label or plan.name)


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric], width: int = WIDTH // 3) -> cloudwatch.GraphWidget:
    axis = cloudwatch.YAxisProps(min=0, show_units=False)
    return cloudwatch.GraphWidget(title=title, left=list(metrics), left_y_axis=axis, width=width)


def _numbers(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.SingleValueWidget:
    return cloudwatch.SingleValueWidget(title=title, metrics=list(metrics), width=4, height=6)
