"""The schedules of the stack: each puts one event on the bus."""

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import Aws, Duration, RemovalPolicy, Stack, TimeZone
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from infra.bus import Bus, may_publish
from infra.names import NAME
from infra.queues import DeadLetterQueue
from lightsail_snapshots.events import SOURCE
from lightsail_snapshots_plans.file import InvalidPlansError

MAX_INPUT = 256 * 1024
"""Bytes of a schedule's input: EventBridge Scheduler API reference, Target."""
INPUT_RESERVE = 1024
"""Bytes of it for what a schedule adds to the detail."""


class Schedules(Construct):
    """A group of EventBridge Scheduler schedules, with one role that may put their events on the bus and nothing else.

    An event that Scheduler could not put for a day goes to the dead-letter queue, with the error (user guide,
    "Configuring a schedule's dead-letter queue"). It was never on the bus, so it is not in the archive either.
    """

    def __init__(self, scope: Construct, construct_id: str, *, bus: Bus) -> None:
        super().__init__(scope, construct_id)
        self._bus = bus
        self.dead_letter_queue = DeadLetterQueue(self, "DeadLetterQueue")
        self._group = scheduler.ScheduleGroup(
            self, "Group", schedule_group_name=NAME, removal_policy=RemovalPolicy.DESTROY
        )
        self._detail_types: list[str] = []
        self._publish = may_publish(bus, self._detail_types)
        self._role = self._make_role()

    def put_event(
        self,
        name: str,
        detail_type: str,
        detail: Mapping[str, Any],
        *,
        schedule: str,
        timezone: str = "UTC",
        flexible_window: int | None = None,
    ) -> None:
        """Put an event on the bus on a schedule, or up to `flexible_window` minutes later.

        The detail gets the scheduled time as `scheduledTime`, which is the same in every retry. Raises
        InvalidPlansError if it is too large.
        """
        _check_size(name, detail)
        self._allow(detail_type)
        window = flexible_window and scheduler.TimeWindow.flexible(Duration.minutes(flexible_window))
        made = scheduler.Schedule(
            self,
            f"{name[0].upper()}{name[1:]}",
            schedule_name=name,
            schedule_group=self._group,
            description=f"Puts the event {detail_type} on the bus.",
            schedule=scheduler.ScheduleExpression.expression(schedule, TimeZone.of(timezone)),
            time_window=window or scheduler.TimeWindow.off(),
            target=self._target(detail_type, detail),
        )
        made.node.add_dependency(self._group, self._role, self._bus.source_policy)  # it has the group's name as text

    def _target(self, detail_type: str, detail: Mapping[str, Any]) -> targets.EventBridgePutEvents:
        when = scheduler.ContextAttribute.scheduled_time
        entry = targets.EventBridgePutEventsEntry(
            event_bus=self._bus,
            source=SOURCE,
            detail_type=detail_type,
            detail=scheduler.ScheduleTargetInput.from_object({**detail, "scheduledTime": when}),
        )
        return targets.EventBridgePutEvents(
            entry,
            role=self._role.without_policy_updates(),  # the target would let it put any event
            dead_letter_queue=self.dead_letter_queue,
            retry_attempts=185,
            max_event_age=Duration.hours(24),
        )

    def _make_role(self) -> iam.Role:
        """Make the role, for the schedules of this group only (user guide, "Confused deputy prevention")."""
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
        role.add_to_policy(self._publish)
        self._bus.allow_our_source(role)
        role.add_to_policy(
            iam.PolicyStatement(
                sid="KeepDeadLetters", actions=["sqs:SendMessage"], resources=[self.dead_letter_queue.queue_arn]
            )
        )
        return role

    def _allow(self, detail_type: str) -> None:
        """Let the role put events of one more type."""
        if detail_type not in self._detail_types:
            self._detail_types.append(detail_type)
            self._publish.add_condition("ForAllValues:StringEquals", {"events:detail-type": self._detail_types})


def _check_size(name: str, detail: Mapping[str, Any]) -> None:
    size = len(json.dumps(detail).encode())
    if size > MAX_INPUT - INPUT_RESERVE:
        raise InvalidPlansError(
            f"The schedule {name} needs {size:,} bytes for what plans.toml says, and can carry {MAX_INPUT:,}: "
            "use fewer plans, or shorter lists of names and tags."
        )
