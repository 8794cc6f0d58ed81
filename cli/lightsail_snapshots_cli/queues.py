"""The messages in the dead-letter queues of the deployment."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3

from lightsail_snapshots.aws import CONFIG
from lightsail_snapshots_cli.deployment import Deployment
from lightsail_snapshots_cli.errors import explain_errors

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

QUEUE = "AWS::SQS::Queue"
FUNCTION = "AWS::Lambda::Function"
_MOST = 1000
"""Messages that are received from one queue."""
_WAIT_SECONDS = 1
"""Without waiting, SQS asks only some of its servers."""
_HIDDEN_SECONDS = 300
"""For so long nobody else receives them: a person reads the list and decides."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One message of a dead-letter queue."""

    queue: str
    """The name of the queue in the stack, such as `CreateDeadLetterQueue`."""
    queue_url: str
    id: str
    receipt: str
    sent_at: datetime
    body: str
    attributes: Mapping[str, str]
    """What EventBridge and its Scheduler say of an event that they could not deliver."""

    @property
    def event(self) -> Any:
        """What the body says as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):  # no JSON, or JSON in thousands of brackets
            return None


def work_queues(deployment: Deployment) -> dict[str, str]:
    """Return the URLs of the queues that functions consume, by the capability's name in the stack."""
    queues = deployment.resources_of_type(QUEUE)
    functions = deployment.resources_of_type(FUNCTION)
    names = (function.removesuffix("Function") for function in functions)
    return {name: queues[f"{name}Queue"] for name in names if f"{name}Queue" in queues}


def dead_letter_queues(deployment: Deployment) -> dict[str, str]:
    """Return the URLs of all other queues, by name: every one of them has what could not be done or delivered."""
    working = set(work_queues(deployment).values())
    return {name: url for name, url in deployment.resources_of_type(QUEUE).items() if url not in working}


@contextmanager
def received(region: str, queues: Mapping[str, str]) -> Iterator[list[Letter]]:
    """Receive the messages of these queues, oldest first; those that are left in the list are visible again at the end.

    A caller that deletes a message takes it out of the list.
    """
    client = boto3.client("sqs", region_name=region, config=CONFIG)
    with explain_errors("while reading the dead-letter queues"), ThreadPoolExecutor() as threads:
        found = threads.map(lambda queue: list(_receive(client, *queue)), queues.items())
        letters = sorted((each for letters in found for each in letters), key=lambda each: each.sent_at)
    try:
        yield letters
    finally:
        with explain_errors("while making the messages visible again"), ThreadPoolExecutor() as threads:
            list(threads.map(lambda letter: _release(client, letter), letters))


def send(region: str, queue_url: str, body: str) -> None:
    """Put a message into a queue. Raises an error of botocore."""
    boto3.client("sqs", region_name=region, config=CONFIG).send_message(QueueUrl=queue_url, MessageBody=body)


def delete(region: str, letter: Letter) -> None:
    """Take a message out of its queue. Raises an error of botocore."""
    client = boto3.client("sqs", region_name=region, config=CONFIG)
    client.delete_message(QueueUrl=letter.queue_url, ReceiptHandle=letter.receipt)


def _receive(client: "SQSClient", name: str, url: str) -> Iterator[Letter]:
    for _ in range(_MOST // 10):
        answer = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_HIDDEN_SECONDS,
            WaitTimeSeconds=_WAIT_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        if not messages:
            return
        yield from (_letter(name, url, message) for message in messages)


def _letter(name: str, url: str, message: "MessageTypeDef") -> Letter:
    attributes = message.get("MessageAttributes", {})
    return Letter(
        queue=name,
        queue_url=url,
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        sent_at=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
        body=message["Body"],
        attributes={key: value.get("StringValue", "") for key, value in attributes.items()},
    )


def _release(client: "SQSClient", letter: Letter) -> None:
    client.change_message_visibility(QueueUrl=letter.queue_url, ReceiptHandle=letter.receipt, VisibilityTimeout=0)
