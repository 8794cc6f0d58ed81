"""`create` reads bad requests, batches and bare events, and logs what it does."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lightsail_snapshots import create
from lightsail_snapshots.aws.errors import RetryableError
from lightsail_snapshots.events import SOURCE
from tests.support.events import REQUEST_ID, message, requested
from tests.support.fake_aws import Context, FakeAws, client, emf, fake_aws


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with fake_aws(create.handler) as here:
        yield here


# Requests, batches, log lines.


def test_bad_request_makes_one_event_one_log_line_one_metric_and_no_call(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    event = requested({"instanceName": "a b", "tags": {"x!": ""}, "when": "now"})
    assert aws.request(event)
    detail = aws.event()["detail"]
    assert detail["requestId"] == REQUEST_ID
    assert detail["reason"] == "InvalidRequest"
    assert detail["request"] == event
    assert len(detail["problems"]) == 3
    assert all(problem in detail["message"] for problem in detail["problems"])
    [line] = aws.logs()
    assert line["correlation_id"] == REQUEST_ID
    assert line["level"] == "ERROR"
    assert all(problem in line["message"] for problem in detail["problems"])
    assert json.loads(line["request"]) == event
    assert emf(capsys.readouterr().out) == {"SnapshotsFailed": [0, 1]}
    assert aws.calls == []


@pytest.mark.parametrize("body", ["", "hello", "[]", "null", "7", "{}", '{"detail": {}}', "{"])
def test_message_that_is_no_event_is_rejected(aws: FakeAws, body: str) -> None:
    assert aws.deliver(message(body, message_id="message-7")) == []
    detail = aws.event()["detail"]
    assert (detail["requestId"], detail["reason"]) == ("message-7", "InvalidRequest")
    assert detail["problems"]
    assert aws.calls == []


def test_bad_request_is_truncated_in_its_event_when_it_is_too_long(aws: FakeAws) -> None:
    assert aws.deliver(message("x" * 1_000_000)) == []
    request = aws.event()["detail"]["request"]
    assert request.endswith("... (truncated from 1000002 characters)")
    assert len(request) < 50_100


def test_bad_request_does_not_affect_the_rest_of_the_batch(aws: FakeAws) -> None:
    batch = [message(requested(id="1"), message_id="good"), message("bad", message_id="bad")]
    batch.append(message(requested({"instanceName": "web-9"}, id="2"), message_id="no instance"))
    batch.append(message(requested(id="3"), message_id="good too"))
    assert aws.deliver(*batch) == ["good", "good too"]
    assert len(aws.snapshots()) == 2
    assert [event["detail"]["reason"] for event in aws.events()] == ["InvalidRequest", "InstanceNotFound"]


def test_message_is_retried_when_its_outcome_cannot_be_published(aws: FakeAws) -> None:
    client("events").delete_event_bus(Name="lightsail-snapshots")
    assert not aws.request(requested({"instanceName": "web-9"}))


def test_message_is_retried_without_a_call_when_little_time_is_left(aws: FakeAws) -> None:
    assert aws.deliver(message(requested()), remaining_seconds=5) == ["message-1"]
    assert aws.calls == []


def test_unexpected_error_is_logged_and_retried_and_the_others_go_on(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr("lightsail_snapshots.create.merge_tags", broken)
    no_instance = message(requested({"instanceName": "web-9"}), message_id="message-2")
    assert aws.deliver(message(requested()), no_instance) == ["message-1"]
    assert aws.event()["detail"]["reason"] == "InstanceNotFound", "the next message had its turn"
    [line] = [line for line in aws.logs() if line["message"] == "Unexpected error, will retry"]
    assert line["correlation_id"] == REQUEST_ID
    assert "ZeroDivisionError: a mistake of ours" in line["exception"]


@pytest.mark.parametrize("missing", ["body", "attributes"])
def test_malformed_record_is_retried_and_the_others_go_on(aws: FakeAws, missing: str) -> None:
    malformed = {key: value for key, value in message(requested()).items() if key != missing}
    no_instance = message(requested({"instanceName": "web-9"}), message_id="message-2")
    assert aws.deliver(malformed, no_instance) == ["message-1"]
    assert aws.event()["detail"]["reason"] == "InstanceNotFound"
    assert aws.logs()[0]["message"] == "Unexpected error, will retry"


@pytest.mark.parametrize("malformed", [{}, None, "x"])
def test_record_without_an_id_fails_the_batch_after_the_others(aws: FakeAws, malformed: Any) -> None:
    with pytest.raises((KeyError, TypeError)):
        aws.deliver(malformed, message(requested({"instanceName": "web-9"})))
    assert aws.event()["detail"]["reason"] == "InstanceNotFound"


def test_every_log_line_of_a_request_names_its_subject(aws: FakeAws) -> None:
    aws.request(requested({"instanceName": "web-1", "plan": "daily"}, source=SOURCE))
    aws.emulator.clock.advance(60)
    aws.request(requested({"instanceName": "web-1", "plan": "daily"}, source=SOURCE), attempt=2)
    [name] = [snapshot["name"] for snapshot in aws.snapshots()]
    about = {
        "correlation_id": REQUEST_ID,
        "instance_name": "web-1",
        "instance_snapshot_name": name,
        "region": "us-east-1",
        "plan": "daily",
    }
    lines = aws.logs()
    assert [(line["attempt"], line["state"]) for line in lines] == [(1, "pending"), (1, "pending"), (2, "available")]
    assert all(about.items() <= line.items() for line in lines)


def test_log_keys_of_one_request_are_not_on_the_next(aws: FakeAws) -> None:
    aws.deliver(message(requested()), message("bad"))
    assert "instance_name" not in aws.logs()[-1]


# Bare events, without a queue.


def bare(event: dict[str, Any]) -> Any:
    return create.handler(event, Context())


def test_bare_event_gets_one_step_and_its_state(aws: FakeAws) -> None:
    answer = bare(requested())
    [snapshot] = aws.snapshots()
    assert answer == {"state": "pending", "instanceSnapshotName": snapshot["name"], "region": "us-east-1"}
    aws.emulator.clock.advance(60)
    assert bare(requested())["state"] == "available"
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


def test_bare_event_gets_the_reason_when_it_fails(aws: FakeAws) -> None:
    answer = bare(requested({"instanceName": "web-9"}))
    assert (answer["state"], answer["reason"]) == ("failed", "InstanceNotFound")
    assert aws.event()["detail"]["message"] == answer["message"]


def test_bare_event_gets_all_problems_when_it_is_no_request(aws: FakeAws) -> None:
    answer = bare({"key1": "value1"})
    assert answer == {
        "state": "failed",
        "reason": "InvalidRequest",
        "message": "id: is missing; time: is missing; detail: is missing",
    }
    assert aws.event()["detail"]["requestId"] == "invocation-1"


@pytest.mark.parametrize("event", [None, 5, [], "x"])
def test_invocation_without_an_event_is_rejected(aws: FakeAws, event: Any) -> None:
    answer = create.handler(event, Context())
    assert (answer["state"], answer["reason"]) == ("failed", "InvalidRequest")
    assert aws.calls == []


def test_bare_event_raises_when_a_retry_may_help(aws: FakeAws) -> None:
    aws.emulator.faults.add("throttle")
    with pytest.raises(RetryableError, match="ThrottlingException"):
        bare(requested())
