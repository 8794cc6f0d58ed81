"""A function that rules invoke, without a queue: `fan_out`, `prune`, `audit` and `notify`."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_destinations as destinations
from constructs import Construct

from infra.capability import Capability, StackContext
from infra.queues import DeadLetterQueue
from infra.rules import add_rule


class EventFunction(Capability):
    """The function, and one queue for its failures, of which there are two kinds.

    - A rule could not reach the function for a day: the queue has the event.
    - The function failed three times: the queue has the record of the invocation, with the error, and the event as
      `requestPayload` (Lambda developer guide, "Capturing records of asynchronous invocations").
    """

    timeout = Duration.minutes(15)  # the most that Lambda gives

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        context: StackContext,
        *,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, construct_id, context)
        self.failures = DeadLetterQueue(self, "Failures")
        self.dead_letter_queues = {self.name: self.failures}
        self.function = self.make_function(
            environment=environment or {}, on_failure=destinations.SqsDestination(self.failures)
        )

    def add_rule(
        self,
        construct_id: str,
        *,
        description: str,
        pattern: Mapping[str, Any],
        bus: events.IEventBus | None,
        template: str | None = None,
        paths: Mapping[str, str] | None = None,
    ) -> None:
        """Invoke the function with events of a bus (None: the account's default bus), or with `template` instead."""
        rule_arn = add_rule(
            self,
            construct_id,
            description=description,
            bus=bus,
            pattern=pattern,
            target_arn=self.function.function_arn,
            undelivered=self.failures,
            template=template,
            paths=paths,
        )
        self.function.add_permission(
            f"Allow{construct_id}", principal=iam.ServicePrincipal("events.amazonaws.com"), source_arn=rule_arn
        )
