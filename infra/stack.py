"""The stack: an event bus, one construct for each capability, and monitoring."""

from typing import Any

from aws_cdk import Annotations, Stack
from constructs import Construct

from infra.asset.bundling import lambda_code
from infra.audit import Audit
from infra.bus import Bus
from infra.capability import StackContext
from infra.copy import Copy
from infra.create import Create
from infra.drill import Drill
from infra.fan_out import FanOut
from infra.monitoring.monitoring import Monitoring
from infra.names import NAME
from infra.notify import Notify
from infra.prune import Prune
from infra.schedules import Schedules
from infra.topic import Topic
from lightsail_snapshots_plans.plans import Plans

RUNBOOK = "docs/operations.md"
"""Where messages send a person; with `-c runbook=https://...` they link to a page that your team can open."""


class LightsailSnapshotsStack(Stack):
    """Snapshots of Lightsail instances, by plan and on request.

    Deleting the stack deletes no snapshots: they belong to Lightsail, and no resource here refers to one. The logs of
    the functions stay too. The bus, its archive and the queues are deleted with what is in them.
    """

    def __init__(self, scope: Construct, construct_id: str, *, plans: Plans, **kwargs: Any) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Snapshots of Amazon Lightsail instances that people can trust.",
            tags={"project": NAME},  # CloudFormation adds it to every resource, for cost reports
            **kwargs,
        )
        runbook = str(self.node.try_get_context("runbook") or RUNBOOK)
        bus = Bus(self, "Bus", allow_accounts=plans.allow_accounts)
        schedules = Schedules(self, "Schedules", bus=bus)
        context = self._context(bus, plans)
        fan_out = FanOut(self, "FanOut", context, plans=plans.plans, schedules=schedules)
        create = Create(self, "Create", context, max_concurrency=plans.create_concurrency)
        copy = Copy(self, "Copy", context)
        prune = Prune(self, "Prune", context, plans=plans, schedules=schedules)
        audit = Audit(self, "Audit", context, plans=plans, schedules=schedules, runbook=runbook)
        with_drill = any(plan.drill for plan in plans.plans)
        drills = [Drill(self, "Drill", context, plans=plans, schedules=schedules)] if with_drill else []
        topic = Topic(self, "Topic", notify=plans.notify)
        notify = Notify(self, "Notify", context, topic=topic, chat_parameter=plans.chat_parameter, runbook=runbook)
        Monitoring(
            self,
            "Monitoring",
            bus=bus,
            capabilities=[fan_out, create, copy, prune, audit, notify, *drills],
            schedules_dead_letters=schedules.dead_letter_queue,
            plans=plans,
            topic=topic,
            runbook=runbook,
        )
        for warning in plans.warnings:
            Annotations.of(self).add_warning_v2(f"plans:{'.'.join(warning.path)}", str(warning))

    def _context(self, bus: Bus, plans: Plans) -> StackContext:
        """Custom events may use every Region that the file or a plan names. The stack's own is the default."""
        own = plans.regions or (self.region,)
        regions = [*own, *(region for plan in plans.plans for region in plan.regions or own)]
        copy_regions = [region for plan in plans.plans for region in plan.copy_to]
        return StackContext(
            bus=bus,
            code=lambda_code(),
            regions=tuple(dict.fromkeys(regions)),
            copy_regions=tuple(dict.fromkeys(copy_regions)),
        )
