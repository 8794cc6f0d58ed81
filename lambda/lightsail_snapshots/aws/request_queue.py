"""The queue whose messages a function handles, and its dead-letter queue."""

from collections.abc import Mapping
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING

from botocore.config import Config

from lightsail_snapshots.aws import SINGLE_ATTEMPT
from lightsail_snapshots.aws.clients import make_client
from lightsail_snapshots.aws.errors import RetryableError, translate_errors

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

CONFIG = SINGLE_ATTEMPT.merge(Config(connect_timeout=1, read_timeout=3))
"""Short, since a batch waits for the answer, and without it the queue's own visibility timeout is good enough."""

MAX_VISIBILITY = 43_000
"""Seconds: a message may be invisible for 12 hours since it was received (SQS API reference, ChangeMessageVisibility),
less the time that a function may already have had it."""


class RequestQueue:
    """The queue of one function, with its dead-letter queue."""

    def __init__(self, url: str, dead_letter_url: str, region: str) -> None:
        """Keep the addresses; this does not call AWS."""
        self._url = url
        self._dead_letter_url = dead_letter_url
        self._region = region

    @cached_property
    def _client(self) -> "SQSClient":
        """Made on the first use: most batches of a plan's requests need none."""
        client: SQSClient = make_client("sqs", self._region, CONFIG)
        return client

    def set_delays(self, seconds: Mapping[str, float]) -> None:
        """Deliver messages again after so many seconds from now, by receipt handle; a batch has at most ten.

        Raises RetryableError if any keeps its former delay.
        """
        entries = zip(map(str, count()), seconds.items(), strict=False)
        with translate_errors():
            answer = self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": number, "ReceiptHandle": handle, "VisibilityTimeout": _visibility(delay)}
                    for number, (handle, delay) in entries
                ],
            )
        if failed := answer.get("Failed"):
            first = failed[0]
            raise RetryableError(f"{first['Code']}: {first.get('Message', '')} (ChangeMessageVisibilityBatch)")

    def send_dead_letter(self, body: str) -> None:
        """Put a message into the dead-letter queue, as SQS itself would after too many deliveries."""
        with translate_errors():
            self._client.send_message(QueueUrl=self._dead_letter_url, MessageBody=body)


def _visibility(delay: float) -> int:
    return min(max(0, round(delay)), MAX_VISIBILITY)
