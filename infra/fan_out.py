"""The `fan_out` capability: Fleet Snapshot Requested, or a plan's `on` -> Lambda -> one request for each instance."""

import json
from collections.abc import Sequence

from constructs import Construct

from infra.capability import StackContext
from infra.event_function import EventFunction
from infra.monitoring.alarms import AlarmDefinition
from infra.monitoring.metrics import our_metric
from infra.rules import NOT_REPLAYED
from infra.schedules import Schedules
from lightsail_snapshots.events import (
    FLEET_SNAPSHOT_REQUESTED,
    INSTANCE_SNAPSHOT_REQUESTED,
    REQUEST_REJECTED,
    SOURCE,
)
from lightsail_snapshots.plan import Plan
from lightsail_snapshots_plans.fleet_request import fleet_request


class FanOut(EventFunction):
    """Requests a snapshot of each instance that a plan selects: on the plan's schedule and on events."""

    module = "fan_out"
    description = "Requests a snapshot of each Lightsail instance that a plan selects."
    publishes = (INSTANCE_SNAPSHOT_REQUESTED, REQUEST_REJECTED)

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        context: StackContext,
        *,
        plans: Sequence[Plan],
        schedules: Schedules,
    ) -> None:
        super().__init__(scope, construct_id, context)
        self.allow_reads("lightsail:GetInstances")
        self.add_rule(
            "Rule",
            description="Requests for snapshots of all selected instances, from any source; replayed ones are ignored.",
            bus=context.bus,
            # A replayed request selects instances by the plans of an earlier day.
            pattern={"detail-type": [FLEET_SNAPSHOT_REQUESTED], **NOT_REPLAYED},
        )
        for plan in plans:
            if plan.enabled:
                self._schedule(plan, schedules)
                self._trigger(plan)
                self._watch_selection(plan)

    def _watch_selection(self, plan: Plan) -> None:
        """Watch each plan by itself: one that is always empty must not hide another one that becomes so."""
        self.alarms.append(
            AlarmDefinition(
                name=f"nothing-selected-{plan.name}",
                section="nothing-selected",
                meaning=f"Plan {plan.name} ran and selected no instances, so it took no snapshots.",
                first="check the tags and names, in plans.toml and on the instances.",
                metric=our_metric("EmptySelections", plan=plan.name),
            )
        )

    def _schedule(self, plan: Plan, schedules: Schedules) -> None:
        if plan.schedule:
            schedules.put_event(
                f"plan-{plan.name}",
                FLEET_SNAPSHOT_REQUESTED,
                fleet_request(plan),
                schedule=plan.schedule,
                timezone=plan.timezone,
                flexible_window=plan.flexible_window,
            )

    def _trigger(self, plan: Plan) -> None:
        """Run the plan on each event that its `on` matches, on the default bus and on ours.

        The function gets the plan's request, from our own source, with the event's id and time, by which it knows a
        second delivery.
        """
        if not plan.on:
            return
        # EventBridge adds the quotation marks to id and time. A plan may not contain < or >: `plans` checks it.
        request = f'"source": {json.dumps(SOURCE)}, "detail": {json.dumps(fleet_request(plan))}'
        template = f'{{"id": <id>, "time": <time>, {request}}}'
        buses = (("default", "the default bus", None), ("ours", "our bus", self.context.bus))
        for name, bus_name, bus in buses:
            self.add_rule(
                f"On-{plan.name}-{name}",
                description=f"Events on {bus_name} that trigger the plan {plan.name}.",
                bus=bus,
                pattern=plan.on,
                template=template,
                paths={"id": "$.id", "time": "$.time"},
            )
