"""`create`, row by row of the reconcile table (docs/architecture.md), and what it tells the world."""

import json
from typing import Any

import pytest

from lightsail_snapshots import create
from lightsail_snapshots.aws.errors import RetryableError
from tests.support.events import REQUEST_ID, message, requested
from tests.support.fake_aws import LAST_DELIVERY, LATER, Context, FakeAws, client, emf, make_instance


def outcome(aws: FakeAws) -> tuple[str, str, str]:
    event = aws.event()
    detail = event["detail"]
    return event["detail-type"], detail["reason"], detail["message"]


# The reconcile table.


def test_the_first_delivery_creates_at_once_and_comes_back_later(aws: FakeAws) -> None:
    assert not aws.request(requested())
    [snapshot] = aws.snapshots()
    assert snapshot["fromInstanceName"] == "web-1"
    assert snapshot["state"] == "pending"
    assert aws.events() == []


def test_a_snapshot_costs_three_calls_and_one_for_each_time_it_comes_back(aws: FakeAws) -> None:
    aws.request(requested())
    aws.request(requested(), attempt=2)
    aws.emulator.clock.advance(60)
    aws.request(requested(), attempt=3)
    assert aws.calls == ["GetInstance", "CreateInstanceSnapshot", "GetInstanceSnapshot", "GetInstanceSnapshot"]


def test_the_instance_is_not_read_where_its_tags_are_not_wanted(aws: FakeAws) -> None:
    aws.request(requested({"instanceName": "web-1", "copyInstanceTags": False}))
    assert aws.calls == ["CreateInstanceSnapshot"]


def test_a_name_in_use_by_our_snapshot_of_this_instance_carries_on(aws: FakeAws) -> None:
    aws.request(requested())
    assert not aws.request(requested())
    assert len(aws.snapshots()) == 1
    aws.emulator.clock.advance(60)
    assert aws.request(requested())
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


def test_a_lost_answer_makes_one_snapshot(aws: FakeAws) -> None:
    aws.emulator.faults.add("lost-answer", operation="CreateInstanceSnapshot", times=1)
    assert not aws.request(requested())
    assert len(aws.snapshots()) == 1
    assert aws.calls == ["GetInstance", "CreateInstanceSnapshot", "GetInstanceSnapshot"]


def test_five_deliveries_of_one_event_make_one_snapshot(aws: FakeAws) -> None:
    aws.deliver(*(message(requested(), message_id=str(n)) for n in range(5)))
    assert len(aws.snapshots()) == 1


def test_two_events_in_one_second_make_two_snapshots(aws: FakeAws) -> None:
    aws.deliver(message(requested()), message(requested(id="another"), message_id="message-2"))
    assert len(aws.snapshots()) == 2


def theirs(name: str, tags: dict[str, str], instance: str = "web-1") -> None:
    client("lightsail").create_instance_snapshot(
        instanceSnapshotName=name,
        instanceName=instance,
        tags=[{"key": key, "value": value} for key, value in tags.items()],
    )


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_name_in_use_by_somebody_elses_snapshot_fails(aws: FakeAws, attempt: int) -> None:
    theirs("mine", {"managed-by": "somebody-else"})
    assert aws.request(requested({"instanceName": "web-1", "instanceSnapshotName": "mine"}), attempt)
    assert outcome(aws) == (
        "Instance Snapshot Failed",
        "NameInUse",
        "mine is the name of a snapshot of web-1 that somebody else made: choose another instanceSnapshotName.",
    )


def test_a_name_in_use_by_our_snapshot_of_another_instance_fails(aws: FakeAws) -> None:
    make_instance("web-2")
    theirs("mine", {"managed-by": "lightsail-snapshots"}, instance="web-2")
    assert aws.request(requested({"instanceName": "web-1", "instanceSnapshotName": "mine"}))
    assert outcome(aws)[1:] == (
        "NameInUse",
        "mine is the name of a snapshot of web-2: choose another instanceSnapshotName.",
    )


