"""What `fan_out`, `prune` and `audit` have in common: a function that a rule of the bus invokes, without a queue."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_destinations as destinations
from constructs import Construct

from infra.capability import MEMORY, Capability, RuleAccess, StackContext, queue_for_dead_letters


class EventFunction(Capability):
    """The function, and one queue for all that went wrong with it.

    Two roads lead into the queue: a rule that could not reach the function for a day leaves the event as it was; the
    function itself, when it has failed three times, leaves the record of the invocation with the error in it and the
    event as its `requestPayload` (Lambda developer guide, "Capturing records of asynchronous invocations"). One queue
    for both means one alarm for each function, and `replay_command` takes either.

    What it is a target of is for the capability to say.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        shared: StackContext,
        *,
        module: str,
        description: str,
        publishes: Sequence[str],
        timeout: Duration,
        memory: int = MEMORY,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, construct_id, shared, publishes=publishes)
        self.failures = queue_for_dead_letters(self, "Failures")
        self._undelivered = RuleAccess(self.failures)
        self.function = self.make_function(
            module=module,
            description=description,
            timeout=timeout,
            memory=memory,
            environment=environment or {},
            on_failure=destinations.SqsDestination(self.failures),
        )

    @property
    def replay_command(self) -> str:
        """The command that invokes the function again with one failure, and takes that out of the queue."""
        queue = f"--queue-url {self.failures.queue_url} --region {Aws.REGION}"
        return (
            f"aws sqs receive-message {queue} --query 'Messages[0]' --output json > failure.json"
            " && jq -c '.Body | fromjson | .requestPayload // .' failure.json > event.json"
            f" && aws lambda invoke --function-name {self.function.function_name} --invocation-type Event"
            f" --payload fileb://event.json --region {Aws.REGION} /dev/null"
            f' && aws sqs delete-message {queue} --receipt-handle "$(jq -r .ReceiptHandle failure.json)"'
        )

    def rule(
        self,
        construct_id: str,
        *,
        bus: events.IEventBus | None,
        description: str,
        pattern: Mapping[str, Any],
        event: events.RuleTargetInput | None = None,
    ) -> None:
        """Invoke the function on events of a bus (None: the account's own), with another `event` where one is given.

        `pattern` is an event pattern as EventBridge has it. What cannot be delivered for a day is kept.
        """
        target = targets.LambdaFunction(
            self.function,
            event=event,
            dead_letter_queue=self._undelivered.queue,
            retry_attempts=185,
            max_event_age=Duration.hours(24),
        )
        rule = events.Rule(
            self,
            construct_id,
            description=description,
            event_bus=bus,
            event_pattern=events.EventPattern(detail_type=["replaced"]),  # the CDK's own form has no $or
            targets=[target],
        )
        cast("events.CfnRule", rule.node.default_child).event_pattern = dict(pattern)
        self._undelivered.admit(rule.rule_arn)
