"""The `copy` capability: Instance Snapshot Available with copyTo -> queue -> Lambda -> CopySnapshot, TagResource."""

import json
from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.capability import RuleAccess, StackContext, queue_for_dead_letters
from infra.queue_function import QueueFunction
from lightsail_snapshots.events import (
    INSTANCE_SNAPSHOT_AVAILABLE,
    INSTANCE_SNAPSHOT_COPIED,
    INSTANCE_SNAPSHOT_FAILED,
    SOURCE,
)
from lightsail_snapshots.naming import MANAGED_BY, MANAGED_BY_KEY

MAX_RECEIVE_COUNT = 480
"""Deliveries before the dead-letter queue: 480 times 180 s are 24 hours. A first copy moves the whole disk, and how
many may run at a time is not documented: those of a large fleet wait for each other."""
MAX_CONCURRENCY = 2
"""Functions at a time, the least that SQS can: Lightsail's request rate is not published."""


class Copy(QueueFunction):
    """Copies every usable snapshot to the Regions that its request names, and comes back until each copy is usable.

    Each destination Region has a rule, which sends an event that names it to the queue, together with the Region: each
    copy is a message of its own, that succeeds or fails by itself.

    The dead-letter queue holds such messages, so that one redrive replays them all. What the rules could not deliver
    has no Region with it, since EventBridge keeps the event as it was; it lies in a queue of its own, to be replayed
    from the archive, through the same rules.
    """

    def __init__(self, scope: Construct, construct_id: str, shared: StackContext) -> None:
        super().__init__(
            scope,
            construct_id,
            shared,
            module="copy",
            description="Copies a snapshot to another Region, tags the copy and comes back until it is usable.",
            publishes=[INSTANCE_SNAPSHOT_COPIED, INSTANCE_SNAPSHOT_FAILED],
            max_receive_count=MAX_RECEIVE_COUNT,
            max_concurrency=MAX_CONCURRENCY,
        )
        self._allow(shared.copy_regions)
        self.undelivered_queue = queue_for_dead_letters(self, "UndeliveredQueue")
        undelivered = RuleAccess(self.undelivered_queue)
        for region in shared.copy_regions:
            self.rule(
                f"To-{region}",
                description=f"Usable snapshots of which there is to be a copy in {region}.",
                pattern=events.EventPattern(
                    source=[SOURCE], detail_type=[INSTANCE_SNAPSHOT_AVAILABLE], detail={"copyTo": [region]}
                ),
                undelivered=undelivered,
                message=_With(region),
            )

    def _allow(self, regions: Sequence[str]) -> None:
        """Allow to copy into these Regions, and to tag there what has our tag or none of its kind, but nothing else.

        Both conditions on TagResource are needed: the one lets us make nothing but ours, the other keeps us off what
        carries another owner's tag.
        """
        self.role.add_to_policy(
            iam.PolicyStatement(
                sid="CopyAndRead",  # neither a copy nor a read knows resources or tags, only Regions
                actions=[
                    "lightsail:CopySnapshot",
                    "lightsail:GetInstanceSnapshot",
                    "lightsail:GetOperationsForResource",
                ],
                resources=["*"],
                conditions={"StringEquals": {"aws:RequestedRegion": list(regions)}},
            )
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                sid="TagCopies",
                actions=["lightsail:TagResource"],
                resources=self.arns("InstanceSnapshot", regions),
                conditions={
                    "StringEquals": {f"aws:RequestTag/{MANAGED_BY_KEY}": MANAGED_BY},
                    "StringEqualsIfExists": {f"aws:ResourceTag/{MANAGED_BY_KEY}": MANAGED_BY},
                },
            )
        )
        reasons = {
            "*": "CopySnapshot and Lightsail's reads know no resource types; the condition limits them to the Regions.",
            "InstanceSnapshot": "A copy's ARN ends in a random id; the conditions ask for our tag, and for no other.",
        }
        self.acknowledge(reasons, regions)

    def replay_undelivered_command(self, archive_arn: str, bus: events.IEventBus) -> str:
        """Write the command that sends the events of some time through the rules again, and through no others."""
        rules = [rule.rule_arn for rule in self.node.children if isinstance(rule, events.Rule)]
        return (
            f"aws events start-replay --replay-name copies-1 --event-source-arn {archive_arn}"
            " --event-start-time 2026-11-23T00:00:00Z --event-end-time 2026-11-24T00:00:00Z"
            f" --destination Arn={bus.event_bus_arn},FilterArns={','.join(rules)} --region {Aws.REGION}"
        )


class _With(events.RuleTargetInput):
    """Sends a Region and the whole event: `{"destination": "eu-west-1", "event": {...}}`.

    The CDK has no words of its own for EventBridge's variable `aws.events.event.json`, the event as JSON (user guide,
    "Amazon EventBridge input transformation").
    """

    def __init__(self, destination: str) -> None:
        super().__init__()
        self._destination = destination

    def bind(self, _rule: object) -> events.RuleTargetInputProperties:
        """Give the transformer's template; it must not be written as JSON, since the variable stands without quotes."""
        return events.RuleTargetInputProperties(
            input_template=f'{{"destination": {json.dumps(self._destination)}, "event": <aws.events.event.json>}}'
        )