def test_a_name_in_use_by_what_is_no_snapshot_fails_once_it_is_certain(aws: FakeAws) -> None:
    event = requested({"instanceName": "web-1", "instanceSnapshotName": "web-1"})
    assert not aws.request(event), "our own may not be visible yet"
    assert aws.request(event, attempt=2)
    assert outcome(aws)[1:] == (
        "NameInUse",
        "web-1 in us-east-1 is the name of another kind of resource: choose another instanceSnapshotName.",
    )


def test_a_pending_snapshot_comes_back_later(aws: FakeAws) -> None:
    aws.request(requested())
    assert not aws.request(requested(), attempt=2)
    assert aws.events() == []


def test_a_snapshot_in_a_state_that_nobody_knows_comes_back_later(aws: FakeAws) -> None:
    aws.request(requested())
    aws.emulator.clock.advance(60)
    aws.emulator.faults.add("unknown-enum", operation="GetInstanceSnapshot", times=1)
    assert not aws.request(requested(), attempt=2)
    assert aws.request(requested(), attempt=3)


def test_an_available_snapshot_is_announced_and_done(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.request(requested({"instanceName": "web-1", "tags": {"env": "prod"}, "copyTo": ["eu-central-1"]}))
    aws.emulator.clock.advance(60)
    capsys.readouterr()
    assert aws.request(requested({"instanceName": "web-1", "copyTo": ["eu-central-1"]}), attempt=2)
    event = aws.event()
    [snapshot] = aws.snapshots()
    detail = event["detail"]
    assert event["detail-type"] == "Instance Snapshot Available"
    assert event["source"] == "lightsail-snapshots"
    assert event["resources"] == [snapshot["arn"]]
    assert detail["requestId"] == REQUEST_ID
    assert detail["instanceSnapshotName"] == snapshot["name"]
    assert detail["copyTo"] == ["eu-central-1"]
    assert {tag["key"]: tag["value"] for tag in detail["tags"]} == {
        "env": "prod",
        "team": "web",
        "managed-by": "lightsail-snapshots",
        "snapshot-of": "web-1",
    }
    emitted = emf(capsys.readouterr().out)
    assert emitted["SnapshotsAvailable"] == [1]
    assert emitted["TimeToAvailable"] == [detail["secondsToAvailable"]]
    assert emitted["SnapshotsFailed"] == [0]


def test_a_snapshot_in_error_fails_and_is_done(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.emulator.faults.add("snapshot-fails")
    aws.request(requested())
    aws.emulator.clock.advance(60)
    capsys.readouterr()
    assert aws.request(requested(), attempt=2)
    _, reason, message = outcome(aws)
    assert reason == "SnapshotError"
    assert message.endswith("its state is error. Delete it, and send the request again.")
    assert emf(capsys.readouterr().out) == {"SnapshotsFailed": [0, 1], "SnapshotsFailed/SnapshotError": [1]}


@pytest.mark.parametrize("fault", LATER)
@pytest.mark.parametrize("operation", ["GetInstance", "CreateInstanceSnapshot"])
def test_what_may_be_over_later_comes_back_later_and_is_no_failure(aws: FakeAws, fault: str, operation: str) -> None:
    aws.emulator.faults.add(fault, operation=operation)
    assert not aws.request(requested())
    aws.emulator.faults.clear()
    assert not aws.request(requested(), attempt=2)
    aws.emulator.clock.advance(60)
    assert aws.request(requested(), attempt=3)
    assert aws.event()["detail-type"] == "Instance Snapshot Available"
    assert len(aws.snapshots()) == 1


def test_an_instance_that_does_not_exist_fails(aws: FakeAws) -> None:
    event = requested({"instanceName": "web-9"})
    assert aws.request(event)
    kind, reason, text = outcome(aws)
    assert (kind, reason) == ("Instance Snapshot Failed", "InstanceNotFound")
    assert text.startswith("There is no instance web-9 in us-east-1: check its name and Region.")
    assert json.loads(aws.logs()[-1]["request"]) == event, "what can be sent again"


def test_an_instance_of_another_region_is_found_there(aws: FakeAws) -> None:
    make_instance("web-2", "eu-central-1")
    aws.request(requested({"instanceName": "web-2", "region": "eu-central-1"}))
    assert len(aws.snapshots("eu-central-1")) == 1
    assert aws.snapshots() == []


@pytest.mark.parametrize("operation", ["GetInstance", "CreateInstanceSnapshot", "GetInstanceSnapshot"])
def test_access_denied_fails(aws: FakeAws, operation: str) -> None:
    aws.emulator.faults.add("access-denied", operation=operation)
    attempt = 2 if operation == "GetInstanceSnapshot" else 1
    assert aws.request(requested(), attempt)
    assert outcome(aws)[1] == "AccessDenied"


def test_input_that_lightsail_refuses_fails(aws: FakeAws) -> None:
    aws.emulator.settings.dots_in_snapshot_names = False
    assert aws.request(requested({"instanceName": "web-1", "instanceSnapshotName": "web.1"}))
    assert outcome(aws)[1] == "InvalidRequest"


def test_the_last_delivery_before_the_dead_letter_queue_fails_and_lets_the_message_go_there(aws: FakeAws) -> None:
    event = requested()
    aws.request(event)
    assert not aws.request(event, LAST_DELIVERY - 1)
    assert aws.events() == []
    assert not aws.request(event, LAST_DELIVERY)
    failed = aws.event()["detail"]
    assert failed["reason"] == "TimedOut"
    assert failed["message"].startswith(f"Given up after {LAST_DELIVERY} deliveries; the request is in the dead-letter")
    assert failed["request"] == event, "so that it can be sent again"


def test_a_snapshot_that_is_usable_at_the_last_delivery_is_announced(aws: FakeAws) -> None:
    aws.request(requested())
    aws.emulator.clock.advance(60)
    assert aws.request(requested(), LAST_DELIVERY)
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


def test_what_is_replayed_from_the_dead_letter_queue_is_seen_through(aws: FakeAws) -> None:
    aws.request(requested())
    aws.request(requested(), LAST_DELIVERY)
    aws.events()
    aws.emulator.clock.advance(60)
    assert aws.request(requested(), attempt=1)
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


# What is not in the table.


def test_a_bad_request_ends_as_one_event_one_log_line_one_metric_and_no_call(
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
    assert emf(capsys.readouterr().out) == {"SnapshotsFailed": [0, 1], "SnapshotsFailed/InvalidRequest": [1]}
    assert aws.calls == []


@pytest.mark.parametrize("body", ["", "hello", "[]", "null", "7", "{}", '{"detail": {}}', "{"])
def test_what_is_no_event_at_all_ends_the_same_way(aws: FakeAws, body: str) -> None:
    assert aws.deliver(message(body, message_id="message-7")) == []
    detail = aws.event()["detail"]
    assert (detail["requestId"], detail["reason"]) == ("message-7", "InvalidRequest")
    assert detail["problems"]
    assert aws.calls == []


def test_a_bad_request_that_is_too_long_to_repeat_is_cut(aws: FakeAws) -> None:
    assert aws.deliver(message("x" * 1_000_000)) == []
    assert len(aws.event()["detail"]["request"]) == 100_000


def test_a_bad_request_has_no_effect_on_the_rest_of_the_batch(aws: FakeAws) -> None:
    batch = [message(requested(id="1"), message_id="good"), message("bad", message_id="bad")]
    batch.append(message(requested({"instanceName": "web-9"}, id="2"), message_id="no instance"))
    batch.append(message(requested(id="3"), message_id="good too"))
    assert aws.deliver(*batch) == ["good", "good too"]
    assert len(aws.snapshots()) == 2
    assert [event["detail"]["reason"] for event in aws.events()] == ["InvalidRequest", "InstanceNotFound"]


def test_an_outcome_that_the_bus_does_not_take_comes_back_later(aws: FakeAws) -> None:
    client("events").delete_event_bus(Name="lightsail-snapshots")
    assert not aws.request(requested({"instanceName": "web-9"}))


def test_a_message_for_which_there_is_no_time_left_comes_back_untouched(aws: FakeAws) -> None:
    assert aws.deliver(message(requested()), remaining_seconds=5) == ["message-1"]
    assert aws.calls == []


def test_an_error_that_nobody_expected_is_logged_and_comes_back_later(
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


def test_every_line_of_a_request_carries_what_it_is_about(aws: FakeAws) -> None:
    aws.request(requested({"instanceName": "web-1", "plan": "daily"}))
    aws.emulator.clock.advance(60)
    aws.request(requested({"instanceName": "web-1", "plan": "daily"}), attempt=2)
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


def test_keys_of_one_request_do_not_stick_to_the_next(aws: FakeAws) -> None:
    aws.deliver(message(requested()), message("bad"))
    assert "instance_name" not in aws.logs()[-1]


def test_the_instances_tags_for_which_there_is_no_room_are_logged(aws: FakeAws) -> None:
    make_instance("web-2", tags={f"own-{n:02}": "" for n in range(46)})
    aws.request(requested({"instanceName": "web-2"}))
    [snapshot] = aws.snapshots()
    assert len(snapshot["tags"]) == 47
    assert aws.logs()[0]["dropped_tags"] == ["own-45"]


# One bare event, without a queue.


def bare(event: dict[str, Any]) -> Any:
    return create.handler(event, Context())


def test_a_bare_event_gets_one_step_and_the_state_it_saw(aws: FakeAws) -> None:
    answer = bare(requested())
    [snapshot] = aws.snapshots()
    assert answer == {"state": "pending", "instanceSnapshotName": snapshot["name"], "region": "us-east-1"}
    aws.emulator.clock.advance(60)
    assert bare(requested())["state"] == "available"
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


def test_a_bare_event_that_fails_says_why(aws: FakeAws) -> None:
    answer = bare(requested({"instanceName": "web-9"}))
    assert (answer["state"], answer["reason"]) == ("failed", "InstanceNotFound")
    assert aws.event()["detail"]["message"] == answer["message"]


def test_a_bare_event_that_is_no_request_says_everything_that_is_wrong(aws: FakeAws) -> None:
    answer = bare({"key1": "value1"})
    assert answer == {
        "state": "failed",
        "reason": "InvalidRequest",
        "message": "id: is missing; time: is missing; detail: is missing",
    }
    assert aws.event()["detail"]["requestId"] == "invocation-1"


@pytest.mark.parametrize("event", [None, 5, [], "x"])
def test_what_is_invoked_with_no_event_at_all_says_so(aws: FakeAws, event: Any) -> None:
    answer = create.handler(event, Context())
    assert (answer["state"], answer["reason"]) == ("failed", "InvalidRequest")
    assert aws.calls == []


def test_a_bare_event_that_must_be_tried_again_is_an_error_so_that_lambda_does(aws: FakeAws) -> None:
    aws.emulator.faults.add("throttle")
    with pytest.raises(RetryableError, match="ThrottlingException"):
        bare(requested())


def test_where_lightsail_takes_no_tags_of_a_key_alone_the_snapshot_is_made_without_them(aws: FakeAws) -> None:
    make_instance("web-2", tags={"nightly": "", "env": "prod"})
    aws.emulator.faults.add(
        "busy", operation="CreateInstanceSnapshot", error="InvalidInputException", message="No value.", times=1
    )
    aws.request(requested({"instanceName": "web-2"}))
    [snapshot] = aws.snapshots()
    assert {tag["key"] for tag in snapshot["tags"]} == {"env", "managed-by", "snapshot-of"}
    assert aws.logs()[0]["dropped_tags"] == ["nightly"]
