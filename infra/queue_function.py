"""A function that consumes an SQS queue and retries until its work is done: `create` and `copy`."""

from collections.abc import Mapping
from typing import Any, ClassVar

from aws_cdk import Duration
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.capability import Capability, StackContext
from infra.monitoring.alarms import queue_stalled_alarm
from infra.queues import MAX_RETENTION, DeadLetterQueue, Queue
from infra.rules import add_rule

FUNCTION_TIMEOUT = Duration.seconds(30)
VISIBILITY_TIMEOUT = Duration.seconds(180)
"""When SQS delivers an unfinished request again, unless the function sets a time. The Lambda guide ("Using Lambda with
Amazon SQS") asks for six times the function's timeout, so that a slow batch is not delivered twice."""


FIRST_RETRY = Duration.seconds(15)
"""When a request that somebody waits for is looked at again."""

MAX_RECEIVE_COUNT = 1000
"""Deliveries before SQS itself moves a message to the dead-letter queue, the most that it can (API reference,
SetQueueAttributes): only a message that the function never handles gets so far."""


class QueueFunction(Capability):
    """The queue, its dead-letter queue and the function. Each capability says with `add_rule` what enters the queue."""

    timeout = FUNCTION_TIMEOUT
    deadline: ClassVar[Duration]
    """How long a message is retried before the function puts it into the dead-letter queue."""

    def __init__(self, scope: Construct, construct_id: str, context: StackContext, *, max_concurrency: int) -> None:
        super().__init__(scope, construct_id, context)
        self.dead_letter_queue = DeadLetterQueue(self, "DeadLetterQueue")
        self.dead_letter_queues = {self.name: self.dead_letter_queue}
        self.work_queue: Queue = Queue(
            self,
            "Queue",
            visibility_timeout=VISIBILITY_TIMEOUT,
            retention_period=MAX_RETENTION,
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=MAX_RECEIVE_COUNT, queue=self.dead_letter_queue),
        )
        self.function = self.make_function(
            environment={
                "QUEUE_URL": self.work_queue.queue_url,
                "DEAD_LETTER_QUEUE_URL": self.dead_letter_queue.queue_url,
                "DEADLINE_SECONDS": str(int(self.deadline.to_seconds())),
                "FIRST_RETRY_SECONDS": str(int(FIRST_RETRY.to_seconds())),
            },
            dead_letter_queue=self.dead_letter_queue,  # the CDK lets the role send to it
        )
        self.function.add_event_source(
            event_sources.SqsEventSource(
                self.work_queue, batch_size=10, report_batch_item_failures=True, max_concurrency=max_concurrency
            )
        )
        self.alarms.append(queue_stalled_alarm(self.name, self.work_queue))

    def add_rule(
        self,
        construct_id: str,
        *,
        description: str,
        pattern: Mapping[str, Any],
        undelivered: Queue,
        template: str | None = None,
    ) -> None:
        """Send events of our bus to the queue: as they are, or as `template` says."""
        rule_arn = add_rule(
            self,
            construct_id,
            description=description,
            bus=self.context.bus,
            pattern=pattern,
            target_arn=self.work_queue.queue_arn,
            undelivered=undelivered,
            template=template,
        )
        self.work_queue.allow_rule(rule_arn)
