"""The stack: one event bus, and one construct per capability. It only composes."""

import json
import shlex
from collections.abc import Sequence
from typing import Any

from aws_cdk import Annotations, Aws, CfnOutput, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.asset.bundling import lambda_code
from infra.audit import Audit
from infra.capability import StackContext
from infra.copy import Copy
from infra.create import Create
from infra.event_function import EventFunction
from infra.fan_out import FanOut
from infra.monitoring.monitoring import Monitoring
from infra.prune import Prune, schedule_prune
from infra.queue_function import QueueFunction
from infra.schedules import Schedules, plan_schedule_name
from lightsail_snapshots.events import (
    AUDIT_REQUESTED,
    FLEET_SNAPSHOT_REQUESTED,
    INSTANCE_SNAPSHOT_REQUESTED,
    PRUNE_REQUESTED,
    SOURCE,
)
from lightsail_snapshots_plans.models import Plan, Plans, audit_interval, audit_request, fleet_request

BUS_NAME = "lightsail-snapshots"
ARCHIVE_DAYS = 30
RUNBOOK = "docs/operations.md"
"""Where messages send a person; with `-c runbook=https://...` they link to where your team reads it."""


class LightsailSnapshotsStack(Stack):
    """Snapshots of Lightsail instances, as the plans say and on request.

    Deleting the stack deletes no snapshot: they belong to Lightsail, and nothing here refers to one. It keeps the
    functions' logs, and drops the bus, its archive and the queues with what is still in them.
    """

    def __init__(self, scope: Construct, construct_id: str, *, plans: Plans, **kwargs: Any) -> None:
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
        if plans.allow_accounts:
            self._open_bus(plans.allow_accounts)
        self.archive = self._archive()
        shared = StackContext(
            bus=self.bus, code=lambda_code(), regions=_regions(plans), copy_regions=_copy_regions(plans)
        )
        self.create = Create(self, "Create", shared, max_concurrency=plans.create_concurrency)
        self.fan_out = FanOut(self, "FanOut", shared)
        self.prune = Prune(self, "Prune", shared)
        runbook = str(self.node.try_get_context("runbook") or RUNBOOK)
        self.audit = Audit(self, "Audit", shared, runbook=runbook)
        detail_types = [FLEET_SNAPSHOT_REQUESTED, PRUNE_REQUESTED, AUDIT_REQUESTED]
        self.schedules = Schedules(self, "Schedules", bus=self.bus, detail_types=detail_types)
        schedule_prune(self.schedules, plans)
        self._schedule_audit(plans)
        for plan in plans.plans:
            self._start(plan)
        self.copy = Copy(self, "Copy", shared) if shared.copy_regions else None
        self.monitoring = self._monitoring(plans, runbook)
        self._outputs(shared.regions)
        if self.copy:
            self._copy_outputs(self.copy)
        for warning in plans.warnings:
            Annotations.of(self).add_warning_v2(f"plans:{'.'.join(warning.path)}", str(warning))

    def _start(self, plan: Plan) -> None:
        """Let the plan run whenever it wants to."""
        if plan.schedule:
            self.schedules.put_event(
                f"Plan-{plan.name}",
                name=plan_schedule_name(plan.name),
                description=f"Runs the plan {plan.name}.",
                schedule=plan.schedule,
                timezone=plan.timezone,
                flexible_window=plan.flexible_window,
                detail_type=FLEET_SNAPSHOT_REQUESTED,
                detail=fleet_request(plan),
            )
        if plan.on:
            self.fan_out.trigger(plan)

    def _schedule_audit(self, plans: Plans) -> None:
        self.schedules.put_event(
            "Audit",
            name="audit",
            description="Looks which instances could not be restored.",
            schedule=plans.audit_schedule,
            detail_type=AUDIT_REQUESTED,
            detail=audit_request(plans),
        )

    def _monitoring(self, plans: Plans, runbook: str) -> Monitoring:
        """Watch every function, every queue that works, and every queue that should be empty."""
        direct: dict[str, EventFunction] = {"fan-out": self.fan_out, "prune": self.prune, "audit": self.audit}
        workers: dict[str, QueueFunction] = {"create": self.create, **({"copy": self.copy} if self.copy else {})}
        return Monitoring(
            self,
            "Monitoring",
            bus=self.bus,
            notify=plans.notify,
            runbook=runbook,
            plans=plans.plans,
            audit_every=audit_interval(plans),
            capabilities={**workers, **direct},
            direct=list(direct),
            working={name: worker.queue for name, worker in workers.items()},
            dead_letters={
                **{name: worker.dead_letter_queue for name, worker in workers.items()},
                **({"copy-undelivered": self.copy.undelivered_queue} if self.copy else {}),
                **{name: each.failures for name, each in direct.items()},
                "schedules": self.schedules.dead_letter_queue,
            },
        )

    def _open_bus(self, accounts: Sequence[str]) -> None:
        """Let other accounts ask for snapshots, and for nothing else.

        They may neither tell of outcomes, nor speak in our name, nor let anything be pruned: what is not requested
        here is not taken. Without accounts the bus has no policy, and only its own account may put events.
        """
        self.bus.add_to_resource_policy(
            iam.PolicyStatement(
                sid="RequestsOfOtherAccounts",
                principals=[iam.AccountPrincipal(account) for account in accounts],
                actions=["events:PutEvents"],
                resources=[self.bus.event_bus_arn],
                conditions={
                    "ForAllValues:StringEquals": {
                        "events:detail-type": [INSTANCE_SNAPSHOT_REQUESTED, FLEET_SNAPSHOT_REQUESTED]
                    },
                    "ForAllValues:StringNotEquals": {"events:source": SOURCE},
                },
            )
        )

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

    def _outputs(self, regions: Sequence[str]) -> None:
        """Say what to do next."""
        create = self.create
        outputs = {
            "BusName": self.bus.event_bus_name,
            "CreateFunctionName": create.function.function_name,
            "RequestQueueUrl": create.queue.queue_url,
            "DeadLetterQueueUrl": create.dead_letter_queue.queue_url,
            "RequestSnapshot": _request_command(regions),
            "FollowLogs": create.follow_command,
            "ReplayDeadLetters": create.replay_command,
            "FanOutFunctionName": self.fan_out.function.function_name,
            "FanOutFailuresQueueUrl": self.fan_out.failures.queue_url,
            "FollowFanOutLogs": self.fan_out.follow_command,
            "ReplayFanOutFailure": self.fan_out.replay_command,
            "PruneFunctionName": self.prune.function.function_name,
            "PruneFailuresQueueUrl": self.prune.failures.queue_url,
            "FollowPruneLogs": self.prune.follow_command,
            "ReplayPruneFailure": self.prune.replay_command,
            "AuditFunctionName": self.audit.function.function_name,
            "AuditFailuresQueueUrl": self.audit.failures.queue_url,
            "FollowAuditLogs": self.audit.follow_command,
            "ReplayAuditFailure": self.audit.replay_command,
            "TopicArn": self.monitoring.topic.topic_arn,
            "SchedulesDeadLetterQueueUrl": self.schedules.dead_letter_queue.queue_url,
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


def _regions(plans: Plans) -> tuple[str, ...]:
    """Return the Regions that the stack looks after: those of each plan, and those where custom events may ask.

    What names no Region means the stack's own, which is not known before it is deployed.
    """
    own = plans.regions or (Aws.REGION,)
    return tuple(dict.fromkeys([*own, *(region for plan in plans.plans for region in plan.regions or own)]))


def _copy_regions(plans: Plans) -> tuple[str, ...]:
    """Return the Regions that any plan copies to: custom events may ask for copies to the same."""
    return tuple(dict.fromkeys(region for plan in plans.plans for region in plan.copy_to))


def _request_command(regions: Sequence[str]) -> str:
    """Write the command that asks for a snapshot, to be pasted into a shell with what is in capitals replaced.

    It names the Region, since the stack's own need not be one of those that it looks after.
    """
    region = regions[0] if len(regions) == 1 else "MY-REGION"
    entry = {
        "EventBusName": BUS_NAME,
        "Source": "my-shell",
        "DetailType": INSTANCE_SNAPSHOT_REQUESTED,
        "Detail": json.dumps({"instanceName": "MY-INSTANCE", "region": region}),
    }
    return f"aws events put-events --region {Aws.REGION} --entries {shlex.quote(json.dumps([entry]))}"
