"""What a person would get on a phone: a queue that is subscribed to the stack's topic."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from local.aws import LocalAws

NAME = "phone"


@dataclass
class TopicSubscriber:
    """A subscriber of the topic, and the texts that came so far, oldest first."""

    sqs: Any
    url: str
    texts: list[str] = field(default_factory=list)

    def look(self) -> list[str]:
        """Takes in what is new; returns all texts. That of an alarm is JSON, as AWS sends it."""
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                # Between quotation marks, as EventBridge sends a text, or bare, as an alarm's JSON.
                text = json.loads(message["Body"])["Message"]
                self.texts.append(json.loads(text) if text.startswith('"') else text)
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return self.texts

    def wait_for(self, part: str, seconds: float) -> str | None:
        """Returns the first text that has this in it; None where none comes within so many seconds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := next((text for text in self.look() if part in text), None):
                return found
            time.sleep(0.2)
        return None


def subscribe(aws: LocalAws, topic: str) -> TopicSubscriber:
    """Makes the queue and subscribes it, as anybody could with a queue of their own."""
    sqs: Any = aws.client("sqs")
    url = str(sqs.create_queue(QueueName=NAME)["QueueUrl"])
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
