"""The `drill` capability: Restore Drill Requested -> queue -> Lambda -> a clone that is made, asked and deleted.

It is deployed only if a plan has `drill`.
"""

from datetime import timedelta
from typing import Any

from aws_cdk import Duration
from constructs import Construct

from infra.capability import StackContext
from infra.monitoring.metrics import our_metric
from infra.queue_function import QueueFunction
from infra.rules import NOT_REPLAYED
from infra.schedules import Schedules
from lightsail_snapshots.events import (
    REQUEST_REJECTED,
    RESTORE_DRILL_FAILED,
    RESTORE_DRILL_PASSED,
    RESTORE_DRILL_REQUESTED,
    SOURCE,
)
from lightsail_snapshots.events.restore_drill_requested import run_detail
from lightsail_snapshots.naming import (
    DRILL_OWNER,
    DRILL_RESULT_KEY,
    MANAGED_BY,
    MANAGED_BY_KEY,
    PROVEN_AT_KEY,
    PROVEN_SECONDS_KEY,
)
from lightsail_snapshots_plans.plans import Plans
from lightsail_snapshots_plans.schedule_expression import parse_schedule

OF_OURS = {f"aws:ResourceTag/{MANAGED_BY_KEY}": MANAGED_BY}
OF_CLONES = {f"aws:ResourceTag/{MANAGED_BY_KEY}": DRILL_OWNER}


class Drill(QueueFunction):
    """Restores snapshots to clones, and deletes them. It can change no instance that does not carry its own tag."""

    module = "drill"
    description = "Restores snapshots to see whether they work, and deletes the clones."
    publishes = (RESTORE_DRILL_REQUESTED, RESTORE_DRILL_PASSED, RESTORE_DRILL_FAILED, REQUEST_REJECTED)
    timeout = Duration.minutes(1)  # a dozen calls and a probe
    deadline = Duration.hours(24)

    def __init__(
        self, scope: Construct, construct_id: str, context: StackContext, *, plans: Plans, schedules: Schedules
    ) -> None:
        super().__init__(scope, construct_id, context, max_concurrency=2)
        self._allow_clones()
        self._allow_verdicts()
        self.allow_reads(
            "lightsail:GetBundles",
            "lightsail:GetInstance",
            "lightsail:GetInstanceMetricData",
            "lightsail:GetInstanceSnapshot",
            "lightsail:GetInstanceSnapshots",
            "lightsail:GetInstances",
            "lightsail:GetOperationsForResource",
        )
        self.add_rule(
            "Rule",
            description="Our own requests for restore drills; replayed ones are ignored.",
            pattern={"source": [SOURCE], "detail-type": [RESTORE_DRILL_REQUESTED], **NOT_REPLAYED},
            undelivered=self.dead_letter_queue,
        )
        for plan in plans.plans:
            if plan.drill:
                gap = parse_schedule(plan.drill.schedule).longest_gap
                schedules.put_event(
                    f"drill-{plan.name}",
                    RESTORE_DRILL_REQUESTED,
                    run_detail(plan, gap or timedelta(days=31)),  # L, W and # are days of a month
                    schedule=plan.drill.schedule,
                    timezone=plan.timezone,
                )
        self._watch_drills()

    def _allow_clones(self) -> None:
        """Allow to make clones of our own snapshots, and to change and delete only clones.

        There is no TagResource on instances: with it, the role could make a clone of any instance, and delete it.
        """
        regions = self.context.all_regions
        self.allow_on_all(
            "InstanceSnapshot",
            regions,
            sid="MakeClones",
            action="lightsail:CreateInstancesFromSnapshot",
            conditions={"StringEquals": {**OF_OURS, f"aws:RequestTag/{MANAGED_BY_KEY}": DRILL_OWNER}},
            reason="A snapshot's ARN ends in a random id. The conditions require our snapshot and the clone's tag.",
        )
        for action in ("DeleteInstance", "OpenInstancePublicPorts", "CloseInstancePublicPorts"):
            self.allow_on_all(
                "Instance",
                regions,
                sid=f"{action}OfClones",
                action=f"lightsail:{action}",
                conditions={"StringEquals": OF_CLONES},
                reason="A clone's ARN ends in a random id. The condition requires the clone's tag.",
            )

    def _allow_verdicts(self) -> None:
        """Allow to write verdicts on our own snapshots, and no other tags."""
        conditions: dict[str, Any] = {
            "StringEquals": OF_OURS,
            "ForAllValues:StringEquals": {"aws:TagKeys": [PROVEN_AT_KEY, PROVEN_SECONDS_KEY, DRILL_RESULT_KEY]},
        }
        self.allow_on_all(
            "InstanceSnapshot",
            self.context.all_regions,
            sid="WriteVerdicts",
            action="lightsail:TagResource",
            conditions=conditions,
            reason="A snapshot's ARN ends in a random id. The conditions require our snapshot, and limit the tags.",
        )

    def _watch_drills(self) -> None:
        self.watch(
            "drills-failed",
            our_metric("DrillsFailed"),
            meaning="An instance was restored from its snapshot, and did not work.",
            first="read the message that says which instance and why.",
        )
        self.watch(
            "drill-clones-left",
            our_metric("DrillClonesLeft", statistic="Maximum"),
            meaning="A clone that a restore drill made is past its time, and costs money.",
            first="look at it in Lightsail, and delete it.",
        )
