"""The `create` capability: Instance Snapshot Requested -> queue -> Lambda -> CreateInstanceSnapshot."""

import json
import shlex

from aws_cdk import CfnOutput, Duration, Stack
from constructs import Construct

from infra.capability import WITH_OUR_TAG, WITH_OUR_TAG_ON_OURS, StackContext
from infra.monitoring.metrics import our_metric
from infra.names import NAME
from infra.queue_function import QueueFunction
from lightsail_snapshots.events import (
    INSTANCE_SNAPSHOT_AVAILABLE,
    INSTANCE_SNAPSHOT_FAILED,
    INSTANCE_SNAPSHOT_REQUESTED,
)


class Create(QueueFunction):
    """Takes a snapshot for every request, and retries until it is usable.

    Three things end in its dead-letter queue: a message after `deadline`, an event that the rule
    could not deliver, and a failed invocation by a rule of the user's own. Each is the bare event, so one redrive to
    the queue replays them all.
    """

    module = "create"
    description = "Takes a snapshot of a Lightsail instance and retries until it is usable."
    publishes = (INSTANCE_SNAPSHOT_AVAILABLE, INSTANCE_SNAPSHOT_FAILED)
    deadline = Duration.hours(6)

    def __init__(self, scope: Construct, construct_id: str, context: StackContext, *, max_concurrency: int) -> None:
        super().__init__(scope, construct_id, context, max_concurrency=max_concurrency)
        self._allow_snapshots()
        self._add_outputs()
        self.add_rule(
            "Rule",
            description="Requests for a snapshot of a Lightsail instance, from any source.",
            pattern={"detail-type": [INSTANCE_SNAPSHOT_REQUESTED]},
            undelivered=self.dead_letter_queue,
        )
        self.watch(
            "snapshots-failed",
            our_metric("SnapshotsFailed"),
            meaning="A requested snapshot failed and will not be retried.",
            first="read the message that says which instance and why.",
        )

    def _allow_snapshots(self) -> None:
        """Allow snapshots of any instance, but only with our tag: prune may delete the snapshots that carry it."""
        regions = self.context.regions
        self.allow_on_all(
            "Instance",
            regions,
            sid="CreateWithOurTag",
            action="lightsail:CreateInstanceSnapshot",
            conditions=WITH_OUR_TAG,
            reason="Any instance may get a snapshot, and its ARN ends in a random id.",
        )
        self.allow_on_all(
            "InstanceSnapshot",
            regions,
            sid="TagWithOurTag",
            # AWS does not document whether a create with tags needs it; AWS's own policies grant both.
            action="lightsail:TagResource",
            conditions=WITH_OUR_TAG_ON_OURS,
            reason="A new snapshot has no ARN yet. The conditions require our tag, and no other owner's.",
        )
        self.allow_reads("lightsail:GetInstance", "lightsail:GetInstanceSnapshot")

    def _add_outputs(self) -> None:
        """Give the commands that request a snapshot and show what happens to it, to be pasted into a shell."""
        stack, regions = Stack.of(self), self.context.regions
        detail = {"instanceName": "MY-INSTANCE", "region": regions[0] if len(regions) == 1 else "MY-REGION"}
        entry = {
            "EventBusName": NAME,
            "Source": "my-shell",
            "DetailType": INSTANCE_SNAPSHOT_REQUESTED,
            "Detail": json.dumps(detail),
        }
        CfnOutput(
            stack,
            "RequestSnapshot",
            value=f"aws events put-events --region {stack.region} --entries {shlex.quote(json.dumps([entry]))}",
            description="Command that requests a snapshot. Replace the names in capitals.",
        )
        CfnOutput(
            stack,
            "FollowLogs",
            value=f"aws logs tail {self.log_group.log_group_name} --follow --region {stack.region}",
            description="Command that shows the log of create, the function that takes snapshots.",
        )
