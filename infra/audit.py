"""The `audit` capability: Audit Requested -> Lambda -> metrics, Recovery Point Overdue."""

from aws_cdk import Duration
from constructs import Construct

from infra.capability import StackContext
from infra.event_function import EventFunction
from lightsail_snapshots.events import AUDIT_REQUESTED, INSTANCE_SNAPSHOT_FAILED, RECOVERY_POINT_OVERDUE


class Audit(EventFunction):
    """Finds instances that could not be restored. It can read two lists, and changes nothing in Lightsail."""

    def __init__(self, scope: Construct, construct_id: str, shared: StackContext, *, runbook: str) -> None:
        super().__init__(
            scope,
            construct_id,
            shared,
            module="audit",
            description="Looks which Lightsail instances have no recent snapshot.",
            publishes=[RECOVERY_POINT_OVERDUE, INSTANCE_SNAPSHOT_FAILED],
            environment={"RUNBOOK": runbook},
            timeout=Duration.minutes(10),  # some hundreds of pages, one after the other, for ten thousand instances
            memory=1024,  # 100,000 snapshots of a Region, with their tags, are 250 MB
        )
        self.allow_reads("ListInstances", ["lightsail:GetInstances"], shared.regions)
        self.allow_reads("ListSnapshots", ["lightsail:GetInstanceSnapshots"], shared.all_regions)
        self.rule(
            "Rule",
            bus=shared.bus,
            description="Requests for an audit, from the schedule or from whoever wants to know now.",
            pattern={"detail-type": [AUDIT_REQUESTED]},
        )
