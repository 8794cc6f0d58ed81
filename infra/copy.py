"""The `copy` capability: Instance Snapshot Available with copyTo -> queue -> Lambda -> CopySnapshot, TagResource."""

import json

from aws_cdk import Duration
from constructs import Construct

from infra.capability import WITH_OUR_TAG_ON_OURS, StackContext
from infra.monitoring.metrics import our_metric
from infra.queue_function import QueueFunction
from infra.queues import DeadLetterQueue
from lightsail_snapshots.events import (
    INSTANCE_SNAPSHOT_AVAILABLE,
    INSTANCE_SNAPSHOT_COPIED,
    INSTANCE_SNAPSHOT_FAILED,
    SOURCE,
)

MAX_CONCURRENCY = 2
"""Functions at a time, the least that SQS can: Lightsail's request rate is not published."""


class Copy(QueueFunction):
    """Copies usable snapshots to the Regions that their requests name, and retries until each copy is usable.

    Each destination Region has a rule of its own, which adds the Region to the event: each copy is one message, and
    succeeds or fails by itself. One redrive of the dead-letter queue replays such messages.

    It exists also if no plan copies: copies that were requested before that are seen through.

    An event that a rule could not deliver has no Region with it. It goes to a queue of its own, and is replayed from
    the archive through these rules.
    """

    module = "copy"
    description = "Copies a snapshot to another Region, tags the copy and retries until it is usable."
    publishes = (INSTANCE_SNAPSHOT_COPIED, INSTANCE_SNAPSHOT_FAILED)
    # A first copy transfers the whole disk, and AWS does not document how many may run at a time: the copies of a large
    # fleet wait for each other.
    deadline = Duration.hours(24)

    def __init__(self, scope: Construct, construct_id: str, context: StackContext) -> None:
        super().__init__(scope, construct_id, context, max_concurrency=MAX_CONCURRENCY)
        self._allow_copies()
        undelivered = DeadLetterQueue(self, "UndeliveredQueue")
        self.dead_letter_queues = {**self.dead_letter_queues, f"{self.name}-undelivered": undelivered}
        for region in context.copy_regions:
            self.add_rule(
                f"To-{region}",
                description=f"Usable snapshots to copy to {region}.",
                pattern={
                    "source": [SOURCE],
                    "detail-type": [INSTANCE_SNAPSHOT_AVAILABLE],
                    "detail": {"copyTo": [region]},
                },
                undelivered=undelivered,
                # EventBridge's own variable for the whole event as JSON (user guide, "input transformation").
                template=f'{{"destination": {json.dumps(region)}, "event": <aws.events.event.json>}}',
            )
        self.watch(
            "copies-failed",
            our_metric("CopiesFailed"),
            meaning="A copy of a snapshot to another Region failed and will not be retried.",
            first="read the message that says which copy and why.",
        )

    def _allow_copies(self) -> None:
        """Allow copies, and our tag on them. A policy cannot have an empty list of Regions."""
        self.allow_reads("lightsail:GetInstanceSnapshot", "lightsail:GetOperationsForResource")
        if not self.context.copy_regions:
            return
        self.allow_in_regions(
            "Copy",
            ["lightsail:CopySnapshot"],
            self.context.copy_regions,
            reason="CopySnapshot has no resource types. The condition limits the Regions.",
        )
        self.allow_on_all(
            "InstanceSnapshot",
            self.context.copy_regions,
            sid="TagCopies",
            action="lightsail:TagResource",
            conditions=WITH_OUR_TAG_ON_OURS,
            reason="A copy's ARN ends in a random id. The conditions require our tag, and no other owner's.",
        )
