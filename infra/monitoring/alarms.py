"""The alarms: which instance could not be restored, and what keeps us from knowing it.

Each description says what it means, what to do first, and where to read on. Missing data means something else for each:

- the audit says every hour how things stand, so its silence is an alarm;
- all else is said only when something happens: no data is no news, and the alarm stays as it is. Treated as good, it
  would say OK an hour after a night's failed snapshot, though nothing is mended; and a queue in which nothing moves
  stops reporting after six hours (SQS developer guide, "Available CloudWatch metrics"), though its letters are there.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.monitoring.metrics import our_metric

PREFIX = "lightsail-snapshots"
LONGEST_WINDOW = timedelta(days=7)
"""Of an alarm with periods of an hour or more: CloudWatch API reference, PutMetricAlarm."""
ALL_TRIES = 3
"""Of an asynchronous invocation: a function that fails once and then does it has done it."""

IGNORE, BREACHING = cloudwatch.TreatMissingData.IGNORE, cloudwatch.TreatMissingData.BREACHING


class Alarms(Construct):
    """All alarms, each with its message when it goes off and when all is well again."""

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.ITopic, runbook: str) -> None:
        super().__init__(scope, construct_id)
        # By its ARN, so that the CDK does not write the topic's policy a second time.
        self._action = actions.SnsAction(sns.Topic.from_topic_arn(self, "Topic", topic.topic_arn))
        self._runbook = runbook
        self.all: list[cloudwatch.Alarm] = []

    def overdue(self, plans: Iterable[str], every: timedelta) -> None:
        """Watch each of these plans; `every` is how far apart audits are."""
        for plan in plans:
            self._alarm(
                f"overdue-{plan}",
                "overdue",
                f"Plan {plan}: an instance has no usable snapshot or copy younger than max_age, or nobody looked."
                " First: read the message that names the instances.",
                our_metric("InstancesOverdue", plan=plan, statistic="Maximum", period=_two_of(every)),
                missing=BREACHING,
            )

    def audit_missing(self, every: timedelta) -> None:
        self._alarm(
            "audit-missing",
            "audit-missing",
            "No audit was completed: nobody knows which instances could be restored."
            " First: look into the log of the audit function.",
            our_metric("AuditsCompleted", period=_two_of(every)),
            missing=BREACHING,
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            threshold=1,
        )

    def failures(self, metrics: Mapping[str, str]) -> None:
        """Watch what should never happen: metric by the name of its alarm, which is that of its section too."""
        meanings = {
            "snapshots-failed": "A snapshot was asked for and there will be none."
            " First: read the message that says of which instance, and why.",
            "nothing-selected": "A plan ran and selected no instance, so nothing was backed up by it."
            " First: look whether a tag or a name in plans.toml, or on the instance, is mistyped.",
            "copies-failed": "A snapshot has no copy in another Region, and will have none."
            " First: read the message that says which, and why.",
            "prune-refused": "So many snapshots would have gone in one run that none was deleted."
            " First: look whether a keep rule in plans.toml is mistyped.",
        }
        for name, metric in metrics.items():
            self._alarm(name, name, meanings[name], our_metric(metric, period=Duration.hours(1)))

    def dead_letters(self, queues: Mapping[str, sqs.IQueue]) -> None:
        """Watch that nothing lies in these queues, by what did not get through."""
        for name, queue in queues.items():
            self._alarm(
                f"dead-letters-{name}",
                "dead-letters",
                f"Something did not get through ({name}) and lies in a queue, for 14 days at the most."
                " First: read one message, then mend the cause and replay.",
                queue.metric_approximate_number_of_messages_visible(period=Duration.minutes(5), statistic="Maximum"),
            )

    def function_errors(self, functions: Mapping[str, lambda_.IFunction]) -> None:
        """Watch functions that no queue calls again: one invocation and both its further tries failed."""
        for name, function in functions.items():
            self._alarm(
                f"function-errors-{name}",
                "function-errors",
                f"The function {name} failed {ALL_TRIES} times within an hour, and may have given up."
                " First: look for the error in its log.",
                function.metric_errors(period=Duration.hours(1)),
                threshold=ALL_TRIES - 1,
            )

    def _alarm(
        self,
        name: str,
        section: str,
        meaning: str,
        metric: cloudwatch.IMetric,
        *,
        missing: cloudwatch.TreatMissingData = IGNORE,
        threshold: float = 0,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{PREFIX}-{name}",
            alarm_description=f"{meaning} Step by step: {self._runbook}#{section}",
            metric=metric,
            evaluation_periods=1,
            threshold=threshold,
            comparison_operator=comparison,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        self.all.append(alarm)


def _two_of(every: timedelta) -> Duration:
    """Return a window in which an audit may be late, or fail once, without a message."""
    return Duration.seconds(int(min(2 * every, LONGEST_WINDOW).total_seconds()))
