"""The deployed `notify` function, by AWS's runtime client: a topic and a chat by HTTP, in the shapes of three chats."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from local.lambda_runtime import Outcome
from tests.runtime.conftest import Log, Start
from tests.support.events import example
from tests.support.webhook import PATHS, SECRET, Webhook, webhook

NOTIFY = "lightsail_snapshots.notify.handler"
FAILED = "Instance Snapshot Failed"


@dataclass
class People:
    """SNS and SSM by HTTP; `published` are the parameters of Publish so far."""

    address: str
    """The value of the parameter."""
    url: str = ""
    published: list[dict[str, str]] = field(default_factory=list)
    topic_fails: bool = False

    @property
    def environment(self) -> dict[str, str]:
        return {
            "EVENT_BUS_NAME": "lightsail-snapshots",
            "SNAPSHOT_REGIONS": "us-east-1",
            "TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:topic",
            "CHAT_PARAMETER": "/lightsail-snapshots/chat",
            "RUNBOOK": "docs/operations.md",
            "POWERTOOLS_SERVICE_NAME": "lightsail-snapshots",
            "POWERTOOLS_METRICS_NAMESPACE": "LightsailSnapshots",
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "AWS_ENDPOINT_URL_SNS": self.url,
            "AWS_ENDPOINT_URL_SSM": self.url,
        }

    def answer(self, target: str, body: str) -> tuple[int, str]:
        if target == "AmazonSSM.GetParameter":
            asked = json.loads(body)
            assert asked == {"Name": "/lightsail-snapshots/chat", "WithDecryption": True}
            return 200, json.dumps({"Parameter": {"Name": asked["Name"], "Value": self.address}})
        if self.topic_fails:
            return 500, ""
        self.published.append({name: value for name, [value] in parse_qs(body).items()})
        return 200, "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"


@contextmanager
def serving(people: People) -> Iterator[People]:
    class Aws(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, text = people.answer(self.headers.get("X-Amz-Target", ""), body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Aws) as server:
        people.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield people
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def chat() -> Iterator[Webhook]:
    with webhook() as chat:
        yield chat


@pytest.fixture
def people(chat: Webhook) -> Iterator[People]:
    """People with a Slack."""
    with serving(People(chat.address("slack"))) as people:
        yield people


def failures(log: Log) -> list[float]:
    return [count for line in log() if "_aws" in line for count in line["ChatPostsFailed"]]


@pytest.fixture(autouse=True)
def secret_stays_secret(tmp_path: Path) -> Iterator[None]:
    """Look for the secret in the whole log after each test."""
    yield
    assert SECRET not in (tmp_path / "log").read_text()
    assert "not-to-be-told" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("kind", PATHS)
def test_message_reaches_the_topic_and_the_chat(
    kind: str, people: People, chat: Webhook, start: Start, log: Log
) -> None:
    people.address = chat.address(kind)

    answer = start(people.environment, NOTIFY).invoke(example(FAILED))

    assert answer.payload == {"state": "notified", "subject": "Snapshot failed: web-1 (no plan)"}
    [published] = people.published
    assert (published["Action"], published["TopicArn"]) == ("Publish", people.environment["TOPIC_ARN"])
    assert published["Subject"] == "Snapshot failed: web-1 (no plan)"
    assert published["Message"].startswith(
        "Snapshot failed: web-1 in eu-central-1, no plan, InstanceNotFound.\n\nSince: "
    )
    [text] = chat.texts
    words = " ".join(text.strip("`").split())
    assert words == " ".join(published["Message"].split())
    assert failures(log) == [0]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_chat_is_asked_once_more(status: int, people: People, chat: Webhook, start: Start, log: Log) -> None:
    chat.answers = [status]
    start(people.environment, NOTIFY).invoke(example(FAILED))
    assert (chat.posts, len(chat.texts), failures(log)) == (2, 1, [0])


@pytest.mark.parametrize("answers", [[404], [302], [400], [503, 503]])
def test_chat_that_fails_is_counted_and_logged_and_the_topic_has_the_message(
    answers: list[int], people: People, chat: Webhook, start: Start, log: Log
) -> None:
    chat.answers = list(answers)

    answer = start(people.environment, NOTIFY).invoke(example(FAILED))

    assert answer.payload["state"] == "notified"
    assert (len(people.published), chat.posts, chat.texts, failures(log)) == (1, len(answers), [], [1])
    [line] = [line for line in log() if line.get("level") == "ERROR"]
    assert line["message"] == "Could not post a message to the chat"
    assert line["error"] == f"the chat answered with the HTTP status {answers[-1]}"


@pytest.mark.parametrize(
    "address",
    [
        f"http://127.0.0.1:1/services/{SECRET}",
        f"https://127.0.0.1:1/services/{SECRET}",
        f"ftp://127.0.0.1/{SECRET}",
        f"https://[{SECRET}",
        SECRET,
    ],
    ids=["refused", "refused over TLS", "no HTTP", "no address", "no scheme"],
)
def test_chat_that_cannot_be_reached_is_counted_and_its_address_not_told(
    address: str, people: People, start: Start, log: Log
) -> None:
    people.address = address
    answer = start(people.environment, NOTIFY).invoke(example(FAILED))
    assert answer.payload["state"] == "notified"
    assert (len(people.published), failures(log)) == (1, [1])


def test_chat_has_the_message_when_the_topic_fails_and_lambda_retries(
    people: People, chat: Webhook, start: Start
) -> None:
    people.topic_fails = True
    answer = start(people.environment, NOTIFY).invoke(example(FAILED))
    assert (answer.outcome, answer.payload["errorType"]) == (Outcome.FAILED, "RetryableError")
    assert len(chat.texts) == 1
