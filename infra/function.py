"""What every function has: logs that outlive the stack, a role that may publish outcomes, Python 3.13 on arm64."""

from collections.abc import Mapping, Sequence

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lightsail_snapshots.outcome import SOURCE


def make_log_group(scope: Construct) -> logs.LogGroup:
    """Keep the logs when the stack goes: they tell which snapshots were taken, and expire by themselves."""
    return logs.LogGroup(
        scope,
        "Logs",
        retention=logs.RetentionDays.THREE_MONTHS,
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )


def make_role(
    scope: Construct, *, log_group: logs.ILogGroup, bus: events.IEventBus, detail_types: Sequence[str]
) -> iam.Role:
    """Allow to log, and to publish these events; AWSLambdaBasicExecutionRole would be too broad."""
    made = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    made.add_to_policy(may_publish(bus, detail_types))
    log_group.grant_write(made)
    return made


def make_function(  # noqa: PLR0913 - a function's settings are plain keyword arguments
    scope: Construct,
    *,
    code: lambda_.Code,
    module: str,
    description: str,
    role: iam.IRole,
    log_group: logs.ILogGroup,
    timeout: Duration,
    memory: int,
    environment: Mapping[str, str],
    dead_letter_queue: sqs.IQueue | None = None,
    on_failure: lambda_.IDestination | None = None,
) -> lambda_.Function:
    """Make the function of a handler module; an asynchronous invocation that fails is tried twice more in six hours."""
    function = lambda_.Function(
        scope,
        "Function",
        description=description,
        runtime=lambda_.Runtime.PYTHON_3_13,
        architecture=lambda_.Architecture.ARM_64,
        handler=f"lightsail_snapshots.{module}.handler",
        code=code,
        role=role,
        timeout=timeout,
        memory_size=memory,
        log_group=log_group,
        logging_format=lambda_.LoggingFormat.JSON,
        application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
        environment={
            **environment,
            "POWERTOOLS_SERVICE_NAME": "lightsail-snapshots",
            "POWERTOOLS_METRICS_NAMESPACE": "LightsailSnapshots",
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
    return sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )


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
