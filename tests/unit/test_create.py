"""`create`, row by row of its table in docs/architecture.md, with its events and metrics."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lightsail_snapshots import create
from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.events.instance_snapshot_requested import parse_request
from lightsail_snapshots.naming import our_tags
from tests.support.events import REQUEST_ID, message, requested
from tests.support.fake_aws import (
    RETRYABLE_FAULTS,
    FakeAws,
    client,
    emf,
    fake_aws,
    make_instance,
    outcome,
)


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with fake_aws(create.handler) as here:
        yield here


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
    assert not aws.request(requested(), attempt=2)
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
    assert emf(capsys.readouterr().out) == {"SnapshotsFailed": [0, 1]}


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


def test_dropped_instance_tags_are_logged(aws: FakeAws) -> None:
    make_instance("web-2", tags={f"own-{n:02}": "" for n in range(36)})
    aws.request(requested({"instanceName": "web-2"}))
    [snapshot] = aws.snapshots()
    assert len(snapshot["tags"]) == 40
    assert aws.logs()[0]["dropped_tags"] == ["own-35"]


def test_create_drops_tags_without_a_value_when_lightsail_rejects_them(aws: FakeAws) -> None:
    make_instance("web-2", tags={"nightly": "", "env": "prod"})
    aws.emulator.faults.add(
        "busy", operation="CreateInstanceSnapshot", error="InvalidInputException", message="No value.", times=1
    )
    aws.request(requested({"instanceName": "web-2"}))
    assert snapshot_tags(aws).keys() >= {"env", "managed-by", "snapshot-name", "snapshot-of", "restore-ports"}
    assert "nightly" not in snapshot_tags(aws)
    assert aws.logs()[0]["dropped_tags"] == ["nightly"]
