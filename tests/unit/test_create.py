"""`create`, row by row of its table in docs/architecture.md, and its events, logs and metrics."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lightsail_snapshots import create
from lightsail_snapshots.aws.errors import RetryableError
from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.events.instance_snapshot_requested import parse_request
from lightsail_snapshots.naming import our_tags
from tests.support.events import REQUEST_ID, message, requested
from tests.support.fake_aws import (
    LAST_DELIVERY,
    RETRYABLE_FAULTS,
    Context,
    FakeAws,
    client,
    emf,
    fake_aws,
    make_instance,
)


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with fake_aws(create.handler) as here:
        yield here


def outcome(aws: FakeAws) -> tuple[str, str, str]:
    event = aws.event()
    detail = event["detail"]
    return event["detail-type"], detail["reason"], detail["message"]


def snapshot_tags(aws: FakeAws) -> dict[str, str]:
    [snapshot] = aws.snapshots()
    return {tag["key"]: tag.get("value", "") for tag in snapshot["tags"]}


# The table.


def test_first_delivery_creates_the_snapshot_and_is_retried(aws: FakeAws) -> None:
    assert not aws.request(requested())
    [snapshot] = aws.snapshots()
    assert snapshot["fromInstanceName"] == "web-1"
    assert snapshot["state"] == "pending"
    assert aws.events() == []


def test_create_makes_three_calls_and_one_more_per_retry(aws: FakeAws) -> None:
    aws.request(requested())
    aws.request(requested(), attempt=2)
    aws.emulator.clock.advance(60)
    aws.request(requested(), attempt=3)
    assert aws.calls == ["GetInstance", "CreateInstanceSnapshot", "GetInstanceSnapshot", "GetInstanceSnapshot"]


def test_create_does_not_read_the_instance_when_the_request_has_all_of_it(aws: FakeAws) -> None:
    detail = {"instanceName": "web-1", "copyInstanceTags": False, "restore": {"restore-ports": "tcp=443"}}
    aws.request(requested(detail, source=SOURCE))
    assert aws.calls == ["CreateInstanceSnapshot"]
    tags = snapshot_tags(aws)
    assert (tags["restore-ports"], "restore-settings" in tags, "team" in tags) == ("tcp=443", False, False)


def test_snapshot_carries_what_a_restore_needs_when_no_tags_are_copied(aws: FakeAws) -> None:
    aws.request(requested({"instanceName": "web-1", "copyInstanceTags": False}))
    tags = snapshot_tags(aws)
    assert tags["restore-settings"].startswith("zone=us-east-1a bundle=nano_3_0 address-type=dualstack address=")
    assert tags["restore-ports"] == "tcp=80 tcp=22 tcp=443"
    assert "team" not in tags
    assert aws.calls == ["GetInstance", "CreateInstanceSnapshot"]


def test_create_continues_when_our_snapshot_of_this_instance_has_the_name(aws: FakeAws) -> None:
    aws.request(requested())
    assert not aws.request(requested())
    assert len(aws.snapshots()) == 1
    aws.emulator.clock.advance(60)
    assert aws.request(requested())
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


def test_lost_response_makes_one_snapshot(aws: FakeAws) -> None:
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
def test_create_fails_when_a_foreign_snapshot_has_the_name(aws: FakeAws, attempt: int) -> None:
    theirs("mine", {"managed-by": "somebody-else"})
    assert aws.request(requested({"instanceName": "web-1", "instanceSnapshotName": "mine"}), attempt)
    assert outcome(aws) == (
        "Instance Snapshot Failed",
        "NameInUse",
        "mine is the name of a snapshot of web-1 that somebody else made: choose another instanceSnapshotName.",
    )


def test_create_fails_when_our_tags_were_handed_on_to_a_snapshot_of_the_name(aws: FakeAws) -> None:
    theirs("mine", {"managed-by": "lightsail-snapshots", "snapshot-of": "web-1", "snapshot-name": "before-upgrade"})
    assert aws.request(requested({"instanceName": "web-1", "instanceSnapshotName": "mine"}))
    assert outcome(aws)[2].startswith("mine is the name of a snapshot of web-1 that somebody else made")


def test_create_fails_when_our_snapshot_of_another_instance_has_the_name(aws: FakeAws) -> None:
    make_instance("web-2")
    theirs("mine", our_tags("mine", "web-2"), instance="web-2")
    assert aws.request(requested({"instanceName": "web-1", "instanceSnapshotName": "mine"}))
    assert outcome(aws)[1:] == (
        "NameInUse",
        "mine is the name of a snapshot of web-2: choose another instanceSnapshotName.",
    )


def give_name(aws: FakeAws, attempt: int = 1, **envelope: Any) -> bool:
    detail = {"instanceName": "web-1", "instanceSnapshotName": "before-upgrade"}
    return aws.request(requested(detail, **envelope), attempt)


def test_create_fails_when_an_older_snapshot_of_the_instance_has_the_given_name(aws: FakeAws) -> None:
    give_name(aws)
    aws.emulator.clock.advance(30 * 24 * 60 * 60)
    assert give_name(aws, time="2026-12-23T03:15:00Z")
    text = outcome(aws)[2]
    assert text.startswith("before-upgrade is the name of a snapshot of web-1 from 2026-11-23T03:15:")
    assert text.endswith(", before this request: choose another instanceSnapshotName.")


def test_create_fails_when_a_snapshot_of_an_earlier_instance_has_the_given_name(aws: FakeAws) -> None:
    give_name(aws)
    aws.emulator.clock.advance(60)
    client("lightsail").delete_instance(instanceName="web-1")
    make_instance("web-1")
    assert give_name(aws, time="2026-11-23T03:16:00Z")
    assert outcome(aws)[1:] == (
        "NameInUse",
        "before-upgrade is the name of a snapshot of an earlier instance web-1: choose another instanceSnapshotName.",
    )


def test_snapshot_of_the_given_name_is_announced_when_its_instance_is_gone(aws: FakeAws) -> None:
    give_name(aws)
    aws.emulator.clock.advance(60)
    client("lightsail").delete_instance(instanceName="web-1")
    assert give_name(aws, attempt=2)
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


def test_given_name_costs_one_more_call_when_the_snapshot_exists(aws: FakeAws) -> None:
    give_name(aws)
    aws.emulator.clock.advance(60)
    give_name(aws, attempt=2)
    assert aws.calls == ["GetInstance", "CreateInstanceSnapshot", "GetInstanceSnapshot", "GetInstance"]


def test_plan_does_not_announce_a_snapshot_that_took_the_name_of_its_night(aws: FakeAws) -> None:
    night = {"instanceName": "web-1", "plan": "daily", "scheduledTime": "2026-11-23T03:15:00Z"}
    event = requested(night, source=SOURCE)
    name = parse_request(event, default_region="us-east-1", regions=["us-east-1"]).instance_snapshot_name
    taken = requested({"instanceName": "web-1", "instanceSnapshotName": name, "keepFor": "PT1M"}, id="earlier")
    assert not aws.request(taken)
    assert aws.request(event)
    assert outcome(aws)[1:] == (
        "NameInUse",
        f"{name} is the name of a snapshot of web-1 that another plan or request made: "
        "choose another instanceSnapshotName.",
    )


def test_create_fails_after_ten_minutes_when_no_snapshot_has_the_name(aws: FakeAws) -> None:
    event = requested({"instanceName": "web-1", "instanceSnapshotName": "web-1"})
    assert not aws.request(event), "our own may not be visible yet"
    aws.emulator.clock.advance(599)
    assert not aws.request(event, attempt=4)
    aws.emulator.clock.advance(1)
    assert aws.request(event, attempt=5)
    assert outcome(aws)[1:] == (
        "NameInUse",
        "web-1 in us-east-1 is the name of another kind of resource: choose another instanceSnapshotName.",
    )


def test_snapshot_is_announced_when_an_answer_is_lost_and_reads_are_stale(aws: FakeAws) -> None:
    aws.emulator.faults.add("lost-answer", operation="CreateInstanceSnapshot", times=1)
    aws.emulator.faults.add("stale", operation="GetInstanceSnapshot", seconds=400)
    for attempt in (1, 2, 3):
        assert not aws.request(requested(), attempt)
        aws.emulator.clock.advance(180)
    assert aws.events() == []
    assert aws.request(requested(), attempt=4)
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


def test_pending_snapshot_is_retried(aws: FakeAws) -> None:
    aws.request(requested())
    assert not aws.request(requested(), attempt=2)
    assert aws.events() == []


def test_snapshot_in_an_unknown_state_is_retried(aws: FakeAws) -> None:
    aws.request(requested())
    aws.emulator.clock.advance(60)
    aws.emulator.faults.add("unknown-enum", operation="GetInstanceSnapshot", times=1)
    assert not aws.request(requested(), attempt=2)
    assert aws.request(requested(), attempt=3)


def test_available_snapshot_is_announced_and_done(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
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
    assert {tag["key"]: tag["value"] for tag in detail["tags"] if not tag["key"].startswith("restore-")} == {
        "env": "prod",
        "team": "web",
        "managed-by": "lightsail-snapshots",
        "snapshot-name": snapshot["name"],
        "snapshot-of": "web-1",
    }
    emitted = emf(capsys.readouterr().out)
    assert emitted["SnapshotsAvailable"] == [1]
    assert emitted["TimeToAvailable"] == [detail["secondsToAvailable"]]
    assert emitted["SnapshotsFailed"] == [0]


def test_snapshot_in_error_fails_and_is_done(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.emulator.faults.add("snapshot-fails")
    aws.request(requested())
    aws.emulator.clock.advance(60)
    capsys.readouterr()
    assert aws.request(requested(), attempt=2)
    _, reason, message = outcome(aws)
    assert reason == "SnapshotError"
    assert message.endswith("its state is error. Delete it, and send the request again.")
    assert emf(capsys.readouterr().out) == {"SnapshotsFailed": [0, 1], "SnapshotsFailed/SnapshotError": [1]}


@pytest.mark.parametrize("fault", RETRYABLE_FAULTS)
@pytest.mark.parametrize("operation", ["GetInstance", "CreateInstanceSnapshot"])
def test_create_retries_when_lightsail_fails_for_a_while(aws: FakeAws, fault: str, operation: str) -> None:
    aws.emulator.faults.add(fault, operation=operation)
    assert not aws.request(requested())
    aws.emulator.faults.clear()
    assert not aws.request(requested(), attempt=2)
    aws.emulator.clock.advance(60)
    assert aws.request(requested(), attempt=3)
    assert aws.event()["detail-type"] == "Instance Snapshot Available"
    assert len(aws.snapshots()) == 1


def test_create_fails_when_the_instance_does_not_exist(aws: FakeAws) -> None:
    event = requested({"instanceName": "web-9"})
    assert aws.request(event)
    kind, reason, text = outcome(aws)
    assert (kind, reason) == ("Instance Snapshot Failed", "InstanceNotFound")
    assert text.startswith("There is no instance web-9 in us-east-1: check its name and Region.")
    assert json.loads(aws.logs()[-1]["request"]) == event, "it can be sent again"


def test_create_finds_an_instance_in_another_region(aws: FakeAws) -> None:
    make_instance("web-2", "eu-central-1")
    aws.request(requested({"instanceName": "web-2", "region": "eu-central-1"}))
    assert len(aws.snapshots("eu-central-1")) == 1
    assert aws.snapshots() == []


@pytest.mark.parametrize("operation", ["GetInstance", "CreateInstanceSnapshot", "GetInstanceSnapshot"])
def test_create_fails_when_access_is_denied(aws: FakeAws, operation: str) -> None:
    aws.emulator.faults.add("access-denied", operation=operation)
    attempt = 2 if operation == "GetInstanceSnapshot" else 1
    assert aws.request(requested(), attempt)
    assert outcome(aws)[1] == "AccessDenied"


def test_create_fails_when_lightsail_rejects_the_input(aws: FakeAws) -> None:
    aws.emulator.settings.dots_in_snapshot_names = False
    assert aws.request(requested({"instanceName": "web-1", "instanceSnapshotName": "web.1"}))
    assert outcome(aws)[1] == "InvalidRequest"


def test_last_delivery_fails_and_leaves_the_message_to_the_dead_letter_queue(aws: FakeAws) -> None:
    event = requested()
    aws.request(event)
    assert not aws.request(event, LAST_DELIVERY - 1)
    assert aws.events() == []
    assert not aws.request(event, LAST_DELIVERY)
    failed = aws.event()["detail"]
    assert failed["reason"] == "TimedOut"
    assert failed["message"].startswith(f"Given up after {LAST_DELIVERY} deliveries; the request is in the dead-letter")
    assert failed["request"] == event, "so that it can be sent again"


def test_last_delivery_does_not_fail_when_little_time_is_left(aws: FakeAws) -> None:
    aws.request(requested())
    assert aws.deliver(message(requested(), LAST_DELIVERY), remaining_seconds=5) == ["message-1"]
    assert aws.events() == []


def test_snapshot_is_announced_when_it_is_usable_at_the_last_delivery(aws: FakeAws) -> None:
    aws.request(requested())
    aws.emulator.clock.advance(60)
    assert aws.request(requested(), LAST_DELIVERY)
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


def test_replayed_dead_letter_is_announced_when_its_snapshot_is_usable(aws: FakeAws) -> None:
    aws.request(requested())
    aws.request(requested(), LAST_DELIVERY)
    aws.events()
    aws.emulator.clock.advance(60)
    assert aws.request(requested(), attempt=1)
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


def redrive(aws: FakeAws, event: dict[str, Any], after: timedelta) -> bool:
    """Deliver a request as a new message some time later."""
    aws.emulator.clock.advance(after.total_seconds())
    return aws.request(event, first_at=aws.emulator.clock.now())


@pytest.mark.parametrize("source", ["my.deploy", SOURCE])
def test_late_request_takes_no_new_snapshot(aws: FakeAws, source: str) -> None:
    event = requested({"instanceName": "web-1", "scheduledTime": "2026-11-20T03:15:00Z"}, source=source)
    assert redrive(aws, event, timedelta(hours=24, seconds=1))
    assert outcome(aws) == (
        "Instance Snapshot Failed",
        "TooLate",
        "The request came after 2026-11-24T03:15:00Z, so no snapshot of web-1 was taken: "
        "send a new request, if you need one.",
    )
    assert aws.snapshots() == []


def test_request_is_not_late_for_24_hours_after_its_slot_or_its_event(aws: FakeAws) -> None:
    event = requested({"instanceName": "web-1", "scheduledTime": "2026-11-23T04:15:00Z"})
    assert not redrive(aws, event, timedelta(hours=25))
    assert len(aws.snapshots()) == 1


def test_replayed_nights_of_a_plan_take_no_snapshots(aws: FakeAws) -> None:
    for night in ("03", "04", "05"):
        slot = f"2026-11-{night}T03:15:00Z"
        replayed = {"instanceName": "web-1", "plan": "daily", "scheduledTime": slot, "lateAfter": "P1D"}
        assert aws.request(requested(replayed, source=SOURCE, time="2026-11-23T03:14:00Z"))
        assert outcome(aws)[1] == "TooLate"
    assert aws.snapshots() == []


def test_plans_request_says_how_late_it_may_be(aws: FakeAws) -> None:
    detail = {"instanceName": "web-1", "plan": "weekly", "lateAfter": "P7D"}
    assert not redrive(aws, requested(detail, source=SOURCE), timedelta(days=7))
    assert len(aws.snapshots()) == 1


def test_late_request_is_announced_when_its_snapshot_exists(aws: FakeAws) -> None:
    aws.request(requested())
    assert redrive(aws, requested(), timedelta(days=9))
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


def test_request_is_not_late_if_its_first_delivery_was_in_time(aws: FakeAws) -> None:
    aws.emulator.faults.add("throttle", operation="CreateInstanceSnapshot", times=2)
    aws.emulator.clock.advance(24 * 60 * 60)
    first_at = aws.emulator.clock.now()
    assert not aws.request(requested(), 1, first_at)
    aws.emulator.clock.advance(180)
    assert not aws.request(requested(), 2, first_at)
    assert len(aws.snapshots()) == 1


def test_snapshot_expires_keep_for_after_it_is_taken(aws: FakeAws) -> None:
    detail = {"instanceName": "web-1", "plan": "rare", "keepFor": "P7D", "lateAfter": "P30D"}
    redrive(aws, requested(detail, source=SOURCE), timedelta(days=9))
    [snapshot] = aws.snapshots()
    tags = {tag["key"]: tag["value"] for tag in snapshot["tags"]}
    assert tags["expires-at"] == "2026-12-09T03:15:00Z"


# A Region that the plans no longer have.


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Deploy with other settings."""
    return lambda **changes: monkeypatch.setattr(create, "settings", replace(create.settings, **changes))


