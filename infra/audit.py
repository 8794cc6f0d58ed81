"""The `audit` capability: Audit Requested, on a schedule -> Lambda -> metrics, Recovery Point Overdue."""

from datetime import timedelta

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.capability import StackContext
from infra.event_function import EventFunction
from infra.monitoring.alarms import AlarmDefinition
from infra.monitoring.metrics import our_metric
from infra.rules import NOT_REPLAYED
from infra.schedules import Schedules
from lightsail_snapshots.events import AUDIT_REQUESTED, RECOVERY_POINT_OVERDUE, REQUEST_REJECTED, SOURCE
from lightsail_snapshots.reader import format_duration
from lightsail_snapshots_plans.plans import Plans

MAX_WINDOW = timedelta(days=7)
"""Of an alarm with periods of an hour or more: CloudWatch API reference, PutMetricAlarm."""


class Audit(EventFunction):
    """Finds the instances that have no recent snapshot. It can read two lists, and changes nothing in Lightsail."""

    module = "audit"
    description = "Finds the Lightsail instances that have no recent snapshot."
    publishes = (RECOVERY_POINT_OVERDUE, REQUEST_REJECTED)
    timeout = Duration.minutes(10)  # for 10,000 instances: several hundred pages, one after the other
    memory = 1024  # 100,000 snapshots of a Region, with their tags, need 250 MB

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        context: StackContext,
        *,
        plans: Plans,
        schedules: Schedules,
        runbook: str,
    ) -> None:
        super().__init__(scope, construct_id, context, environment={"RUNBOOK": runbook})
        self.allow_reads("lightsail:GetInstances", "lightsail:GetInstanceSnapshots")
        self.add_rule(
            "Rule",
            description="Our own requests for an audit; replayed ones are ignored.",
            bus=context.bus,
            pattern={"source": [SOURCE], "detail-type": [AUDIT_REQUESTED], **NOT_REPLAYED},
        )
        detail = {
            "plans": [plan.as_detail() for plan in plans.plans],
            "every": format_duration(plans.audit_interval),
        }
        schedules.put_event("audit", AUDIT_REQUESTED, detail, schedule=plans.audit_schedule)
        schedules.put_event("audit-report", AUDIT_REQUESTED, detail | {"report": True}, schedule=plans.report_schedule)
        self._add_alarms(plans)

    def _add_alarms(self, plans: Plans) -> None:
        """Watch each plan that has a `max_age`, and the audit itself: no data is an alarm too.

        An alarm looks back over two audits, so that one may be late or fail.
        """
        window = Duration.seconds(int(min(2 * plans.audit_interval, MAX_WINDOW).total_seconds()))
        for plan in plans.plans:
            if plan.max_age:
                overdue = our_metric("InstancesOverdue", plan=plan.name, statistic="Maximum", period=window)
                self.alarms.append(
                    AlarmDefinition(
                        name=f"overdue-{plan.name}",
                        section="overdue",
                        meaning=f"Plan {plan.name}: an instance has no usable snapshot or copy younger than max_age,"
                        " or no audit checked it.",
                        first="read the message that names the instances.",
                        metric=overdue,
                        missing=cloudwatch.TreatMissingData.BREACHING,
                    )
                )
        self.alarms.append(
            AlarmDefinition(
                name="audit-missing",
                meaning="No audit was completed, so nobody knows which instances have a recent snapshot.",
                first="read the log of the audit function.",
                metric=our_metric("AuditsCompleted", period=window),
                missing=cloudwatch.TreatMissingData.BREACHING,
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                threshold=1,
            )
        )
