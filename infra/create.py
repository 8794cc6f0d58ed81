"""The `create` capability: Instance Snapshot Requested -> queue -> Lambda -> CreateInstanceSnapshot."""

from collections.abc import Sequence

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Stack, Token, Validations
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lightsail_snapshots.naming import MANAGED_BY, MANAGED_BY_KEY
from lightsail_snapshots.outcome import INSTANCE_SNAPSHOT_AVAILABLE, INSTANCE_SNAPSHOT_FAILED, SOURCE
from lightsail_snapshots.request import INSTANCE_SNAPSHOT_REQUESTED

FUNCTION_TIMEOUT = Duration.seconds(30)
COME_BACK_AFTER = Duration.seconds(180)
"""The queue's visibility timeout: how long until an unfinished request is looked at again. Six times the function's
timeout is what the Lambda guide ("Using Lambda with Amazon SQS") asks for: a slow batch is then not delivered twice."""
MAX_RECEIVE_COUNT = 120
"""Deliveries before the dead-letter queue: 120 times 180 s are six hours for a snapshot to become usable."""


class Create(Construct):
    """Takes a snapshot for every request on the bus, and comes back until it is usable."""

    def __init__(  # noqa: PLR0913 - a construct's settings are plain keyword arguments
        self,
        scope: Construct,
        construct_id: str,
        *,
        bus: events.IEventBus,
        code: lambda_.Code,
        regions: Sequence[str],
        max_concurrency: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letter_queue = self._dead_letter_queue()
        self.queue = self._queue()
        self.log_group = self._log_group()
        self.role = self._role(bus, regions)
        self.function = self._function(bus, code, regions)
        self.function.add_event_source(
            event_sources.SqsEventSource(
                self.queue, batch_size=10, report_batch_item_failures=True, max_concurrency=max_concurrency
            )
        )
        self._rule(bus)
        self._acknowledge(regions)

    def _dead_letter_queue(self) -> sqs.Queue:
        """Hold what never arrived or never converged.

        Three roads lead here: the request queue after MAX_RECEIVE_COUNT deliveries, the rule when it could not reach
        that queue, and the function's own asynchronous invocations, for users whose rule targets it directly. All
        three leave the bare event, so one redrive with the request queue as its destination replays them all.
        """
        return sqs.Queue(
            self,
            "DeadLetterQueue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )

    def _queue(self) -> sqs.Queue:
        return sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=COME_BACK_AFTER,
            retention_period=Duration.days(4),
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=MAX_RECEIVE_COUNT, queue=self.dead_letter_queue),
        )

    def _log_group(self) -> logs.LogGroup:
        """Keep the logs when the stack goes: they tell which snapshots were taken, and expire by themselves."""
        return logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )

    def _function(self, bus: events.IEventBus, code: lambda_.Code, regions: Sequence[str]) -> lambda_.Function:
        return lambda_.Function(
            self,
            "Function",
            description="Takes a snapshot of a Lightsail instance and comes back until it is usable.",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler="lightsail_snapshots.create.handler",
            code=code,
            role=self.role,
            timeout=FUNCTION_TIMEOUT,
            memory_size=512,  # not for the memory: the share of a CPU grows with it, and a cold start is all CPU
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            environment={
                "EVENT_BUS_NAME": bus.event_bus_name,
                "SNAPSHOT_REGIONS": ",".join(regions),
                "MAX_RECEIVE_COUNT": str(MAX_RECEIVE_COUNT),
                "POWERTOOLS_SERVICE_NAME": "lightsail-snapshots",
                "POWERTOOLS_METRICS_NAMESPACE": "LightsailSnapshots",
                "POWERTOOLS_LOG_LEVEL": "INFO",
            },
            dead_letter_queue=self.dead_letter_queue,
            retry_attempts=2,
            max_event_age=Duration.hours(6),
        )

    def _rule(self, bus: events.IEventBus) -> None:
        """Send every request on the bus to the queue, whatever its source; `create` refuses bad ones by itself."""
        events.Rule(
            self,
            "Rule",
            description="Requests for a snapshot of a Lightsail instance, from any source.",
            event_bus=bus,
            event_pattern=events.EventPattern(detail_type=[INSTANCE_SNAPSHOT_REQUESTED]),
            targets=[
                targets.SqsQueue(
                    self.queue,
                    dead_letter_queue=self.dead_letter_queue,
                    retry_attempts=185,
                    max_event_age=Duration.hours(24),
                )
            ],
        )

    def _role(self, bus: events.IEventBus, regions: Sequence[str]) -> iam.Role:
        """Allow exactly what the function calls. CDK adds the two queues; AWSLambdaBasicExecutionRole is too broad."""
        role = iam.Role(
            self,
            "Role",
            description="Takes instance snapshots that carry our tag, and nothing else.",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        for statement in (*self._lightsail(regions), _outcomes_only(bus)):
            role.add_to_policy(statement)
        self.log_group.grant_write(role)
        return role

    def _lightsail(self, regions: Sequence[str]) -> list[iam.PolicyStatement]:
        """Snapshots of any instance of these Regions, but only with our tag: prune may delete what carries it."""
        with_our_tag = {"StringEquals": {f"aws:RequestTag/{MANAGED_BY_KEY}": MANAGED_BY}}
        return [
            iam.PolicyStatement(
                sid="CreateWithOurTag",
                actions=["lightsail:CreateInstanceSnapshot"],
                resources=self._arns("Instance", regions),
                conditions=with_our_tag,
            ),
            iam.PolicyStatement(
                # Whether tags in a create are checked as TagResource is not documented; AWS's own policies grant both.
                sid="TagWithOurTag",
                actions=["lightsail:TagResource"],
                resources=self._arns("InstanceSnapshot", regions),
                conditions=with_our_tag,
            ),
            iam.PolicyStatement(
                sid="Read",  # Lightsail's reads know no resources, only Regions
                actions=["lightsail:GetInstance", "lightsail:GetInstanceSnapshot"],
                resources=["*"],
                conditions={"StringEquals": {"aws:RequestedRegion": list(regions)}},
            ),
        ]

    def _arns(self, resource: str, regions: Sequence[str]) -> list[str]:
        """Name all resources of a type: Lightsail's ARNs end in a random id, so a policy cannot name one by name."""
        return [
            Stack.of(self).format_arn(service="lightsail", region=region, resource=resource, resource_name="*")
            for region in regions
        ]

    def _acknowledge(self, regions: Sequence[str]) -> None:
        """Answer cdk-nag's findings (pack AwsSolutions); it writes a token of an ARN as `<AWS::Region>`."""
        reasons = {"*": "Lightsail's reads know no resource types; the condition limits them to the Regions."}
        for region in regions:
            arn = f"arn:<AWS::Partition>:lightsail:{_shown(region)}:<AWS::AccountId>"
            reasons[f"{arn}:Instance/*"] = "Any instance may be snapshotted, and its ARN ends in a random id."
            reasons[f"{arn}:InstanceSnapshot/*"] = "What is being made has no ARN yet; the condition asks for our tag."
        Validations.of(self.role).acknowledge(
            *(Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{arn}]", reason=why) for arn, why in reasons.items())
        )
        Validations.of(self.function).acknowledge(
            Acknowledgment(
                id="AwsSolutions-L1",
                reason="Python 3.13 starts faster than 3.14 by published figures, and is what the tests can run.",
            )
        )


def _shown(region: str) -> str:
    return "<AWS::Region>" if Token.is_unresolved(region) else region


def _outcomes_only(bus: events.IEventBus) -> iam.PolicyStatement:
    """Publish what became of a request, and no request: nothing that gets into the function can ask for snapshots.

    Both keys hold one value per entry of a PutEvents call, hence `ForAllValues`. It is also true where a key is
    absent, which no accepted entry can be: Source and DetailType are required.
    """
    return iam.PolicyStatement(
        sid="PublishOutcomes",
        actions=["events:PutEvents"],
        resources=[bus.event_bus_arn],
        conditions={
            "ForAllValues:StringEquals": {
                "events:source": SOURCE,
                "events:detail-type": [INSTANCE_SNAPSHOT_AVAILABLE, INSTANCE_SNAPSHOT_FAILED],
            }
        },
    )