def test_snapshot_is_announced_when_its_region_was_removed_meanwhile(aws: FakeAws, deploy: Callable[..., None]) -> None:
    make_instance("web-1", "eu-central-1")
    event = requested({"instanceName": "web-1", "region": "eu-central-1"})
    aws.request(event)
    deploy(regions=("us-east-1",))
    assert not aws.request(event, attempt=2)
    aws.emulator.clock.advance(60)
    assert aws.request(event, attempt=3)
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


@pytest.mark.parametrize("attempt", [1, 5])
def test_snapshot_is_not_taken_when_its_region_was_removed_before(
    aws: FakeAws, deploy: Callable[..., None], attempt: int
) -> None:
    make_instance("web-1", "eu-central-1")
    deploy(regions=("us-east-1",))
    aws.emulator.clock.advance(600)
    assert aws.request(requested({"instanceName": "web-1", "region": "eu-central-1"}), attempt)
    assert outcome(aws)[1:] == (
        "RegionRemoved",
        "eu-central-1 is not in plans.toml (any longer), so no snapshot of web-1 was taken. "
        "Add it to regions, deploy, and send the request again.",
    )
    assert aws.snapshots("eu-central-1") == []


def test_create_looks_for_ten_minutes_for_a_snapshot_in_a_removed_region(
    aws: FakeAws, deploy: Callable[..., None]
) -> None:
    make_instance("web-1", "eu-central-1")
    event = requested({"instanceName": "web-1", "region": "eu-central-1"})
    aws.request(event)
    deploy(regions=("us-east-1",))
    aws.emulator.faults.add("stale", operation="GetInstanceSnapshot", seconds=400)
    assert not aws.request(event, attempt=2)
    aws.emulator.clock.advance(450)
    assert aws.request(event, attempt=3)
    assert aws.event()["detail-type"] == "Instance Snapshot Available"


