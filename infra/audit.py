"""The `audit` capability: Audit Requested -> Lambda -> metrics, Recovery Point Overdue."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.direct import Direct
from lightsail_snapshots.audit_request import AUDIT_REQUESTED
from lightsail_snapshots.overdue import RECOVERY_POINT_OVERDUE


class Audit(Direct):
    """Looks which instances could not be restored. It can read two lists, and change nothing at all."""

    def __init__(  # noqa: PLR0913 - a construct's settings are plain keyword arguments
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
        copies = {"COPY_REGIONS": ",".join(copy_regions)} if copy_regions else {}
        super().__init__(
            scope,
            construct_id,
            bus=bus,
            code=code,
            module="audit",
            description="Looks which Lightsail instances have no recent snapshot.",
            publishes=[RECOVERY_POINT_OVERDUE],
            environment={"SNAPSHOT_REGIONS": ",".join(regions), "RUNBOOK": runbook, **copies},
            timeout=Duration.minutes(10),  # some hundreds of pages, one after the other, for ten thousand instances
            memory=1024,  # 100,000 snapshots of a Region, with their tags, are 250 MB
        )
        self._allow("Instances", "lightsail:GetInstances", regions)
        self._allow("Snapshots", "lightsail:GetInstanceSnapshots", [*regions, *copy_regions])
        reason = "Lightsail's reads know no resource types; the condition limits them to the Regions."
        self.acknowledge({"*": reason}, regions[:1])
        self.rule(
            "Rule",
            bus=bus,
            description="Requests for an audit, from the schedule or from whoever wants to know now.",
            pattern={"detail-type": [AUDIT_REQUESTED]},
        )

    def _allow(self, sid: str, action: str, regions: Sequence[str]) -> None:
        self.role.add_to_policy(
            iam.PolicyStatement(
                sid=f"List{sid}",  # Lightsail's reads know no resources, only Regions
                actions=[action],
                resources=["*"],
                conditions={"StringEquals": {"aws:RequestedRegion": list(dict.fromkeys(regions))}},
            )
        )
