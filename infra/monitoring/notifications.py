"""The topic that tells people: alarms, and the events that somebody should hear of, as text for a phone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.capability import RuleAccess, queue_for_dead_letters
from lightsail_snapshots.events import INSTANCE_SNAPSHOT_FAILED, PRUNE_REFUSED, RECOVERY_POINT_OVERDUE, SOURCE


@dataclass(frozen=True, kw_only=True)
class _Message:
    """One kind of event, and its text: `<name>` stands for a field of the detail, `<time>` for the event's time."""

    detail_type: str
    text: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What else the detail must be like: an event pattern."""


_THERE, _NOT_THERE = [{"exists": True}], [{"exists": False}]
_MESSAGES = {
    "Overdue": _Message(detail_type=RECOVERY_POINT_OVERDUE, text="<message>"),
    "SnapshotFailed": _Message(
        detail_type=INSTANCE_SNAPSHOT_FAILED,
        detail={"instanceName": _THERE, "destination": _NOT_THERE},
        text="Snapshot failed: <instanceName> in <region>, at <time>, <reason>. <message>"
        " What to do: {runbook}#snapshots-failed",
    ),
    "CopyFailed": _Message(
        detail_type=INSTANCE_SNAPSHOT_FAILED,
        detail={"instanceName": _THERE, "destination": _THERE},
        text="Copy of a snapshot failed: <instanceName> from <region> to <destination>, at <time>, <reason>. <message>"
        " What to do: {runbook}#copies-failed",
    ),
    "RequestRefused": _Message(
        detail_type=INSTANCE_SNAPSHOT_FAILED,
        detail={"instanceName": _NOT_THERE},
        text="Request refused at <time>, and no snapshot made: <message> What to do: {runbook}#snapshots-failed",
    ),
    "PruneRefused": _Message(
        detail_type=PRUNE_REFUSED, text="Prune refused at <time>: <message> What to do: {runbook}#prune-refused"
    ),
}


class Notifications(Construct):
    """An encrypted topic with its subscribers, and a rule for each kind of event that it tells of.

    Who may publish: alarms of this account, and EventBridge. For the latter a condition is not possible: in policies of
    a topic, EventBridge supports none (EventBridge user guide, "Using resource-based policies", Amazon SNS
    permissions). A statement that has one allows nothing, and the message is lost. What is left is that EventBridge,
    for somebody who knows the topic's ARN, could send a text: it can be read, and does nothing.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, bus: events.IEventBus, notify: Sequence[str], runbook: str
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = self._topic()
        for address in notify:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))
        self.undelivered_queue = queue_for_dead_letters(self, "Undelivered")
        undelivered = RuleAccess(self.undelivered_queue)
        for name, message in _MESSAGES.items():
            undelivered.admit(self._rule(name, message, bus, runbook).attr_arn)

    def _topic(self) -> sns.Topic:
        # With AWS's own key for SNS neither alarms nor EventBridge could publish: nobody can change its policy.
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

    def _rule(self, name: str, message: _Message, bus: events.IEventBus, runbook: str) -> events.CfnRule:
        """Publish the text. A replayed event is no news; a value between quotation marks must not hold any itself."""
        text = message.text.replace("{runbook}", runbook)
        fields = {part.split(">")[0] for part in text.split("<")[1:]}
        return events.CfnRule(
            self,
            name,
            description=f"Tells people of {message.detail_type} events.",
            event_bus_name=bus.event_bus_name,
            event_pattern={
                "source": [SOURCE],
                "detail-type": [message.detail_type],
                "replay-name": _NOT_THERE,
                **({"detail": message.detail} if message.detail else {}),
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="topic",
                    arn=self.topic.topic_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={
                            name: "$.time" if name == "time" else f"$.detail.{name}" for name in sorted(fields)
                        },
                        input_template=json.dumps(text),
                    ),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self.undelivered_queue.queue_arn),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=86_400, maximum_retry_attempts=185
                    ),
                )
            ],
        )
