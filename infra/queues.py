"""The queues of the stack: encrypted, reached over TLS only, and open to the rules that use them."""

from typing import Any

from aws_cdk import Acknowledgment, Duration, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

MAX_RETENTION = Duration.days(14)
"""The longest that SQS keeps a message: SQS API reference, SetQueueAttributes."""


class Queue(sqs.Queue):
    """A queue that rules may send to, either as their target or with the events that they could not deliver."""

    def __init__(self, scope: Construct, construct_id: str, **props: Any) -> None:
        super().__init__(scope, construct_id, encryption=sqs.QueueEncryption.SQS_MANAGED, enforce_ssl=True, **props)
        self._rules: list[str] = []
        self._statement = iam.PolicyStatement(
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[self.queue_arn],
        )

    def allow_rule(self, rule_arn: str) -> None:
        """Let one more rule send. All share a statement: a queue's policy takes 20 statements and 10 conditions."""
        if not self._rules:
            self.add_to_resource_policy(self._statement)
        self._rules.append(rule_arn)
        self._statement.add_condition("ArnEquals", {"aws:SourceArn": self._rules})


class DeadLetterQueue(Queue):
    """A queue that keeps messages for as long as SQS can."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, retention_period=MAX_RETENTION)
        Validations.of(self).acknowledge(
            Acknowledgment(id="AwsSolutions-SQS3", reason="It is a dead-letter queue itself: an alarm watches it.")
        )
