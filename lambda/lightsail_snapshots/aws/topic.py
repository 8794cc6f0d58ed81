"""The SNS topic whose subscribers are people."""

import boto3

from lightsail_snapshots.aws import CONFIG
from lightsail_snapshots.aws.errors import translate_errors


class Topic:
    """One topic."""

    def __init__(self, arn: str, region: str) -> None:
        """Make the client; this does not call AWS."""
        self._arn = arn
        self._client = boto3.client("sns", region_name=region, config=CONFIG)

    def publish(self, subject: str, text: str) -> None:
        """Send a message to all subscribers; raise an AwsError if SNS does not take it."""
        with translate_errors():
            self._client.publish(TopicArn=self._arn, Subject=subject, Message=text)
