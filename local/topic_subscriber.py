"""A queue that subscribes to the stack's topic, and gets the messages that a person would get."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from local.aws import LocalAws

QUEUE = "topic-subscriber"


@dataclass
class TopicSubscriber:
    """The messages of a topic so far, oldest first."""

    sqs: Any
    queue_url: str
    texts: list[str] = field(default_factory=list)

    def poll(self) -> list[str]:
        """Receive new messages and return all texts; the text of an alarm is JSON."""
        while messages := self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                text = json.loads(message["Body"])["Message"]
                # EventBridge sends a text as a JSON string, CloudWatch sends an alarm as a JSON object.
                self.texts.append(json.loads(text) if text.startswith('"') else text)
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return self.texts

    def wait_for(self, part: str, seconds: float) -> str | None:
        """Return the first text that contains `part`, or None if there is none within so many seconds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := next((text for text in self.poll() if part in text), None):
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
