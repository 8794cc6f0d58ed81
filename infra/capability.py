"""What every capability has: a function, its logs and a role of its own, and what monitoring watches of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, ClassVar

from aws_cdk import Acknowledgment, Aws, Duration, RemovalPolicy, Stack, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.asset.bundling import RUNTIME
from infra.bus import Bus, may_publish
from infra.monitoring.alarms import AlarmDefinition
from infra.monitoring.metrics import NAMESPACE, SERVICE
from infra.names import NAME
from infra.queues import Queue
from lightsail_snapshots.naming import MANAGED_BY, MANAGED_BY_KEY
from lightsail_snapshots_plans.checks import lightsail_regions

WITH_OUR_TAG = {"StringEquals": {f"aws:RequestTag/{MANAGED_BY_KEY}": MANAGED_BY}}
"""The conditions under which a call can only set our `managed-by`."""
WITH_OUR_TAG_ON_OURS = {**WITH_OUR_TAG, "StringEqualsIfExists": {f"aws:ResourceTag/{MANAGED_BY_KEY}": MANAGED_BY}}
"""In addition, what carries another owner's `managed-by` cannot be tagged."""

RETRIES = 2
"""Of an asynchronous invocation that failed."""


@dataclass(frozen=True, kw_only=True)
class StackContext:
    """What all capabilities of a stack share."""

    bus: Bus
    code: lambda_.Code
    regions: Sequence[str]
    """The Regions whose instances get snapshots."""
    copy_regions: Sequence[str]
    """The Regions that snapshots are copied to; there may be none."""

    @property
    def all_regions(self) -> Sequence[str]:
        """The Regions that may hold our snapshots or copies of them, each once."""
        return tuple(dict.fromkeys((*self.regions, *self.copy_regions)))

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of every function, as `settings` reads them."""
        copies = {"COPY_REGIONS": ",".join(self.copy_regions)} if self.copy_regions else {}
        return {
            "EVENT_BUS_NAME": self.bus.event_bus_name,
            "SNAPSHOT_REGIONS": ",".join(self.regions),
            **copies,
            "LIGHTSAIL_SNAPSHOTS_VERSION": version(NAME),  # the command line compares it with its own
            "POWERTOOLS_SERVICE_NAME": SERVICE,
            "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }


class Capability(Construct):
    """A function whose role may only write its logs and publish events of the types in `publishes`.

    Each capability adds the Lightsail actions that it needs. Monitoring reads its alarms and its queues.
    """

    module: ClassVar[str]
    """The module of the handler."""
    description: ClassVar[str]
    publishes: ClassVar[Sequence[str]]
    timeout: ClassVar[Duration]
    memory: ClassVar[int] = 512
    """Megabytes. A function's share of a CPU grows with its memory, and a cold start needs CPU only."""
    watches_errors: ClassVar[bool] = True
    """Whether crashes have an alarm of their own."""

    function: lambda_.Function
    work_queue: Queue | None = None
    dead_letter_queues: Mapping[str, Queue]
    """By the name that alarms and the dashboard give to each."""

    def __init__(self, scope: Construct, construct_id: str, context: StackContext) -> None:
        super().__init__(scope, construct_id)
        self.context = context
        self.name = self.module.replace("_", "-")
        self.alarms: list[AlarmDefinition] = []
        # The logs outlive the stack, since they say which snapshots were taken; they expire by themselves.
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        # AWSLambdaBasicExecutionRole would allow more. The CDK adds the queues.
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        if self.publishes:
            self.role.add_to_policy(may_publish(context.bus, self.publishes))
            context.bus.allow_our_source(self.role)
        self.log_group.grant_write(self.role)

    def make_function(
        self,
        *,
        environment: Mapping[str, str],
        dead_letter_queue: Queue | None = None,
        on_failure: lambda_.IDestination | None = None,
    ) -> lambda_.Function:
        """Make the function, with one of the two for asynchronous invocations that have failed three times."""
        function = lambda_.Function(
            self,
            "Function",
            description=self.description,
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"lightsail_snapshots.{self.module}.handler",
            code=self.context.code,
            role=self.role,
            timeout=self.timeout,
            memory_size=self.memory,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            environment={**self.context.environment, **environment},
            retry_attempts=RETRIES,
            max_event_age=Duration.hours(6),
            dead_letter_queue=dead_letter_queue,
            on_failure=on_failure,
        )
        function.node.add_dependency(self.context.bus.source_policy)  # before it, anyone could put events of our source
        reason = "Python 3.13 starts faster than 3.14 by published figures, and is what the tests can run."
        Validations.of(function).acknowledge(Acknowledgment(id="AwsSolutions-L1", reason=reason))
        if self.watches_errors:
            self._watch_errors(function)
        return function

    def _watch_errors(self, function: lambda_.Function) -> None:
        """Watch for crashes. Messages that a batch reports as unfinished are no errors of its function."""
        self.alarms.append(
            AlarmDefinition(
                name=f"function-errors-{self.name}",
                section="function-errors",
                meaning=f"The function {self.name} crashed or timed out {RETRIES + 1} times or more within an hour.",
                first="read the error in its log.",
                metric=function.metric_errors(period=Duration.hours(1)),
                threshold=RETRIES,
            )
        )

    def watch(self, alarm: str, metric: cloudwatch.IMetric, *, meaning: str, first: str) -> None:
        """Add an alarm that goes off if the metric is above zero."""
        self.alarms.append(AlarmDefinition(name=alarm, metric=metric, meaning=meaning, first=first))

    def allow_reads(self, *actions: str) -> None:
        """Allow Lightsail's reads in all its Regions: snapshots of ours may be in one that the plans no longer name."""
        reason = "Lightsail's reads have no resource types. The condition limits the Regions."
        self.allow_in_regions("Read", actions, lightsail_regions(), reason=reason)

    def allow_in_regions(self, sid: str, actions: Sequence[str], regions: Sequence[str], *, reason: str) -> None:
        """Allow actions without resource types in these Regions."""
        conditions = {"StringEquals": {"aws:RequestedRegion": list(regions)}}
        self.role.add_to_policy(
            iam.PolicyStatement(sid=sid, actions=list(actions), resources=["*"], conditions=conditions)
        )
        self._acknowledge("*", reason)

    def allow_on_all(
        self,
        resource_type: str,
        regions: Sequence[str],
        *,
        sid: str,
        action: str,
        conditions: Mapping[str, Mapping[str, Any]],
        reason: str,
    ) -> None:
        """Allow an action on all resources of a type: their ARNs end in a random id, so a policy cannot name one.

        `reason` says why this is safe. It answers cdk-nag, whose pack AwsSolutions finds each wildcard.
        """
        arns = [
            Stack.of(self).format_arn(service="lightsail", region=region, resource=resource_type, resource_name="*")
            for region in regions
        ]
        self.role.add_to_policy(iam.PolicyStatement(sid=sid, actions=[action], resources=arns, conditions=conditions))
        for arn in arns:
            self._acknowledge(arn, reason)

    def _acknowledge(self, resource: str, reason: str) -> None:
        """Answer cdk-nag's finding, whose id shows a token of the CDK as `<AWS::Region>`."""
        tokens = {"Partition": Aws.PARTITION, "Region": Aws.REGION, "AccountId": Aws.ACCOUNT_ID}
        for name, token in tokens.items():
            resource = resource.replace(token, f"<AWS::{name}>")
        Validations.of(self.role).acknowledge(
            Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{resource}]", reason=reason)
        )
