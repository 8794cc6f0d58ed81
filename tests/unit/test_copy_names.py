"""`copy`, if its name is taken: in any doubt it tags nothing, because prune may delete what has our tags."""

from collections.abc import Iterator
from typing import Any

import pytest

from lightsail_snapshots import copy
from tests.support.copies import HERE, NAME, THERE, available, client, copy_by_hand, outcome, to
from tests.support.fake_aws import FakeAws, fake_aws, make_instance


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with fake_aws(copy.handler) as here:
        yield here


@pytest.fixture
def wanted(aws: FakeAws) -> dict[str, Any]:
    """The message that asks for a copy of a snapshot which is there."""
    return to(THERE, available(aws))


def fails_and_changes_nothing(aws: FakeAws, wanted: dict[str, Any], attempt: int = 1) -> bool:
    before = aws.snapshots(THERE)
    assert aws.request(wanted, attempt)
    assert outcome(aws)[1] == "NameInUse"
    return "TagResource" not in aws.calls and aws.snapshots(THERE) == before


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("tag", [[], [{"key": "managed-by", "value": "lightsail-snapshots"}]])
def test_snapshot_of_the_name_made_in_the_region_is_not_touched(
    aws: FakeAws, wanted: dict[str, Any], attempt: int, tag: list[Any]
) -> None:
    make_instance("web-1", THERE)
    client().create_instance_snapshot(instanceSnapshotName=NAME, instanceName="web-1", tags=tag)
    assert fails_and_changes_nothing(aws, wanted, attempt)


def test_copy_with_a_foreign_managed_by_tag_is_not_touched(aws: FakeAws, wanted: dict[str, Any]) -> None:
    copy_by_hand()
    client().tag_resource(resourceName=NAME, tags=[{"key": "managed-by", "value": "terraform"}])
    assert fails_and_changes_nothing(aws, wanted)


def test_copy_of_another_snapshot_under_this_name_is_not_touched(aws: FakeAws, wanted: dict[str, Any]) -> None:
    client(HERE).create_instance_snapshot(instanceSnapshotName="another", instanceName="web-1")
    aws.emulator.clock.advance(60)
    copy_by_hand(source="another")
    assert fails_and_changes_nothing(aws, wanted)


def test_untagged_copy_of_an_earlier_snapshot_is_not_touched(aws: FakeAws) -> None:
    available(aws)
    copy_by_hand()
    client(HERE).delete_instance_snapshot(instanceSnapshotName=NAME)
    assert fails_and_changes_nothing(aws, to(THERE, available(aws)))


def test_our_copy_of_an_earlier_snapshot_is_not_mistaken_for_the_new_one(aws: FakeAws) -> None:
    aws.request(to(THERE, available(aws)))
    client(HERE).delete_instance_snapshot(instanceSnapshotName=NAME)
    wanted = to(THERE, available(aws))
    assert fails_and_changes_nothing(aws, wanted)


def test_snapshot_that_replaced_a_deleted_copy_is_not_touched(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.request(wanted)
    client().delete_instance_snapshot(instanceSnapshotName=NAME)
    make_instance("web-1", THERE)
    aws.emulator.clock.advance(60)
    client().create_instance_snapshot(instanceSnapshotName=NAME, instanceName="web-1")
    aws.calls.clear()
    assert fails_and_changes_nothing(aws, wanted, attempt=2)


def test_snapshot_is_not_touched_when_lightsail_has_no_record_of_it(aws: FakeAws, wanted: dict[str, Any]) -> None:
    copy_by_hand()
    aws.emulator.region(THERE).operations.clear()
    assert fails_and_changes_nothing(aws, wanted)


def test_copy_fails_after_ten_minutes_when_no_snapshot_has_the_name(aws: FakeAws, wanted: dict[str, Any]) -> None:
    make_instance(NAME, THERE)
    assert not aws.request(wanted), "our own may not be visible yet"
    aws.emulator.clock.advance(500)
    assert not aws.request(wanted, attempt=4)
    aws.emulator.clock.advance(100)
    assert aws.request(wanted, attempt=5)
    assert outcome(aws)[1] == "NameInUse"


def test_copy_is_announced_when_an_answer_is_lost_and_reads_are_stale(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.emulator.faults.add("lost-answer", operation="CopySnapshot", times=1)
    aws.emulator.faults.add("stale", operation="GetInstanceSnapshot", region=THERE, seconds=400)
    for attempt in (1, 2, 3):
        assert not aws.request(wanted, attempt)
        aws.emulator.clock.advance(180)
    assert aws.events() == []
    assert not aws.request(wanted, attempt=4), "it is tagged now"
    assert aws.request(wanted, attempt=5)
    assert aws.event()["detail-type"] == "Instance Snapshot Copied"
