"""The SNS topic that tells people: about alarms, and about events as one sentence each, short enough for a phone."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import Aws, CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.queues import DeadLetterQueue
from infra.rules import add_rule
from lightsail_snapshots.events import (
    INSTANCE_SNAPSHOT_FAILED,
    PRUNE_REFUSED,
    RECOVERY_POINT_OVERDUE,
    REQUEST_REJECTED,
    SOURCE,
)

_PRESENT, _ABSENT = [{"exists": True}], [{"exists": False}]


@dataclass(frozen=True, kw_only=True)
class _Message:
    """The text for one kind of event: `<name>` stands for a field of the detail, `<time>` for the event's time."""

    detail_type: str
    text: str
    section: str
    """The heading in docs/operations.md, unless the event has its own link."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """The event pattern of the detail."""


_MESSAGES = {
    "Overdue": _Message(detail_type=RECOVERY_POINT_OVERDUE, text="<message>", section=""),
    "SnapshotFailed": _Message(
        detail_type=INSTANCE_SNAPSHOT_FAILED,
        detail={"instanceName": _PRESENT, "destination": _ABSENT},
        text="Snapshot failed: <instanceName> in <region>, at <time>, <reason>. <message>",
        section="snapshots-failed",
    ),
    "CopyFailed": _Message(
        detail_type=INSTANCE_SNAPSHOT_FAILED,
        detail={"instanceName": _PRESENT, "destination": _PRESENT},
        text="Copy of a snapshot failed: <instanceName> from <region> to <destination>, at <time>, <reason>. <message>",
        section="copies-failed",
    ),
    "RequestRejected": _Message(
        detail_type=INSTANCE_SNAPSHOT_FAILED,
        detail={"instanceName": _ABSENT},
        text="Request rejected at <time>, no snapshot was taken: <message>",
        section="snapshots-failed",
    ),
    "EventRejected": _Message(
        detail_type=REQUEST_REJECTED, text="Request rejected at <time>: <message>", section="snapshots-failed"
    ),
    "PruneRefused": _Message(detail_type=PRUNE_REFUSED, text="Prune refused. <message>", section="prune-refused"),
}


class Notifications(Construct):
    """An encrypted topic with its subscribers, and a rule for each message.

    Alarms of this account and EventBridge may publish. EventBridge supports no conditions in a topic's policy (its user
    guide, "Using resource-based policies", Amazon SNS permissions): a statement with one allows nothing, and the
    message is lost. So anyone who knows the topic's ARN could use EventBridge to send a text to the subscribers.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, bus: events.IEventBus, notify: Sequence[str], runbook: str
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = self._make_topic()
        CfnOutput(
            Stack.of(self),
            "TopicArn",
            value=self.topic.topic_arn,
            description="Failures and alarms go to this SNS topic. Subscribe the people who should get them.",
        )
        for address in notify:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))
        self.undelivered = DeadLetterQueue(self, "Undelivered")
        for name, message in _MESSAGES.items():
            self._add_rule(name, message, bus, runbook)

    def _make_topic(self) -> sns.Topic:
        # AWS's own key for SNS has a policy that nobody can change: neither alarms nor EventBridge could publish.
        key = kms.Key(
            self,
            "Key",
            description="Encrypts the messages of lightsail-snapshots.",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        topic = sns.Topic(self, "Topic", display_name="Lightsail snapshots", master_key=key, enforce_ssl=True)
        alarms = iam.ServicePrincipal(
            "cloudwatch.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        )
        for principal in (alarms, iam.ServicePrincipal("events.amazonaws.com")):
            topic.add_to_resource_policy(
                iam.PolicyStatement(actions=["sns:Publish"], principals=[principal], resources=[topic.topic_arn])
            )
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    actions=["kms:Decrypt", "kms:GenerateDataKey*"], principals=[principal], resources=["*"]
                )
            )
        return topic

    def _add_rule(self, name: str, message: _Message, bus: events.IEventBus, runbook: str) -> None:
        """Publish the text, but not for replayed events."""
        link = f" What to do: {runbook}#{message.section}" if message.section else ""
        detail = {"detail": message.detail} if message.detail else {}
        fields = re.findall("<(.*?)>", message.text)
        add_rule(
            self,
            name,
            description=f"Tells people about {message.detail_type} events.",
            bus=bus,
            pattern={"source": [SOURCE], "detail-type": [message.detail_type], "replay-name": _ABSENT, **detail},
            target_arn=self.topic.topic_arn,
            undelivered=self.undelivered,
            template=json.dumps(message.text + link),
            paths={field: "$.time" if field == "time" else f"$.detail.{field}" for field in fields},
        )
