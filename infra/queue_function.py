"""What `create` and `copy` have in common: a queue that comes back later, and the function that works it off."""

from collections.abc import Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.capability import MEMORY, Capability, RuleAccess, StackContext, queue_for_dead_letters

FUNCTION_TIMEOUT = Duration.seconds(30)
VISIBILITY_TIMEOUT = Duration.seconds(180)
"""The queue's visibility timeout: how long until an unfinished request is looked at again. Six times the function's
timeout is what the Lambda guide ("Using Lambda with Amazon SQS") asks for: a slow batch is then not delivered twice."""


class QueueFunction(Capability):
    """A queue with its dead-letter queue, and the function. What comes into the queue is for the capability to say."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        shared: StackContext,
        *,
        module: str,
        description: str,
        publishes: Sequence[str],
        max_receive_count: int,
        max_concurrency: int,
    ) -> None:
        super().__init__(scope, construct_id, shared, publishes=publishes)
        self.dead_letter_queue = queue_for_dead_letters(self, "DeadLetterQueue")
        self.queue = self._queue(max_receive_count)
        self._inlet = RuleAccess(self.queue)
        self.function = self.make_function(
            module=module,
            description=description,
            timeout=FUNCTION_TIMEOUT,
            memory=MEMORY,
            environment={"MAX_RECEIVE_COUNT": str(max_receive_count)},
            dead_letter_queue=self.dead_letter_queue,
        )
        self.function.add_event_source(
            event_sources.SqsEventSource(
                self.queue, batch_size=10, report_batch_item_failures=True, max_concurrency=max_concurrency
            )
        )

    @property
    def replay_command(self) -> str:
        """The command that moves all dead letters back into the queue."""
        return (
            f"aws sqs start-message-move-task --source-arn {self.dead_letter_queue.queue_arn}"
            f" --destination-arn {self.queue.queue_arn} --region {Aws.REGION}"
        )

    def rule(
        self,
        construct_id: str,
        *,
        description: str,
        pattern: events.EventPattern,
        undelivered: RuleAccess,
        message: events.RuleTargetInput | None = None,
    ) -> None:
        """Send events of our bus to the queue; what cannot be delivered for a day goes to `undelivered` as it came."""
        target = targets.SqsQueue(
            self._inlet.queue,
            message=message,
            dead_letter_queue=undelivered.queue,
            retry_attempts=185,
            max_event_age=Duration.hours(24),
        )
        rule = events.Rule(
            self,
            construct_id,
            description=description,
            event_bus=self.shared.bus,
            event_pattern=pattern,
            targets=[target],
        )
        for queue in (self._inlet, undelivered):
            queue.admit(rule.rule_arn)

    def _queue(self, max_receive_count: int) -> sqs.Queue:
        return sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=VISIBILITY_TIMEOUT,
            retention_period=Duration.days(4),
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=max_receive_count, queue=self.dead_letter_queue),
        )
