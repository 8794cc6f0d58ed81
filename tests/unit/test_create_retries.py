"""When `create` retries a request, and until when."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from lightsail_snapshots import create
from lightsail_snapshots.aws.errors import RetryableError
from lightsail_snapshots.events import SOURCE
from tests.support.events import REQUESTED_AT, message, requested
from tests.support.fake_aws import DEADLINE, RETRYABLE_FAULTS, FakeAws, client, fake_aws


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with fake_aws(create.handler) as here:
        yield here


def look(aws: FakeAws, event: dict[str, Any], passed: float, attempt: int = 2) -> float | None:
    """Deliver a request again some time after its first delivery; return the delay that it gets."""
    aws.emulator.clock.set(REQUESTED_AT + timedelta(seconds=passed))
    aws.delays.clear()
    assert not aws.request(event, attempt)
    return aws.delays.get("message-1")


def test_request_of_a_person_is_looked_at_after_15_seconds_and_then_a_sixth_of_the_time(aws: FakeAws) -> None:
    aws.emulator.faults.add("never-finish")
    assert look(aws, requested(), 0, attempt=1) == 15
    assert [look(aws, requested(), passed) for passed in (15, 60, 600, 3600)] == [2.5, 10, 100, 180]


@pytest.mark.parametrize("seconds", [20, 60, 200])
def test_person_hears_of_a_snapshot_at_most_a_sixth_of_its_time_late(aws: FakeAws, seconds: int) -> None:
    aws.emulator.settings.snapshot_seconds = seconds
    passed, attempt = 0.0, 0
    while passed < seconds:
        attempt += 1
        passed += look(aws, requested(), passed, attempt) or 0.0
    assert passed <= seconds * 7 / 6 + 1
    aws.emulator.clock.set(REQUESTED_AT + timedelta(seconds=passed))
    assert aws.request(requested(), attempt + 1)
    assert attempt < 20


def test_request_of_a_plan_is_retried_when_the_queue_says_so(aws: FakeAws) -> None:
    assert look(aws, requested({"instanceName": "web-1", "plan": "daily"}, source=SOURCE), 0, attempt=1) is None
    assert len(aws.snapshots()) == 1


@pytest.mark.parametrize("fault", RETRYABLE_FAULTS)
def test_failed_call_is_retried_after_a_random_time_that_grows(aws: FakeAws, fault: str) -> None:
    aws.emulator.faults.add(fault)
    event = requested()
    for passed, longest in ((0, 4), (20, 20), (100, 100), (3000, 180)):
        delays = {look(aws, event, passed) or 0.0 for _ in range(5)}
        assert len(delays) > 1
        assert all(2 <= delay <= longest for delay in delays)


def test_request_waits_for_its_not_before(aws: FakeAws) -> None:
    detail = {"instanceName": "web-1", "plan": "daily", "notBefore": "2026-11-23T03:16:40Z"}
    event = requested(detail, source=SOURCE)
    assert look(aws, event, 0, attempt=1) == 100
    assert aws.calls == []
    assert look(aws, event, 100) is None
    assert len(aws.snapshots()) == 1


def give_up(aws: FakeAws, event: dict[str, Any]) -> None:
    aws.emulator.clock.set(REQUESTED_AT + DEADLINE)
    aws.delays.clear()
    assert aws.request(event, 200)
    failed = aws.event()["detail"]
    assert failed["reason"] == "TimedOut"
    assert failed["message"].startswith("Given up after 6 hours; the request is in the dead-letter queue.")
    assert failed["request"] == event, "so that it can be sent again"
    assert [json.loads(body) for body in aws.dead_letters] == [event]
    assert aws.delays == {}


def test_request_times_out_after_six_hours_and_is_put_into_the_dead_letter_queue(aws: FakeAws) -> None:
    aws.emulator.faults.add("never-finish")
    look(aws, requested(), 0, attempt=1)
    assert look(aws, requested(), DEADLINE.total_seconds() - 1, attempt=199) == 180
    assert (aws.events(), aws.dead_letters) == ([], [])
    give_up(aws, requested())


def test_request_times_out_when_lightsail_fails_all_the_time(aws: FakeAws) -> None:
    aws.emulator.faults.add("throttle")
    give_up(aws, requested())


def test_deadline_counts_from_not_before(aws: FakeAws) -> None:
    detail = {"instanceName": "web-1", "plan": "daily", "notBefore": "2026-11-23T04:15:00Z"}
    event = requested(detail, source=SOURCE)
    aws.emulator.faults.add("never-finish")
    look(aws, event, 3600)
    look(aws, event, 3600 + DEADLINE.total_seconds() - 1)
    aws.emulator.clock.advance(1)
    assert aws.request(event, 200)
    assert aws.event()["detail"]["reason"] == "TimedOut"


def test_large_fleets_request_is_retried_for_longer(aws: FakeAws) -> None:
    detail = {"instanceName": "web-1", "plan": "daily", "retryFor": "PT30H"}
    event = requested(detail, source=SOURCE)
    aws.emulator.faults.add("never-finish")
    look(aws, event, 0, attempt=1)
    look(aws, event, 30 * 3600 - 1)
    assert (aws.events(), aws.dead_letters) == ([], [])
    aws.emulator.clock.advance(1)
    assert aws.request(event, 200)
    assert aws.event()["detail"]["message"].startswith("Given up after 30 hours;")


def test_request_is_never_retried_for_less_than_usual(aws: FakeAws) -> None:
    detail = {"instanceName": "web-1", "plan": "daily", "retryFor": "PT1H"}
    aws.emulator.faults.add("never-finish")
    look(aws, requested(detail, source=SOURCE), DEADLINE.total_seconds() - 1)
    assert aws.events() == []


def test_request_is_retried_when_it_cannot_be_put_into_the_dead_letter_queue(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.emulator.faults.add("throttle")
    aws.emulator.clock.set(REQUESTED_AT + DEADLINE)
    broken = Mock(side_effect=RetryableError("ServiceUnavailable"))
    monkeypatch.setattr(create.queue, "send_dead_letter", broken)
    assert not aws.request(requested(), 200)


def test_request_is_retried_soon_when_little_time_is_left_at_any_attempt(aws: FakeAws) -> None:
    aws.request(requested())
    aws.emulator.clock.set(REQUESTED_AT + DEADLINE)
    assert aws.deliver(message(requested(), 999), remaining_seconds=5) == ["message-1"]
    assert aws.delays == {"message-1": 2}
    assert aws.events() == []


def test_batch_is_answered_when_no_delay_can_be_set(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create.queue, "set_delays", Mock(side_effect=RetryableError("Unreachable")))
    assert not aws.request(requested())
    assert aws.logs()[-1]["message"] == "Could not set when messages are retried; the queue's timeout counts"


def test_snapshot_is_announced_when_it_is_usable_at_the_last_look(aws: FakeAws) -> None:
    aws.request(requested())
    aws.emulator.clock.set(REQUESTED_AT + DEADLINE)
    assert aws.request(requested(), 200)
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


def test_redriven_dead_letter_starts_anew(aws: FakeAws) -> None:
    aws.emulator.faults.add("never-finish")
    aws.request(requested())
    give_up(aws, requested())
    aws.emulator.clock.advance(600)
    assert not aws.request(requested(), first_at=aws.emulator.clock.now())
    assert aws.events() == []


# While Lightsail throttles


NIGHT = {"instanceName": "web-1", "plan": "daily", "scheduledTime": "2026-11-23T03:15:00Z"}


def of_fleet(number: int) -> dict[str, Any]:
    detail = NIGHT | {"instanceSnapshotName": f"night-{number}"}
    return message(requested(detail, source=SOURCE, id=str(number)), message_id=str(number))


def test_rest_of_a_batch_waits_its_turn_without_a_call_when_lightsail_throttles(aws: FakeAws) -> None:
    aws.emulator.faults.add("throttle", operation="CreateInstanceSnapshot", times=1)
    assert len(aws.deliver(*map(of_fleet, range(10)))) == 10
    assert aws.calls.count("CreateInstanceSnapshot") == 1
    assert all(1 <= delay <= 30 for delay in aws.delays.values())
    assert len(aws.delays) == 10
    assert {line["why"] for line in aws.logs()[1:]} == {"Waits for its turn, since Lightsail throttles"}


def test_waiting_requests_are_created_as_lightsail_allows(aws: FakeAws) -> None:
    aws.emulator.faults.add("throttle", operation="CreateInstanceSnapshot", times=1)
    waiting = {each["messageId"]: each for each in map(of_fleet, range(10))}
    for attempt in range(2, 30):
        tried = [
            each | {"attributes": each["attributes"] | {"ApproximateReceiveCount": str(attempt)}}
            for each in waiting.values()
        ]
        aws.delays.clear()
        if not tried or not aws.deliver(*tried):
            break
        aws.emulator.clock.advance(2)
        waiting = {each: waiting[each] for each in aws.delays if aws.delays[each] < 100}
    assert len(aws.snapshots()) == 10
    assert aws.calls.count("CreateInstanceSnapshot") <= 12


def test_request_of_a_person_does_not_wait_for_the_turn_of_a_fleet(aws: FakeAws) -> None:
    aws.emulator.faults.add("throttle", operation="CreateInstanceSnapshot", times=1)
    aws.deliver(*map(of_fleet, range(10)))
    assert not aws.request(requested())
    assert len(aws.snapshots()) == 1


def test_request_that_only_waited_is_created_without_a_look(aws: FakeAws) -> None:
    event = requested(NIGHT, source=SOURCE)
    assert look(aws, event, 39, attempt=8) is None
    assert aws.calls == ["GetInstance", "CreateInstanceSnapshot"]
    aws.emulator.clock.advance(180)
    assert aws.request(event, attempt=9)
    assert aws.calls[2:] == ["GetInstanceSnapshot"]


def test_name_is_not_taken_for_anothers_when_a_request_has_waited_for_an_hour(aws: FakeAws) -> None:
    event = requested(NIGHT | {"lateAfter": "P1D"}, source=SOURCE)
    aws.emulator.faults.add("lost-answer", operation="CreateInstanceSnapshot", times=1)
    aws.emulator.faults.add("stale", operation="GetInstanceSnapshot", seconds=60)
    look(aws, event, 3600, attempt=40)
    look(aws, event, 3630, attempt=41)
    assert aws.events() == [], "the snapshot is there, but cannot be seen yet"
    aws.emulator.faults.clear()
    aws.emulator.clock.advance(90)
    assert aws.request(event, attempt=42)
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


def test_snapshot_is_announced_when_a_request_that_seemed_to_wait_had_made_it(aws: FakeAws) -> None:
    event = requested(NIGHT, source=SOURCE)
    aws.request(event)
    aws.emulator.clock.advance(60)
    client("lightsail").delete_instance(instanceName="web-1")
    assert aws.request(event, attempt=30)
    assert aws.event()["detail-type"] == "Instance Snapshot Available"
