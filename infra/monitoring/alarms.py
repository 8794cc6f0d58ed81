"""The alarms. Each description says what the alarm means, what to do first, and where to read on.

Missing data means different things:

- the audit reports every hour, so its silence is an alarm;
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


def dead_letter_alarm(name: str, queue: sqs.IQueue) -> AlarmDefinition:
    """Watch that a dead-letter queue is empty."""
    return AlarmDefinition(
        name=f"dead-letters-{name}",
        section="dead-letters",
        meaning=f"A message could not be delivered ({name}) and is in a dead-letter queue, for at most 14 days.",
        first="read one message, fix the cause, then replay.",
        metric=queue.metric_approximate_number_of_messages_visible(period=Duration.minutes(5), statistic="Maximum"),
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
            evaluation_periods=1,
            threshold=definition.threshold,
            comparison_operator=definition.comparison,
            treat_missing_data=definition.missing,
        )
