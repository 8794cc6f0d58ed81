"""Who watches the watcher: each completed audit calls an address outside AWS, which notices if the calls stop."""

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.names import NAME
from infra.rules import NOT_REPLAYED, add_rule
from lightsail_snapshots.events import AUDIT_COMPLETED, SOURCE

RETRY_SECONDS = 60 * 60
"""A call that is late would hide that a later one is missing."""


class Heartbeat(Construct):
    """An API destination, and the rule that calls it.

    The call says that an audit was completed, and nothing about instances. If it cannot be delivered, nothing is kept:
    the other side is there to notice that. A connection needs some authorization, so it sends a header that says who
    calls. EventBridge stores that as a secret of its own, at no extra cost.
    """

    def __init__(self, scope: Construct, construct_id: str, *, bus: events.IEventBus, endpoint: str) -> None:
        super().__init__(scope, construct_id)
        connection = events.CfnConnection(
            self,
            "Connection",
            name=f"{NAME}-heartbeat",
            authorization_type="API_KEY",
            auth_parameters=events.CfnConnection.AuthParametersProperty(
                api_key_auth_parameters=events.CfnConnection.ApiKeyAuthParametersProperty(
                    api_key_name="X-Sent-By", api_key_value=NAME
                )
            ),
        )
        destination = events.CfnApiDestination(
            self,
            "Destination",
            name=f"{NAME}-heartbeat",
            description="Is called after each completed audit.",
            connection_arn=connection.attr_arn,
            http_method="POST",
            invocation_endpoint=endpoint,
        )
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
        role.add_to_policy(
            iam.PolicyStatement(
                sid="CallTheAddress", actions=["events:InvokeApiDestination"], resources=[destination.attr_arn]
            )
        )
        add_rule(
            self,
            "Rule",
            description="Calls an address outside AWS after each completed audit.",
            bus=bus,
            pattern={"source": [SOURCE], "detail-type": [AUDIT_COMPLETED], **NOT_REPLAYED},
            target_arn=destination.attr_arn,
            role_arn=role.role_arn,
            retry_seconds=RETRY_SECONDS,
            template='{"event": "Audit Completed", "auditedAt": <auditedAt>}',
            paths={"auditedAt": "$.detail.auditedAt"},
        )
