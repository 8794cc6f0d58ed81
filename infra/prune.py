"""The `prune` capability: Prune Requested, on a schedule -> Lambda -> DeleteInstanceSnapshot of ours."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.capability import StackContext
from infra.event_function import EventFunction
from infra.monitoring.metrics import our_metric
from infra.rules import NOT_REPLAYED
from infra.schedules import Schedules
from lightsail_snapshots.events import (
    INSTANCE_SNAPSHOT_DELETED,
    PRUNE_REFUSED,
    PRUNE_REQUESTED,
    REQUEST_REJECTED,
    SOURCE,
)
from lightsail_snapshots.naming import HOLD_KEY, MANAGED_BY, MANAGED_BY_KEY
from lightsail_snapshots_plans.plans import Plans


class Prune(EventFunction):
    """Deletes the snapshots that no plan keeps any longer."""

    module = "prune"
    description = "Deletes the snapshots of Lightsail instances that no plan keeps any longer."
    publishes = (INSTANCE_SNAPSHOT_DELETED, PRUNE_REFUSED, REQUEST_REJECTED)
    memory = 1024  # all snapshots of all Regions at once: 100,000 need several hundred megabytes

    def __init__(
        self, scope: Construct, construct_id: str, context: StackContext, *, plans: Plans, schedules: Schedules
    ) -> None:
        super().__init__(scope, construct_id, context)
        self._allow_deletions()
        self._allow_to_read_its_log()
        self.add_rule(
            "Rule",
            description="Our own requests to delete the snapshots that no plan keeps; replayed ones are ignored.",
            bus=context.bus,
            # A replayed request carries the plans of an earlier day, which may keep less than today's.
            pattern={"source": [SOURCE], "detail-type": [PRUNE_REQUESTED], **NOT_REPLAYED},
        )
        detail = {"plans": [plan.as_detail() for plan in plans.plans]}
        schedules.put_event("prune", PRUNE_REQUESTED, detail, schedule=plans.prune_schedule)
        schedules.put_event("prune-report", PRUNE_REQUESTED, detail | {"report": True}, schedule=plans.report_schedule)
        self.watch(
            "prune-refused",
            our_metric("PrunesRefused"),
            meaning="Some snapshots stay only because they were taken under keep rules that keep more.",
            first="check the keep rules in plans.toml.",
        )

    def _allow_deletions(self) -> None:
        """Allow to list snapshots and instances, and to delete those that have our tag and no hold."""
        self.allow_on_all(
            "InstanceSnapshot",
            self.context.all_regions,
            sid="DeleteOurs",
            action="lightsail:DeleteInstanceSnapshot",
            conditions={
                "StringEquals": {f"aws:ResourceTag/{MANAGED_BY_KEY}": MANAGED_BY},
                # This also covers a hold that is set after prune has read the tags.
                "Null": {f"aws:ResourceTag/{HOLD_KEY}": "true"},
            },
            reason="A snapshot's ARN ends in a random id. The condition requires our tag.",
        )
        # The daily report lists instances too, to find the snapshots of those that are gone.
        self.allow_reads("lightsail:GetInstances", "lightsail:GetInstanceSnapshot", "lightsail:GetInstanceSnapshots")

    def _allow_to_read_its_log(self) -> None:
        """Allow to see there what an earlier attempt deleted and, since it was killed, did not announce."""
        self.function.add_environment("LOG_GROUP", self.log_group.log_group_name)
        statement = iam.PolicyStatement(
            sid="ReadOwnLog", actions=["logs:FilterLogEvents"], resources=[self.log_group.log_group_arn]
        )
        self.role.add_to_policy(statement)
