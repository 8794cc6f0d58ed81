"""A queue that subscribes to the stack's topic, and gets the messages that a person would get."""

import json
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from local.aws import LocalAws

QUEUE = "topic-subscriber"


class Notification(NamedTuple):
    """One message of the topic."""

    subject: str
    text: str
    """Of an alarm, CloudWatch's JSON."""


@dataclass
class TopicSubscriber:
    """The messages of a topic so far, oldest first."""

    sqs: Any
    queue_url: str
    received: list[Notification] = field(default_factory=list)

    def poll(self) -> list[Notification]:
        """Receive new messages and return all."""
        while messages := self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                body = json.loads(message["Body"])
                self.received.append(Notification(body["Subject"], body["Message"]))
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return self.received

    def wait_for(self, part: str, seconds: float) -> Notification | None:
        """Return the first message whose text contains `part`, or None if there is none within so many seconds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := next((each for each in self.poll() if part in each.text), None):
                return found
            time.sleep(0.2)
        return None


def subscribe(aws: LocalAws, topic: str) -> TopicSubscriber:
    """Create a queue and subscribe it to the topic, as any user of the stack can."""
    sqs: Any = aws.client("sqs")
    url = str(sqs.create_queue(QueueName=QUEUE)["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return TopicSubscriber(sqs, url)
