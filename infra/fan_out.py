"""The `fan_out` capability: Fleet Snapshot Requested, or a plan's own trigger -> Lambda -> one request per instance."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from constructs import Construct

from infra.capability import StackContext
from infra.event_function import EventFunction
from lightsail_snapshots.events import FLEET_SNAPSHOT_REQUESTED, INSTANCE_SNAPSHOT_FAILED, INSTANCE_SNAPSHOT_REQUESTED
from lightsail_snapshots_plans.models import Plan, fleet_request


class FanOut(EventFunction):
    """Puts a request on the bus for each instance that a Fleet request selects."""

    def __init__(self, scope: Construct, construct_id: str, shared: StackContext) -> None:
        super().__init__(
            scope,
            construct_id,
            shared,
            module="fan_out",
            description="Asks for a snapshot of each Lightsail instance that a plan selects.",
            publishes=[INSTANCE_SNAPSHOT_REQUESTED, INSTANCE_SNAPSHOT_FAILED],
            timeout=Duration.minutes(15),  # the most that Lambda gives; fan_out's own docstring says what it needs
        )
        self.allow_reads("List", ["lightsail:GetInstances"], shared.regions)
        self.rule(
            "Rule",
            bus=shared.bus,
            description="Requests for snapshots of all instances that are selected, from any source.",
            pattern={"detail-type": [FLEET_SNAPSHOT_REQUESTED]},
        )

    def trigger(self, plan: Plan) -> None:
        """Run the plan on every event that its `on` matches, on the account's own bus and on ours.

        The rule's target makes a Fleet request of the event. Its id and time tell two events from each other, and two
        deliveries of one from two events.
        """
        for name, bus in (("default", None), ("ours", self.shared.bus)):
            self.rule(
                f"On-{plan.name}-{name}",
                bus=bus,
                description=f"What triggers the plan {plan.name}, on {name}.",
                pattern=plan.on or {},
                # EventBridge puts quotes round the two itself, and nothing in a plan can hold < or >: see its checks.
                event=events.RuleTargetInput.from_object(
                    {
                        "id": events.EventField.event_id,
                        "time": events.EventField.time,
                        "detail": fleet_request(plan),
                    }
                ),
            )
