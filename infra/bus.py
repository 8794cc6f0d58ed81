"""The event bus, its archive, and who may put events on it."""

from collections.abc import Sequence

from aws_cdk import CfnOutput
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.names import NAME
from lightsail_snapshots.events import FLEET_SNAPSHOT_REQUESTED, INSTANCE_SNAPSHOT_REQUESTED, SOURCE

ARCHIVE_DAYS = 30


class Bus(events.EventBus):
    """The bus with an archive of all its events. A stack deletes and creates both together: they share a name."""

    def __init__(self, scope: Construct, construct_id: str, *, allow_accounts: Sequence[str]) -> None:
        super().__init__(
            scope, construct_id, event_bus_name=NAME, description="Requests for snapshots, and their outcomes."
        )
        events.CfnArchive(  # the CDK's own construct requires an event pattern; without one, all events are archived
            scope,
            "Archive",
            archive_name=NAME,
            source_arn=self.event_bus_arn,
            retention_days=ARCHIVE_DAYS,
            description="All events of the bus.",
        )
        CfnOutput(
            scope, "BusName", value=self.event_bus_name, description="Requests and outcomes are events on this bus."
        )
        self._publishers: list[str] = []
        self.source_policy = self._add_policy("OnlyTheStackUsesItsSource", self._deny_our_source())
        if allow_accounts:
            requests = self._add_policy("RequestsOfOtherAccounts", self._allow_requests(allow_accounts))
            requests.add_resource_dependency(self.source_policy)

    def _add_policy(self, sid: str, statement: iam.PolicyStatement) -> events.CfnEventBusPolicy:
        return events.CfnEventBusPolicy(
            self,
            sid,
            event_bus_name=self.event_bus_name,
            statement_id=sid,
            statement=statement.to_statement_json(),
        )

    def allow_our_source(self, role: iam.Role) -> None:
        """Let one more role of the stack put events of our source, of the types that its own policy allows."""
        self._publishers.append(role.role_arn)
        self.source_policy.statement = self._deny_our_source().to_statement_json()

    def _deny_our_source(self) -> iam.PolicyStatement:
        """Deny PutEvents to everyone but the stack's own roles if any entry of the call has our source."""
        return iam.PolicyStatement(
            effect=iam.Effect.DENY,
            principals=[iam.StarPrincipal()],
            actions=["events:PutEvents"],
            resources=[self.event_bus_arn],
            conditions={
                "ForAnyValue:StringEquals": {"events:source": SOURCE},
                "StringNotEquals": {"aws:PrincipalArn": list(self._publishers)},
            },
        )

    def _allow_requests(self, accounts: Sequence[str]) -> iam.PolicyStatement:
        """Let other accounts put requests for snapshots, but no other events."""
        return iam.PolicyStatement(
            principals=[iam.AccountPrincipal(account) for account in accounts],
            actions=["events:PutEvents"],
            resources=[self.event_bus_arn],
            conditions={
                "ForAllValues:StringEquals": {
                    "events:detail-type": [INSTANCE_SNAPSHOT_REQUESTED, FLEET_SNAPSHOT_REQUESTED]
                }
            },
        )


def may_publish(bus: events.IEventBus, detail_types: Sequence[str]) -> iam.PolicyStatement:
    """Allow events of these types from our source on this bus, and no others: no outcome can become a request.

    Both keys hold one value for each entry of a PutEvents call, hence `ForAllValues`. That is also true if a key is
    missing, but PutEvents requires both Source and DetailType.
    """
    return iam.PolicyStatement(
        sid="PublishEvents",
        actions=["events:PutEvents"],
        resources=[bus.event_bus_arn],
        conditions={"ForAllValues:StringEquals": {"events:source": SOURCE, "events:detail-type": list(detail_types)}},
    )
