"""The handler of `notify`: who is told, and what happens if the topic or the chat does not take a message."""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pytest
from moto import mock_aws

import tests.support.environment  # noqa: F401 - the functions read it when they are imported

# isort: split
from lightsail_snapshots import chat, notify
from lightsail_snapshots.aws.errors import AwsError
from lightsail_snapshots.chat import ChatError
from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.messages import ALARM_STATE_CHANGE, MESSAGES
from lightsail_snapshots.observability import logger
from tests.support.events import example, requested
from tests.support.fake_aws import Context, client, emf

FAILED, OVERDUE = "Instance Snapshot Failed", "Recovery Point Overdue"
ADDRESS = "https://hooks.slack.com/services/T0000/B0000/not-to-be-told"
PARAMETER = notify.settings.chat_parameter
ALARM: dict[str, Any] = {
    "id": "1",
    "detail-type": ALARM_STATE_CHANGE,
    "source": "aws.cloudwatch",
    "detail": {"alarmName": "lightsail-snapshots-audit-missing", "state": {"value": "ALARM"}},
}


@dataclass
class People:
    """What subscribers of the topic get, what is posted to the chat, and the log."""

    queue_url: str
    posts: list[tuple[str, str]] = field(default_factory=list)
    log: io.StringIO = field(default_factory=io.StringIO)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    refusal: ChatError | None = None
    """What posting to the chat raises."""

    def tell(self, event: dict[str, Any]) -> dict[str, Any]:
        printed = io.StringIO()
        try:
            with redirect_stdout(printed), patch.object(notify, "post", self._post):
                return notify.handler(event, Context())
        finally:
            self.metrics = emf(printed.getvalue())

    def _post(self, address: str, text: str) -> None:
        self.posts.append((address, text))
        if self.refusal:
            raise self.refusal

    def mails(self) -> list[tuple[str, str]]:
        """Return subject and text of each message that the topic took."""
        received = client("sqs").receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        bodies = [json.loads(each["Body"]) for each in received.get("Messages", [])]
        return [(body["Subject"], body["Message"]) for body in bodies]

    def logs(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@pytest.fixture
def people() -> Iterator[People]:
    with mock_aws(), patch("time.sleep"):
        sns, sqs, ssm = (client(name) for name in ("sns", "sqs", "ssm"))
        topic = sns.create_topic(Name="topic")["TopicArn"]
        assert topic == notify.settings.topic_arn
        url = sqs.create_queue(QueueName="people")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        ssm.put_parameter(Name=PARAMETER, Value=ADDRESS, Type="SecureString")
        here = People(url)
        lines = logger.registered_handler
        before = lines.setStream(here.log)  # type: ignore[attr-defined]  # Powertools' handler is a StreamHandler
        yield here
        lines.setStream(before)  # type: ignore[attr-defined]


def without_chat() -> Any:
    changed = {**vars(notify.settings), "chat_parameter": None}
    return patch.object(notify, "settings", type(notify.settings)(**changed))


@pytest.mark.parametrize("detail_type", MESSAGES)
def test_event_becomes_a_message_at_the_topic_and_in_the_chat(people: People, detail_type: str) -> None:
    answer = people.tell(example(detail_type))
    [(subject, text)] = people.mails()
    assert answer == {"state": "notified", "subject": subject}
    assert people.posts == [(ADDRESS, text)]
    assert people.metrics == {"ChatPostsFailed": [0]}
    [published, posted] = people.logs()
    assert (published["message"], posted["message"]) == ("Published a message", "Posted a message to the chat")
    assert published["correlation_id"] == example(detail_type)["id"]


def test_chat_is_not_asked_for_and_costs_no_metric_without_one(people: People) -> None:
    with without_chat():
        people.tell(example(FAILED))
    assert len(people.mails()) == 1
    assert (people.posts, people.metrics) == ([], {})


def test_alarm_goes_to_the_chat_only(people: People) -> None:
    people.tell(ALARM)
    assert people.mails() == []
    [(_, text)] = people.posts
    assert text.startswith("ALARM: audit-missing.")


def test_near_miss_becomes_a_message(people: People) -> None:
    people.tell(requested(**{"detail-type": "Instance snapshot Requested"}))
    [(subject, _)] = people.mails()
    assert subject.startswith("Request ignored: Instance snapshot Requested")


def test_other_event_is_logged_and_nobody_is_told(people: People) -> None:
    assert people.tell(requested(source="my.ci", **{"detail-type": "Release"})) == {"state": "ignored"}
    assert (people.mails(), people.posts, people.metrics) == ([], [], {})
    [line] = people.logs()
    assert line["message"] == "Ignored an event with an unknown detail-type"
    assert (line["detail_type"], line["source"]) == ("Release", "my.ci")


def test_topic_gets_the_message_when_the_chat_fails(people: People) -> None:
    people.refusal = ChatError("the chat answered with the HTTP status 404")
    assert people.tell(example(FAILED))["state"] == "notified"
    assert len(people.mails()) == 1
    assert people.metrics == {"ChatPostsFailed": [1]}
    [line] = [line for line in people.logs() if line["level"] == "ERROR"]
    assert (line["message"], line["error"]) == ("Could not post a message to the chat", str(people.refusal))


def test_topic_gets_the_message_when_the_parameter_is_missing(people: People) -> None:
    client("ssm").delete_parameter(Name=PARAMETER)
    assert people.tell(example(FAILED))["state"] == "notified"
    assert len(people.mails()) == 1
    assert people.metrics == {"ChatPostsFailed": [1]}
    assert "ParameterNotFound" in people.logs()[-1]["error"]


def test_chat_gets_the_message_when_the_topic_fails_and_lambda_retries(people: People) -> None:
    client("sns").delete_topic(TopicArn=notify.settings.topic_arn)
    with pytest.raises(AwsError):
        people.tell(example(OVERDUE))
    assert len(people.posts) == 1


def test_no_log_line_has_any_part_of_the_address(people: People) -> None:
    for refusal in (None, ChatError("the chat could not be reached: NewConnectionError")):
        people.refusal = refusal
        people.tell(example(FAILED))
    assert "not-to-be-told" not in people.log.getvalue()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hooks.slack.com/not-to-be-told",
        "file:///not-to-be-told",
        "https://a b/not-to-be-told",
        "https://ä/not-to-be-told",
        "https://[not-to-be-told",
        "https://host:99999999/not-to-be-told",
        "https://-/not-to-be-told",
        f"https://{'a' * 300}/not-to-be-told",
        "https://host/not-to-be-told\n",
    ],
)
def test_address_that_cannot_be_used_is_not_told(address: str) -> None:
    with pytest.raises(ChatError) as raised, patch("time.sleep"), patch("socket.getaddrinfo", side_effect=OSError):
        chat.post(address, "text")
    assert "not-to-be-told" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_source_of_our_own_events_is_not_a_near_miss(people: People) -> None:
    """The rules already exclude it; a function that somebody invokes decides by the detail-type alone."""
    assert people.tell(requested(source=SOURCE, **{"detail-type": "Unknown"})) == {"state": "ignored"}
