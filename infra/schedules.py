"""Schedules that put one event on the bus each time."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Aws, Duration, RemovalPolicy, Stack, TimeZone
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from infra.capability import may_publish, queue_for_dead_letters
from lightsail_snapshots.events import SOURCE
from lightsail_snapshots_plans.schedule_expression import Schedule

GROUP_NAME = "lightsail-snapshots"


def plan_schedule_name(plan: str) -> str:
    """Return the name that a plan's schedule has in the group."""
    return f"plan-{plan}"


class Schedules(Construct):
    """A group of EventBridge Scheduler schedules, with one role that may put these events on the bus and nothing else.

    What could not be put for a day lies in the dead-letter queue as Scheduler's own dead-letter event, which says what
    failed and why (user guide, "Configuring a schedule's dead-letter queue"). It never was on the bus, nor is it in the
    bus's archive.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, bus: events.IEventBus, detail_types: Sequence[str]
    ) -> None:
        super().__init__(scope, construct_id)
        self._bus = bus
        self.dead_letter_queue = queue_for_dead_letters(self, "DeadLetterQueue")
        self._group = scheduler.ScheduleGroup(
            self, "Group", schedule_group_name=GROUP_NAME, removal_policy=RemovalPolicy.DESTROY
        )
        self.role = self._role(detail_types)

    def put_event(
        self,
        construct_id: str,
        *,
        name: str,
        description: str,
        schedule: Schedule,
        detail_type: str,
        detail: Mapping[str, Any],
        timezone: str = "UTC",
        flexible_window: int | None = None,
    ) -> None:
        """Put an event whenever the schedule says, within so many minutes from then where there is a flexible window.

        The detail gets the time that the schedule meant as `scheduledTime`: however often, and however late, the event
        comes, it is the same.
        """
        entry = targets.EventBridgePutEventsEntry(
            event_bus=self._bus,
            source=SOURCE,
            detail_type=detail_type,
            detail=scheduler.ScheduleTargetInput.from_object(
                {**detail, "scheduledTime": scheduler.ContextAttribute.scheduled_time}
            ),
        )
        made = scheduler.Schedule(
            self,
            construct_id,
            schedule_name=name,
            schedule_group=self._group,
            description=description,
            schedule=scheduler.ScheduleExpression.expression(schedule.expression, TimeZone.of(timezone)),
            time_window=_window(flexible_window),
            target=targets.EventBridgePutEvents(
                entry,
                # The target would give the role the right to put any event; it has its rights from `_role`.
                role=self.role.without_policy_updates(),
                dead_letter_queue=self.dead_letter_queue,
                retry_attempts=185,
                max_event_age=Duration.hours(24),
            ),
        )
        made.node.add_dependency(self._group, self.role)  # it names the group in plain text, which orders nothing

    def _role(self, detail_types: Sequence[str]) -> iam.Role:
        """Let Scheduler assume it for this group's schedules only (user guide, "Confused deputy prevention")."""
        group = Stack.of(self).format_arn(
            service="scheduler", resource="schedule-group", resource_name=self._group.schedule_group_name
        )
        conditions = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID, "aws:SourceArn": group}}
        role = iam.Role(
            self,
            "Role",
            description="Puts the events of the schedules on the bus, and nothing else.",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=conditions),
        )
        role.add_to_policy(may_publish(self._bus, detail_types))
        role.add_to_policy(
            iam.PolicyStatement(
                sid="KeepDeadLetters", actions=["sqs:SendMessage"], resources=[self.dead_letter_queue.queue_arn]
            )
        )
        return role


def _window(minutes: int | None) -> scheduler.TimeWindow:
    return scheduler.TimeWindow.flexible(Duration.minutes(minutes)) if minutes else scheduler.TimeWindow.off()
