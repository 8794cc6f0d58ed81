"""The `audit` capability: Audit Requested -> Lambda -> metrics, Recovery Point Overdue."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.capability import where
from infra.direct import Direct
from lightsail_snapshots.audit_request import AUDIT_REQUESTED
from lightsail_snapshots.overdue import RECOVERY_POINT_OVERDUE


class Audit(Direct):
    """Looks which instances could not be restored. It can read two lists, and change nothing at all."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bus: events.IEventBus,
        code: lambda_.Code,
        regions: Sequence[str],
        copy_regions: Sequence[str],
        runbook: str,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            bus=bus,
            code=code,
            module="audit",
            description="Looks which Lightsail instances have no recent snapshot.",
            publishes=[RECOVERY_POINT_OVERDUE],
            environment={**where(regions, copy_regions), "RUNBOOK": runbook},
            timeout=Duration.minutes(10),  # some hundreds of pages, one after the other, for ten thousand instances
            memory=1024,  # 100,000 snapshots of a Region, with their tags, are 250 MB
        )
        self.allow_reads("ListInstances", ["lightsail:GetInstances"], regions)
        self.allow_reads("ListSnapshots", ["lightsail:GetInstanceSnapshots"], [*regions, *copy_regions])
        self.rule(
            "Rule",
            bus=bus,
            description="Requests for an audit, from the schedule or from whoever wants to know now.",
            pattern={"detail-type": [AUDIT_REQUESTED]},
        )
