"""What every capability has: one function with logs that outlive the stack, and a role of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Acknowledgment, Aws, Duration, RemovalPolicy, Stack, Token, Validations
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.asset.bundling import RUNTIME
from infra.monitoring.metrics import NAMESPACE, SERVICE
from lightsail_snapshots.events import SOURCE

MEMORY = 512
"""Megabytes; not for the memory: the share of a CPU grows with it, and a cold start is all CPU."""


@dataclass(frozen=True, kw_only=True)
class StackContext:
    """What all capabilities of a stack have in common."""

    bus: events.IEventBus
    code: lambda_.Code
    regions: Sequence[str]
    """Those that the stack looks after."""
    copy_regions: Sequence[str]
    """Those that it copies to."""

    @property
    def all_regions(self) -> tuple[str, ...]:
        """Where there may be snapshots of ours, or copies of them; each Region once."""
        return tuple(dict.fromkeys((*self.regions, *self.copy_regions)))

    @property
    def environment(self) -> dict[str, str]:
        """The environment that tells a function of these, as `settings` reads it."""
        copies = {"COPY_REGIONS": ",".join(self.copy_regions)} if self.copy_regions else {}
        return {
            "EVENT_BUS_NAME": self.bus.event_bus_name,
            "SNAPSHOT_REGIONS": ",".join(self.regions),
            **copies,
        }


class Capability(Construct):
    """A function's log group, and a role that may do nothing yet but write to it and publish these detail-types.

    What it may do in Lightsail is for each capability to add: it is what the capability is about.
    """

    function: lambda_.Function

    def __init__(self, scope: Construct, construct_id: str, shared: StackContext, *, publishes: Sequence[str]) -> None:
        super().__init__(scope, construct_id)
        self.shared = shared
        # Keep the logs when the stack goes: they tell which snapshots were taken, and expire by themselves.
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        # CDK adds the queues; AWSLambdaBasicExecutionRole would be too broad.
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.role.add_to_policy(may_publish(shared.bus, publishes))
        self.log_group.grant_write(self.role)

    @property
    def follow_command(self) -> str:
        """The command that shows the logs as they come."""
        return f"aws logs tail {self.log_group.log_group_name} --follow --region {Aws.REGION}"

    def arns(self, resource: str, regions: Sequence[str]) -> list[str]:
        """Name all resources of a type: Lightsail's ARNs end in a random id, so a policy cannot name one by name."""
        return [
            Stack.of(self).format_arn(service="lightsail", region=region, resource=resource, resource_name="*")
            for region in regions
        ]

    def allow_reads(self, sid: str, actions: Sequence[str], regions: Sequence[str]) -> None:
        """Allow Lightsail's reads, which know no resources, in these Regions."""
        self.role.add_to_policy(
            iam.PolicyStatement(
                sid=sid,
                actions=list(actions),
                resources=["*"],
                conditions={"StringEquals": {"aws:RequestedRegion": list(regions)}},
            )
        )
        reason = "Lightsail's reads know no resource types; the condition limits them to the Regions."
        self.acknowledge({"*": reason}, regions[:1])

    def acknowledge(self, reasons: Mapping[str, str], regions: Sequence[str]) -> None:
        """Answer cdk-nag's findings (pack AwsSolutions) about wildcards in the role: `*`, or all of a resource type."""
        for resource, reason in reasons.items():
            for region in regions:
                Validations.of(self.role).acknowledge(
                    Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{_shown(resource, region)}]", reason=reason)
                )

    def make_function(
        self,
        *,
        module: str,
        description: str,
        timeout: Duration,
        memory: int,
        environment: Mapping[str, str],
        dead_letter_queue: sqs.IQueue | None = None,
        on_failure: lambda_.IDestination | None = None,
    ) -> lambda_.Function:
        """Make the function of a handler module; an asynchronous invocation that fails is tried twice more."""
        function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"lightsail_snapshots.{module}.handler",
            code=self.shared.code,
            role=self.role,
            timeout=timeout,
            memory_size=memory,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            environment={
                **self.shared.environment,
                **environment,
                "POWERTOOLS_SERVICE_NAME": SERVICE,
                "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
                "POWERTOOLS_LOG_LEVEL": "INFO",
            },
            dead_letter_queue=dead_letter_queue,
            on_failure=on_failure,
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


def queue_for_dead_letters(scope: Construct, construct_id: str) -> sqs.Queue:
    """Make a queue that keeps what lies in it as long as SQS can."""
    queue = sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )
    Validations.of(queue).acknowledge(
        Acknowledgment(id="AwsSolutions-SQS3", reason="It is itself where dead letters lie, until a person looks.")
    )
    return queue


class RuleAccess:
    """A queue of ours that rules send to: as a target, or with what they could not deliver.

    One statement admits all the rules, since a queue's policy takes 20 statements and 10 conditions. The CDK adds one
    for each rule, but not to a queue that it knows by its ARN only: `queue`, which is what rules are to be given.
    """

    def __init__(self, queue: sqs.Queue) -> None:
        self.queue = sqs.Queue.from_queue_arn(queue, "ForRules", queue.queue_arn)
        self._rules: list[str] = []
        self._statement = iam.PolicyStatement(
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
        )
        queue.add_to_resource_policy(self._statement)

    def admit(self, rule_arn: str) -> None:
        """Let one more rule send."""
        self._rules.append(rule_arn)
        self._statement.add_condition("ArnEquals", {"aws:SourceArn": self._rules})


def may_publish(bus: events.IEventBus, detail_types: Sequence[str]) -> iam.PolicyStatement:
    """Allow to put events of these kinds on our bus, in our name, and no others: no outcome can become a request.

    Both keys hold one value per entry of a PutEvents call, hence `ForAllValues`. It is also true where a key is
    absent, which no accepted entry can be: Source and DetailType are required.
    """
    return iam.PolicyStatement(
        sid="PublishEvents",
        actions=["events:PutEvents"],
        resources=[bus.event_bus_arn],
        conditions={"ForAllValues:StringEquals": {"events:source": SOURCE, "events:detail-type": list(detail_types)}},
    )


def _shown(resource: str, region: str) -> str:
    """Write a resource as cdk-nag does, which shows a token as `<AWS::Region>`."""
    if resource == "*":
        return resource
    shown = "<AWS::Region>" if Token.is_unresolved(region) else region
    return f"arn:<AWS::Partition>:lightsail:{shown}:<AWS::AccountId>:{resource}/*"