def test_copy_is_dropped_when_the_plans_no_longer_copy(aws: FakeAws, deploy: Callable[..., None]) -> None:
    event = requested({"instanceName": "web-1", "copyTo": ["eu-west-1", "eu-central-1"]})
    aws.request(event)
    deploy(copy_regions=("eu-central-1",))
    aws.emulator.clock.advance(60)
    assert aws.request(event, attempt=2)
    available = aws.event()
    assert available["detail-type"] == "Instance Snapshot Available"
    assert (available["detail"]["copyTo"], available["detail"]["droppedCopies"]) == (["eu-central-1"], ["eu-west-1"])
    [warning] = [line for line in aws.logs() if line["level"] == "WARNING"]
    assert warning["message"] == "Dropped copies to Regions that no plan copies to"
    assert warning["dropped_copies"] == ["eu-west-1"]


def test_plans_request_takes_its_snapshot_when_its_copy_is_dropped(aws: FakeAws, deploy: Callable[..., None]) -> None:
    deploy(copy_regions=())
    detail = {"instanceName": "web-1", "plan": "daily", "copyTo": ["eu-west-1"]}
    assert not aws.request(requested(detail, source=SOURCE))
    assert len(aws.snapshots()) == 1


def test_new_foreign_request_fails_when_no_plan_copies_to_its_region(aws: FakeAws) -> None:
    assert aws.request(requested({"instanceName": "web-1", "copyTo": ["us-west-2"]}))
    assert outcome(aws)[1:] == (
        "InvalidRequest",
        "No plan copies to us-west-2, so no snapshot of web-1 was taken: correct copyTo, and send the request again.",
    )
    assert aws.snapshots() == []


# Not in the table.


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
    assert emf(capsys.readouterr().out) == {"SnapshotsFailed": [0, 1], "SnapshotsFailed/InvalidRequest": [1]}
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


def test_dropped_instance_tags_are_logged(aws: FakeAws) -> None:
    make_instance("web-2", tags={f"own-{n:02}": "" for n in range(36)})
    aws.request(requested({"instanceName": "web-2"}))
    [snapshot] = aws.snapshots()
    assert len(snapshot["tags"]) == 40
    assert aws.logs()[0]["dropped_tags"] == ["own-35"]


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


def test_create_drops_tags_without_a_value_when_lightsail_rejects_them(aws: FakeAws) -> None:
    make_instance("web-2", tags={"nightly": "", "env": "prod"})
    aws.emulator.faults.add(
        "busy", operation="CreateInstanceSnapshot", error="InvalidInputException", message="No value.", times=1
    )
    aws.request(requested({"instanceName": "web-2"}))
    assert snapshot_tags(aws).keys() >= {"env", "managed-by", "snapshot-name", "snapshot-of", "restore-ports"}
    assert "nightly" not in snapshot_tags(aws)
    assert aws.logs()[0]["dropped_tags"] == ["nightly"]
