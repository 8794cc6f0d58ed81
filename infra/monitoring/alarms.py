"""The alarms. Each description says what the alarm means, what to do first, and where to read on.

Missing data means different things:

- the audit counts itself each time, so its silence is an alarm;
- the other metrics have data only when something happens, so an alarm keeps its state until the next data. If missing
  data counted as good, an alarm would say OK an hour after a failed snapshot, with nothing fixed. A queue without
  traffic stops reporting after six hours (SQS developer guide, "Available CloudWatch metrics"), even if dead letters
  are in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.names import NAME

FIVE_MINUTES = Duration.minutes(5)


@dataclass(frozen=True, kw_only=True)
class AlarmDefinition:
    """One alarm, in the ALARM state if the metric is above the threshold, or as `comparison` says."""

    name: str
    meaning: str
    """A sentence."""
    first: str
    """What a person does first: the rest of a sentence that begins with `First:`."""
    section: str = ""
    """The heading in docs/operations.md, if it is not the alarm's name."""
    metric: cloudwatch.IMetric
    threshold: float = 0
    comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.IGNORE
    periods: int = 1
    """How many periods in a row have to be wrong."""


def dead_letter_alarm(name: str, queue: sqs.IQueue) -> AlarmDefinition:
    """Watch that a dead-letter queue is empty."""
    return AlarmDefinition(
        name=f"dead-letters-{name}",
        section="dead-letters",
        meaning=f"A message could not be delivered ({name}) and is in a dead-letter queue, for at most 14 days.",
        first="fix the cause that `lightsail-snapshots replay --dry-run` shows, then replay.",
        metric=queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum"),
    )


def queue_stalled_alarm(name: str, queue: sqs.IQueue) -> AlarmDefinition:
    """Watch that messages which wait in a work queue are received.

    The number of messages alone does not tell: they wait for hours if a large fleet has been requested at once, and
    are received all the time. The age of the oldest does not tell either: SQS leaves out what was received three times
    (its developer guide, "Available CloudWatch metrics").
    """
    waiting = queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Minimum")
    received = queue.metric_number_of_messages_received(period=FIVE_MINUTES, statistic="Sum")
    return AlarmDefinition(
        name=f"queue-stalled-{name}",
        section="queue-stalled",
        meaning=f"Requests wait in the queue of {name}, and for 15 minutes nothing has received one.",
        first="check that the function's SQS trigger is enabled.",
        metric=cloudwatch.MathExpression(
            # A queue from which nothing receives may report no number of that: in a sum it counts as 0, in a comparison
            # with a number it does not (CloudWatch user guide, "Using metric math").
            expression="IF(waiting > 0 AND (received + 0 * waiting) == 0, waiting, 0)",
            using_metrics={"waiting": waiting, "received": received},
            period=FIVE_MINUTES,
        ),
        periods=3,
    )


class Alarms(Construct):
    """All alarms. Each sends a message when it goes off, and another when all is well again."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        definitions: Iterable[AlarmDefinition],
        topic: sns.ITopic,
        runbook: str,
    ) -> None:
        super().__init__(scope, construct_id)
        # By its ARN, so that the CDK does not add to the topic's policy, which allows alarms already.
        action = actions.SnsAction(sns.Topic.from_topic_arn(self, "Topic", topic.topic_arn))
        self.all = [self._alarm(definition, runbook) for definition in definitions]
        for alarm in self.all:
            alarm.add_alarm_action(action)
            alarm.add_ok_action(action)

    def _alarm(self, definition: AlarmDefinition, runbook: str) -> cloudwatch.Alarm:
        read_on = f"{runbook}#{definition.section or definition.name}"
        return cloudwatch.Alarm(
            self,
            definition.name,
            alarm_name=f"{NAME}-{definition.name}",
            alarm_description=f"{definition.meaning} First: {definition.first} Step by step: {read_on}",
            metric=definition.metric,
            evaluation_periods=definition.periods,
            threshold=definition.threshold,
            comparison_operator=definition.comparison,
            treat_missing_data=definition.missing,
        )
