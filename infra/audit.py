"""The `audit` capability: Audit Requested, on a schedule -> Lambda -> metrics, and what people should know."""

from datetime import timedelta

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.capability import StackContext
from infra.event_function import EventFunction
from infra.monitoring.alarms import AlarmDefinition
from infra.monitoring.metrics import our_metric
from infra.names import NAME
from infra.rules import NOT_REPLAYED
from infra.schedules import Schedules
from lightsail_snapshots.events import (
    AUDIT_COMPLETED,
    AUDIT_REQUESTED,
    INSTANCES_UNPROTECTED,
    RECOVERY_POINT_OVERDUE,
    REQUEST_REJECTED,
    RESTORE_PROOF_OVERDUE,
    SOURCE,
)
from lightsail_snapshots.reader import format_duration
from lightsail_snapshots_plans.plans import Plans

MAX_WINDOW = timedelta(days=7)
"""Of an alarm with periods of an hour or more: CloudWatch API reference, PutMetricAlarm."""


class Audit(EventFunction):
    """Finds the instances that have no recent snapshot, and those in no plan. It changes nothing in Lightsail."""

    module = "audit"
    description = "Finds the Lightsail instances that have no recent snapshot."
    publishes = (
        RECOVERY_POINT_OVERDUE,
        INSTANCES_UNPROTECTED,
        RESTORE_PROOF_OVERDUE,
        AUDIT_COMPLETED,
        REQUEST_REJECTED,
    )
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
        self._allow_to_read_alarms()
        self.add_rule(
            "Rule",
            description="Our own requests for an audit; replayed ones are ignored.",
            bus=context.bus,
            pattern={"source": [SOURCE], "detail-type": [AUDIT_REQUESTED], **NOT_REPLAYED},
        )
        detail = {
            "plans": [plan.as_detail() for plan in plans.plans],
            "every": format_duration(plans.audit_interval),
            **({"unprotected": list(plans.unprotected)} if plans.unprotected else {}),
            **({"unprotectedTags": dict(plans.unprotected_tags)} if plans.unprotected_tags else {}),
        }
        schedules.put_event("audit", AUDIT_REQUESTED, detail, schedule=plans.audit_schedule)
        schedules.put_event("audit-report", AUDIT_REQUESTED, detail | {"report": True}, schedule=plans.report_schedule)
        self._add_alarms(plans)

    def _allow_to_read_alarms(self) -> None:
        """Allow to see whether an alarm has gone off."""
        reason = "It only reads. CloudWatch does not say whether it checks a call against the alarms that it names."
        self.allow_in_regions("ReadAlarms", ["cloudwatch:DescribeAlarms"], [Stack.of(self).region], reason=reason)

    def _add_alarms(self, plans: Plans) -> None:
        """Watch each plan that has a `max_age`, the audit itself, and the instances in no plan.

        The alarms of plans, and on instances in no plan, keep their state until the next audit or daily report. Only
        the audit's own silence is an alarm: else one failed audit would set off the alarms of all plans. It looks back
        over two audits, so that one may be late or fail.
        """
        for plan in plans.plans:
            if plan.max_age:
                self.alarms.append(
                    AlarmDefinition(
                        name=plan.overdue_alarm.removeprefix(f"{NAME}-"),
                        section="overdue",
                        meaning=f"Plan {plan.name}: an instance has no usable snapshot or copy younger than max_age.",
                        first="read the message that names the instances.",
                        metric=our_metric("InstancesOverdue", plan=plan.name, statistic="Maximum"),
                    )
                )
        window = Duration.seconds(int(min(2 * plans.audit_interval, MAX_WINDOW).total_seconds()))
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
        self.watch(
            "instances-unprotected",
            our_metric("InstancesUnprotected", statistic="Maximum"),
            meaning="No plan selects some instances, and plans.toml does not say that this is meant.",
            first="read the message that names the instances.",
        )
