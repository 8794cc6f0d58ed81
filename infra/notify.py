"""The `notify` capability: failures, near misses and alarms -> Lambda -> the topic and the chat that people read.

Its own troubles do not pass through it: its dead-letter queue, and the number of posts that the chat did not take, have
alarms, and alarms publish to the topic themselves.
"""

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.capability import StackContext
from infra.event_function import EventFunction
from infra.monitoring.metrics import our_metric
from infra.names import NAME
from infra.rules import NOT_REPLAYED
from infra.topic import Topic
from lightsail_snapshots.events import DETAIL_TYPES, SOURCE
from lightsail_snapshots.messages import ALARM_STATE_CHANGE, MESSAGES

CHAT_FAILED = "chat-failed"
WITHOUT_CHAT = (f"{NAME}-{CHAT_FAILED}", f"{NAME}-dead-letters-notify")
"""Alarms about this capability itself."""


class Notify(EventFunction):
    """Writes the messages that people get. It can publish to one topic, and read the one parameter of the chat."""

    module = "notify"
    description = "Writes the messages that people get, and sends them to the topic and the chat."
    publishes = ()
    timeout = Duration.minutes(1)  # SNS, SSM and two posts with their time-outs
    watches_errors = False  # an event that failed three times is in the queue, whose alarm is enough

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        context: StackContext,
        *,
        topic: Topic,
        chat_parameter: str | None,
        runbook: str,
    ) -> None:
        chat = {"CHAT_PARAMETER": chat_parameter} if chat_parameter else {}
        environment = {"TOPIC_ARN": topic.topic_arn, "RUNBOOK": runbook, **chat}
        super().__init__(scope, construct_id, context, environment=environment)
        topic.allow(self.role)
        self.add_rule(
            "Rule",
            description="Our own events that people get a message about; replayed ones are ignored.",
            bus=context.bus,
            pattern={"source": [SOURCE], "detail-type": list(MESSAGES), **NOT_REPLAYED},
        )
        self.add_rule(
            "UnknownRule",
            description="Events of others whose detail-type nobody here knows: it may be misspelt.",
            bus=context.bus,
            pattern={
                "source": [{"anything-but": [SOURCE]}],
                "detail-type": [{"anything-but": list(DETAIL_TYPES)}],
                **NOT_REPLAYED,
            },
        )
        if chat_parameter:
            self._add_chat(chat_parameter)

    def _add_chat(self, parameter: str) -> None:
        """Let the function read the parameter, send it the alarms, and watch whether the chat takes what it gets."""
        arn = Stack.of(self).format_arn(service="ssm", resource="parameter", resource_name=parameter.removeprefix("/"))
        # The default key of parameters, alias/aws/ssm, needs no permission of its own.
        self.role.add_to_policy(iam.PolicyStatement(sid="ReadChat", actions=["ssm:GetParameter"], resources=[arn]))
        alarms = Stack.of(self).format_arn(
            service="cloudwatch", resource="alarm", resource_name=f"{NAME}-", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        self.add_rule(
            "AlarmRule",
            description="Alarms of this stack that go off or are over, for the chat.",
            bus=None,
            pattern={
                "source": ["aws.cloudwatch"],
                "detail-type": [ALARM_STATE_CHANGE],
                "resources": [{"prefix": alarms}],
                "detail": {
                    "alarmName": [{"anything-but": list(WITHOUT_CHAT)}],
                    # Not the first OK of a new alarm, which has had no data before.
                    "$or": [{"state": {"value": ["ALARM"]}}, {"previousState": {"value": ["ALARM"]}}],
                },
                **NOT_REPLAYED,
            },
        )
        self.watch(
            CHAT_FAILED,
            our_metric("ChatPostsFailed"),
            meaning="The chat did not take a message. It went to the topic all the same.",
            first="check that the parameter of chat holds the address of a webhook that exists.",
        )
