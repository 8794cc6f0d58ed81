"""The SNS topic whose subscribers are people."""

from lightsail_snapshots.aws.clients import make_client
from lightsail_snapshots.aws.errors import translate_errors


class Topic:
    """One topic."""

    def __init__(self, arn: str, region: str) -> None:
        """Make the client; this does not call AWS."""
        self._arn = arn
        self._client = make_client("sns", region)

    def publish(self, subject: str, text: str) -> None:
        """Send a message to all subscribers; raise an AwsError if SNS does not take it."""
        with translate_errors():
            self._client.publish(TopicArn=self._arn, Subject=subject, Message=text)
