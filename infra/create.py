"""The `create` capability: Instance Snapshot Requested -> queue -> Lambda -> CreateInstanceSnapshot."""

from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.capability import RuleAccess, StackContext
from infra.queue_function import QueueFunction
from lightsail_snapshots.events import (
    INSTANCE_SNAPSHOT_AVAILABLE,
    INSTANCE_SNAPSHOT_FAILED,
    INSTANCE_SNAPSHOT_REQUESTED,
)
from lightsail_snapshots.naming import MANAGED_BY, MANAGED_BY_KEY

MAX_RECEIVE_COUNT = 120
"""Deliveries before the dead-letter queue: 120 times 180 s are six hours for a snapshot to become usable."""


class Create(QueueFunction):
    """Takes a snapshot for every request on the bus, and comes back until it is usable.

    Three roads lead into its dead-letter queue: the request queue after MAX_RECEIVE_COUNT deliveries, the rule when it
    could not reach that queue, and the function's own asynchronous invocations, for users whose rule targets it
    directly. All three leave the bare event, so one redrive with the request queue as its destination replays them all.
    """

    def __init__(self, scope: Construct, construct_id: str, shared: StackContext, *, max_concurrency: int) -> None:
        super().__init__(
            scope,
            construct_id,
            shared,
            module="create",
            description="Takes a snapshot of a Lightsail instance and comes back until it is usable.",
            publishes=[INSTANCE_SNAPSHOT_AVAILABLE, INSTANCE_SNAPSHOT_FAILED],
            max_receive_count=MAX_RECEIVE_COUNT,
            max_concurrency=max_concurrency,
        )
        self._allow(shared.regions)
        self.rule(
            "Rule",
            description="Requests for a snapshot of a Lightsail instance, from any source.",
            # Whatever its source: `create` refuses bad ones by itself.
            pattern=events.EventPattern(detail_type=[INSTANCE_SNAPSHOT_REQUESTED]),
            undelivered=RuleAccess(self.dead_letter_queue),
        )

    def _allow(self, regions: Sequence[str]) -> None:
        """Allow snapshots of any instance of these Regions, but only with our tag: prune may delete what carries it."""
        with_our_tag = {"StringEquals": {f"aws:RequestTag/{MANAGED_BY_KEY}": MANAGED_BY}}
        self.role.add_to_policy(
            iam.PolicyStatement(
                sid="CreateWithOurTag",
                actions=["lightsail:CreateInstanceSnapshot"],
                resources=self.arns("Instance", regions),
                conditions=with_our_tag,
            )
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                # Whether tags in a create are checked as TagResource is not documented; AWS's own policies grant both.
                sid="TagWithOurTag",
                actions=["lightsail:TagResource"],
                resources=self.arns("InstanceSnapshot", regions),
                conditions=with_our_tag,
            )
        )
        self.allow_reads("Read", ["lightsail:GetInstance", "lightsail:GetInstanceSnapshot"], regions)
        reasons = {
            "Instance": "Any instance may be snapshotted, and its ARN ends in a random id.",
            "InstanceSnapshot": "What is being made has no ARN yet; the condition asks for our tag.",
        }
        self.acknowledge(reasons, regions)
