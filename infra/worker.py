"""What `create` and `copy` have in common: a queue that comes back later, and the function that works it off."""

from collections.abc import Mapping, Sequence

from aws_cdk import Acknowledgment, Aws, Duration, RemovalPolicy, Stack, Token, Validations
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lightsail_snapshots.outcome import SOURCE

FUNCTION_TIMEOUT = Duration.seconds(30)
COME_BACK_AFTER = Duration.seconds(180)
"""The queue's visibility timeout: how long until an unfinished request is looked at again. Six times the function's
timeout is what the Lambda guide ("Using Lambda with Amazon SQS") asks for: a slow batch is then not delivered twice."""


class Worker(Construct):
    """A queue with its dead-letter queue, and a function with a role of its own that may do nothing yet but publish.

    What it may do in Lightsail, and what comes into the queue, is for the capability to add: it is what the
    capability is about.
    """

    def __init__(  # noqa: PLR0913 - a construct's settings are plain keyword arguments
        self,
        scope: Construct,
        construct_id: str,
        *,
        bus: events.IEventBus,
        code: lambda_.Code,
        module: str,
        description: str,
        outcomes: Sequence[str],
        environment: Mapping[str, str],
        max_receive_count: int,
        max_concurrency: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letter_queue = self.queue_for_dead_letters("DeadLetterQueue")
        self.queue = self._queue(max_receive_count)
        self.log_group = self._log_group()
        self.role = self._role(bus, outcomes)
        variables = {**environment, "EVENT_BUS_NAME": bus.event_bus_name, "MAX_RECEIVE_COUNT": str(max_receive_count)}
        self.function = self._function(code, module, description, variables)
        self.function.add_event_source(
            event_sources.SqsEventSource(
                self.queue, batch_size=10, report_batch_item_failures=True, max_concurrency=max_concurrency
            )
        )

    @property
    def follow_command(self) -> str:
        """The command that shows the logs as they come."""
        return f"aws logs tail {self.log_group.log_group_name} --follow --region {Aws.REGION}"

    @property
    def replay_command(self) -> str:
        """The command that moves all dead letters back into the queue."""
        return (
            f"aws sqs start-message-move-task --source-arn {self.dead_letter_queue.queue_arn}"
            f" --destination-arn {self.queue.queue_arn} --region {Aws.REGION}"
        )

    def queue_for_dead_letters(self, construct_id: str) -> sqs.Queue:
        """Make a queue that keeps what lies in it as long as SQS can."""
        return sqs.Queue(
            self,
            construct_id,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )

    def rule(  # noqa: PLR0913 - as above
        self,
        construct_id: str,
        *,
        bus: events.IEventBus,
        description: str,
        pattern: events.EventPattern,
        undelivered: sqs.IQueue,
        message: events.RuleTargetInput | None = None,
    ) -> None:
        """Send events of the bus to the queue; what cannot be delivered for a day goes to `undelivered` as it came."""
        target = targets.SqsQueue(
            self.queue,
            message=message,
            dead_letter_queue=undelivered,
            retry_attempts=185,
            max_event_age=Duration.hours(24),
        )
        events.Rule(self, construct_id, description=description, event_bus=bus, event_pattern=pattern, targets=[target])

    def arns(self, resource: str, regions: Sequence[str]) -> list[str]:
        """Name all resources of a type: Lightsail's ARNs end in a random id, so a policy cannot name one by name."""
        return [
            Stack.of(self).format_arn(service="lightsail", region=region, resource=resource, resource_name="*")
            for region in regions
        ]

    def acknowledge(self, reasons: Mapping[str, str], regions: Sequence[str]) -> None:
        """Answer cdk-nag's findings (pack AwsSolutions) about wildcards in the role: `*`, or all of a resource type."""
        for resource, reason in reasons.items():
            for region in regions:
                Validations.of(self.role).acknowledge(
                    Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{_shown(resource, region)}]", reason=reason)
                )

    def _queue(self, max_receive_count: int) -> sqs.Queue:
        return sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=COME_BACK_AFTER,
            retention_period=Duration.days(4),
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=max_receive_count, queue=self.dead_letter_queue),
        )

    def _log_group(self) -> logs.LogGroup:
        """Keep the logs when the stack goes: they tell which snapshots were taken, and expire by themselves."""
        return logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )

    def _role(self, bus: events.IEventBus, outcomes: Sequence[str]) -> iam.Role:
        """Allow to publish and log. CDK adds the two queues; AWSLambdaBasicExecutionRole would be too broad."""
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        role.add_to_policy(_outcomes_only(bus, outcomes))
        self.log_group.grant_write(role)
        return role

    def _function(
        self, code: lambda_.Code, module: str, description: str, environment: Mapping[str, str]
    ) -> lambda_.Function:
        function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"lightsail_snapshots.{module}.handler",
            code=code,
            role=self.role,
            timeout=FUNCTION_TIMEOUT,
            memory_size=512,  # not for the memory: the share of a CPU grows with it, and a cold start is all CPU
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            environment={
                **environment,
                "POWERTOOLS_SERVICE_NAME": "lightsail-snapshots",
                "POWERTOOLS_METRICS_NAMESPACE": "LightsailSnapshots",
                "POWERTOOLS_LOG_LEVEL": "INFO",
            },
            dead_letter_queue=self.dead_letter_queue,
            retry_attempts=2,
            max_event_age=Duration.hours(6),
        )
        Validations.of(function).acknowledge(
            Acknowledgment(
                id="AwsSolutions-L1",
                reason="Python 3.13 starts faster than 3.14 by published figures, and is what the tests can run.",
            )
        )
        return function


def _shown(resource: str, region: str) -> str:
    """Write a resource as cdk-nag does, which shows a token as `<AWS::Region>`."""
    if resource == "*":
        return resource
    shown = "<AWS::Region>" if Token.is_unresolved(region) else region
    return f"arn:<AWS::Partition>:lightsail:{shown}:<AWS::AccountId>:{resource}/*"


def _outcomes_only(bus: events.IEventBus, outcomes: Sequence[str]) -> iam.PolicyStatement:
    """Publish what became of a request, and no request: nothing that gets into the function can ask for snapshots.

    Both keys hold one value per entry of a PutEvents call, hence `ForAllValues`. It is also true where a key is
    absent, which no accepted entry can be: Source and DetailType are required.
    """
    return iam.PolicyStatement(
        sid="PublishOutcomes",
        actions=["events:PutEvents"],
        resources=[bus.event_bus_arn],
        conditions={
            "ForAllValues:StringEquals": {"events:source": SOURCE, "events:detail-type": list(outcomes)},
        },
    )
