"""The stack: one event bus, and one construct per capability. It only composes."""

import json
import shlex
from typing import Any

from aws_cdk import Aws, CfnOutput, Stack
from aws_cdk import aws_events as events
from constructs import Construct

from infra.bundling import lambda_code
from infra.copy import Copy
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
        self.bus = events.EventBus(
            self, "Bus", event_bus_name=BUS_NAME, description="Requests for snapshots, and outcomes."
        )
        self.archive = self._archive()
        code = lambda_code()
        self.create = Create(
            self,
            "Create",
            bus=self.bus,
            code=code,
            regions=settings.regions,
            copy_regions=settings.copy_regions,
            max_concurrency=settings.create_concurrency,
        )
        self._outputs()
        if settings.copy_regions:
            self.copy = Copy(
                self,
                "Copy",
                bus=self.bus,
                code=code,
                regions=settings.regions,
                copy_regions=settings.copy_regions,
            )
            self._copy_outputs(self.copy)

    def _archive(self) -> events.CfnArchive:
        """Keep all events of the bus, so that any of the last days can be replayed.

        Without a pattern it takes everything; the CDK's higher-level construct insists on one. It bears the name of the
        bus and goes with it: a bus of another name gets another archive, a second deployment a new one.
        """
        return events.CfnArchive(
            self,
            "Archive",
            archive_name=BUS_NAME,
            source_arn=self.bus.event_bus_arn,
            retention_days=ARCHIVE_DAYS,
            description="All events of the bus.",
        )

    def _outputs(self) -> None:
        """Say what to do next."""
        create = self.create
        outputs = {
            "BusName": self.bus.event_bus_name,
            "CreateFunctionName": create.function.function_name,
            "RequestQueueUrl": create.queue.queue_url,
            "DeadLetterQueueUrl": create.dead_letter_queue.queue_url,
            "RequestSnapshot": _request_command(),
            "FollowLogs": create.follow_command,
            "ReplayDeadLetters": create.replay_command,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)

    def _copy_outputs(self, copy: Copy) -> None:
        outputs = {
            "CopyFunctionName": copy.function.function_name,
            "CopyQueueUrl": copy.queue.queue_url,
            "CopyDeadLetterQueueUrl": copy.dead_letter_queue.queue_url,
            "CopyUndeliveredQueueUrl": copy.undelivered_queue.queue_url,
            "FollowCopyLogs": copy.follow_command,
            "ReplayCopyDeadLetters": copy.replay_command,
            "ReplayUndeliveredCopies": copy.replay_undelivered_command(self.archive.attr_arn, self.bus),
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
