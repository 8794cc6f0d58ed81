"""`create` gets a request late, or after the plans have changed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from lightsail_snapshots import create
from lightsail_snapshots.events import SOURCE
from tests.support.events import requested
from tests.support.fake_aws import FakeAws, fake_aws, make_instance, outcome, redrive


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with fake_aws(create.handler) as here:
        yield here


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
    aws.emulator.faults.add("throttle", operation="CreateInstanceSnapshot", times=1)
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
