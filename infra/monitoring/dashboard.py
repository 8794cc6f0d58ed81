"""The dashboard. Its first row answers one question: am I safe?"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.capability import Capability
from infra.monitoring.alarms import FIVE_MINUTES
from infra.monitoring.metrics import DAY, HOUR, our_metric
from infra.names import NAME
from lightsail_snapshots.plan import Plan

WIDTH = 24
"""Columns of a dashboard: CloudWatch API reference, "Dashboard body structure"."""
MAX_ALARMS = 100
"""In one widget: likewise."""

Row = list[cloudwatch.IWidget]


class Dashboard(Construct):
    """One page: whether each instance can be restored, what was done, and how the stack itself works."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plans: Sequence[Plan],
        audit_interval: timedelta,
        alarms: Sequence[cloudwatch.IAlarm],
        capabilities: Sequence[Capability],
        dead_letters: Mapping[str, sqs.IQueue],
    ) -> None:
        super().__init__(scope, construct_id)
        work_queues = {each.name: each.work_queue for each in capabilities if each.work_queue}
        errors = [each.function.metric_errors(period=HOUR, label=each.name) for each in capabilities]
        rows: list[Row] = [
            _am_i_safe(plans, _at_most_a_day(audit_interval), alarms[:MAX_ALARMS]),
            _snapshots(any(plan.copy_to for plan in plans), work_queues),
            [
                _numbers("Snapshots to review", [our_metric("SnapshotsToReview", statistic="Maximum", period=DAY)]),
                _graph("Dead letters: must be empty", _visible(dead_letters), width=7),
                _graph("Work queues: what waits must be received", _consumed(work_queues), width=7),
                _graph("Function errors", errors, width=6),
            ],
        ]
        for start in range(MAX_ALARMS, len(alarms), MAX_ALARMS):
            more = alarms[start : start + MAX_ALARMS]
            rows.append([cloudwatch.AlarmStatusWidget(title="More alarms", alarms=more, width=WIDTH)])
        cloudwatch.Dashboard(self, "Dashboard", dashboard_name=NAME, default_interval=Duration.days(7), widgets=rows)
        region = Stack.of(self).region
        page = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#dashboards/dashboard/{NAME}"
        CfnOutput(
            Stack.of(self),
            "DashboardUrl",
            value=page,
            description="Dashboard: which instances have no recent snapshot, and how the stack itself works.",
        )


def _am_i_safe(plans: Sequence[Plan], audits_apart: Duration, alarms: Sequence[cloudwatch.IAlarm]) -> Row:
    """Show what the audits found. Graphs have a point for each audit, else they would have gaps."""
    limits = [
        cloudwatch.HorizontalAnnotation(value=plan.max_age / timedelta(hours=1), label=f"max_age of {plan.name}")
        for plan in plans
        if plan.max_age
    ]
    with_copies = [plan for plan in plans if plan.copy_to]
    ages = [_by_plan("RecoveryPointAgeMax", plan, audits_apart) for plan in plans]
    copy_ages = [_by_plan("CopyAgeMax", plan, audits_apart, f"{plan.name}, copies") for plan in with_copies]
    overdue = [_by_plan("InstancesOverdue", plan, audits_apart) for plan in plans if plan.max_age]
    # By the day, since only the daily report counts them.
    unprotected = our_metric("InstancesUnprotected", statistic="Maximum", period=DAY)
    graph = cloudwatch.GraphWidget(
        title="Recovery point age: hours of work that would be lost, worst instance of each plan",
        left=[*ages, *copy_ages],
        left_annotations=limits,
        left_y_axis=cloudwatch.YAxisProps(min=0, label="hours", show_units=False),
        width=10,
    )
    return [
        # CloudWatch rejects a dashboard if a widget has no metrics.
        *([_numbers("Overdue: must be 0", overdue)] if overdue else []),
        *([graph] if plans else []),
        _numbers("Selected by no plan", [unprotected]),
        cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=6, height=6),
    ]


def _snapshots(has_copies: bool, work_queues: Mapping[str, sqs.IQueue]) -> Row:
    counted = ("SnapshotsAvailable", "SnapshotsFailed", "SnapshotsDeleted")
    copies = ("CopiesAvailable", "CopiesFailed") if has_copies else ()
    pending = [
        queue.metric(metric, statistic="Maximum", period=FIVE_MINUTES, label=f"{name}, {state}")
        for name, queue in work_queues.items()
        for metric, state in (
            ("ApproximateNumberOfMessagesNotVisible", "will be retried"),
            ("ApproximateNumberOfMessagesVisible", "waiting"),
        )
    ]
    width = WIDTH // (3 if copies else 2)
    return [
        _graph("Snapshots: taken, failed, deleted", [our_metric(name) for name in counted], width=width),
        _graph("Pending: requested, not usable yet", pending, width=width),
        *([_graph("Copies", [our_metric(name) for name in copies], width=width)] if copies else []),
    ]


def _visible(queues: Mapping[str, sqs.IQueue]) -> list[cloudwatch.Metric]:
    return [
        queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum", label=name)
        for name, queue in queues.items()
    ]


def _consumed(queues: Mapping[str, sqs.IQueue]) -> list[cloudwatch.Metric]:
    """The age of the oldest message would leave out each that was received three times."""
    return [
        queue.metric(metric, statistic=statistic, period=FIVE_MINUTES, label=f"{name}, {state}")
        for name, queue in queues.items()
        for metric, statistic, state in (
            ("ApproximateNumberOfMessagesVisible", "Minimum", "waiting"),
            ("NumberOfMessagesReceived", "Sum", "received"),
        )
    ]


def _by_plan(name: str, plan: Plan, period: Duration, label: str | None = None) -> cloudwatch.Metric:
    return our_metric(name, plan=plan.name, statistic="Maximum", period=period, label=label or plan.name)


def _at_most_a_day(length: timedelta) -> Duration:
    return Duration.seconds(int(min(length, timedelta(days=1)).total_seconds()))


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric], width: int) -> cloudwatch.GraphWidget:
    axis = cloudwatch.YAxisProps(min=0, show_units=False)
    return cloudwatch.GraphWidget(title=title, left=list(metrics), left_y_axis=axis, width=width)


def _numbers(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.SingleValueWidget:
    return cloudwatch.SingleValueWidget(title=title, metrics=list(metrics), width=4, height=6)
