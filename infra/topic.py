"""The SNS topic whose subscribers are people: `notify` and the alarms publish to it."""

from collections.abc import Sequence

from aws_cdk import Aws, CfnOutput, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct


class Topic(sns.Topic):
    """An encrypted topic with its subscribers. Alarms of this account may publish, and whom `allow` names."""

    def __init__(self, scope: Construct, construct_id: str, *, notify: Sequence[str]) -> None:
        # AWS's own key for SNS has a policy that nobody can change: alarms could not publish.
        self.key = kms.Key(
            scope,
            f"{construct_id}Key",
            description="Encrypts the messages of lightsail-snapshots.",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        super().__init__(scope, construct_id, display_name="Lightsail snapshots", master_key=self.key, enforce_ssl=True)
        self._allow_alarms()
        for address in notify:
            self.add_subscription(subscriptions.EmailSubscription(address))
        CfnOutput(
            scope,
            "TopicArn",
            value=self.topic_arn,
            description="Failures and alarms go to this SNS topic. Subscribe the people who should get them.",
        )

    def allow(self, role: iam.Role) -> None:
        """Let a role publish to this topic, and use its key for that."""
        publish = iam.PolicyStatement(sid="Publish", actions=["sns:Publish"], resources=[self.topic_arn])
        encrypt = iam.PolicyStatement(
            sid="Encrypt", actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[self.key.key_arn]
        )
        role.add_to_policy(publish)
        role.add_to_policy(encrypt)

    def _allow_alarms(self) -> None:
        alarms = iam.ServicePrincipal(
            "cloudwatch.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        )
        self.add_to_resource_policy(
            iam.PolicyStatement(actions=["sns:Publish"], principals=[alarms], resources=[self.topic_arn])
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey*"], principals=[alarms], resources=["*"])
        )
