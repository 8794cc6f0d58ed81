"""The stack: one event bus, and one construct per capability. It only composes."""

import json
import shlex
from typing import Any

from aws_cdk import Aws, CfnOutput, Stack
from aws_cdk import aws_events as events
from constructs import Construct

from infra.bundling import lambda_code
from infra.create import Create
from infra.settings import Settings
from lightsail_snapshots.request import INSTANCE_SNAPSHOT_REQUESTED

BUS_NAME = "lightsail-snapshots"
ARCHIVE_DAYS = 30


class LightsailSnapshotsStack(Stack):
    """Snapshots of Lightsail instances, on request.

    Deleting the stack deletes no snapshot: they belong to Lightsail, and nothing here refers to one. It keeps the
    functions' logs, and drops the bus, its archive and the queues with what is still in them.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, **kwargs: Any) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Snapshots of Amazon Lightsail instances that people can trust.",
            tags={"project": "lightsail-snapshots"},  # CloudFormation hands it on to every resource: for cost reports
            **kwargs,
        )
        self.bus = self._bus()
        self.create = Create(
            self,
            "Create",
            bus=self.bus,
            code=lambda_code(),
            regions=settings.regions,
            max_concurrency=settings.create_concurrency,
        )
        self._outputs()

    def _bus(self) -> events.EventBus:
        """Make the bus, with an archive of all its events, from which any of the last days can be replayed."""
        bus = events.EventBus(self, "Bus", event_bus_name=BUS_NAME, description="Requests for snapshots, and outcomes.")
        # Without a pattern the archive takes everything; the higher-level construct insists on one. It bears the name
        # of the bus and goes with it: a bus of another name gets another archive, a second deployment a new one.
        events.CfnArchive(
            self,
            "Archive",
            archive_name=BUS_NAME,
            source_arn=bus.event_bus_arn,
            retention_days=ARCHIVE_DAYS,
            description="All events of the bus.",
        )
        return bus

    def _outputs(self) -> None:
        """Say what to do next."""
        create = self.create
        outputs = {
            "BusName": self.bus.event_bus_name,
            "CreateFunctionName": create.function.function_name,
            "RequestQueueUrl": create.queue.queue_url,
            "DeadLetterQueueUrl": create.dead_letter_queue.queue_url,
            "RequestSnapshot": _request_command(),
            "FollowLogs": f"aws logs tail {create.log_group.log_group_name} --follow --region {Aws.REGION}",
            "ReplayDeadLetters": "aws sqs start-message-move-task"
            f" --source-arn {create.dead_letter_queue.queue_arn} --destination-arn {create.queue.queue_arn}"
            f" --region {Aws.REGION}",
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)


def _request_command() -> str:
    """Write the command that asks for a snapshot, to be pasted into a shell with MY-INSTANCE replaced."""
    entry = {
        "EventBusName": BUS_NAME,
        "Source": "my-shell",
        "DetailType": INSTANCE_SNAPSHOT_REQUESTED,
        "Detail": json.dumps({"instanceName": "MY-INSTANCE"}),
    }
    return f"aws events put-events --region {Aws.REGION} --entries {shlex.quote(json.dumps([entry]))}"
