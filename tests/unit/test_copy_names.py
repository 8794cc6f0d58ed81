"""`copy`, where its name is taken: when in doubt nothing is tagged, since prune may delete what carries our tags."""

from collections.abc import Iterator
from typing import Any

import pytest

from lightsail_snapshots import copy
from tests.support.copies import HERE, NAME, THERE, available, client, copy_by_hand, outcome, to
from tests.support.fake_aws import FakeAws, make_instance, world


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with world(copy.handler) as here:
        yield here


@pytest.fixture
def wanted(aws: FakeAws) -> dict[str, Any]:
    """The message that asks for a copy of a snapshot which is there."""
    return to(THERE, available(aws))


def refused_as_not_ours(aws: FakeAws, wanted: dict[str, Any], attempt: int = 1) -> bool:
    before = aws.snapshots(THERE)
    assert aws.request(wanted, attempt)
    assert outcome(aws)[1] == "NameInUse"
    return "TagResource" not in aws.calls and aws.snapshots(THERE) == before


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("tag", [[], [{"key": "managed-by", "value": "lightsail-snapshots"}]])
def test_a_snapshot_of_the_name_that_was_made_there_is_not_touched(
    aws: FakeAws, wanted: dict[str, Any], attempt: int, tag: list[Any]
) -> None:
    make_instance("web-1", THERE)
    client().create_instance_snapshot(instanceSnapshotName=NAME, instanceName="web-1", tags=tag)
    assert refused_as_not_ours(aws, wanted, attempt)


def test_a_copy_that_somebody_else_has_tagged_as_theirs_is_not_touched(aws: FakeAws, wanted: dict[str, Any]) -> None:
    copy_by_hand()
    client().tag_resource(resourceName=NAME, tags=[{"key": "managed-by", "value": "terraform"}])
    assert refused_as_not_ours(aws, wanted)


def test_a_copy_of_another_snapshot_under_this_name_is_not_touched(aws: FakeAws, wanted: dict[str, Any]) -> None:
    client(HERE).create_instance_snapshot(instanceSnapshotName="another", instanceName="web-1")
    aws.emulator.clock.advance(60)
    copy_by_hand(source="another")
    assert refused_as_not_ours(aws, wanted)


def test_an_untagged_copy_of_an_earlier_snapshot_of_this_name_is_not_touched(aws: FakeAws) -> None:
    available(aws)
    copy_by_hand()
    client(HERE).delete_instance_snapshot(instanceSnapshotName=NAME)
    assert refused_as_not_ours(aws, to(THERE, available(aws)))


def test_our_own_copy_of_an_earlier_snapshot_of_this_name_is_not_taken_for_the_new_one(aws: FakeAws) -> None:
    aws.request(to(THERE, available(aws)))
    client(HERE).delete_instance_snapshot(instanceSnapshotName=NAME)
    wanted = to(THERE, available(aws))
    assert refused_as_not_ours(aws, wanted)


def test_a_snapshot_that_took_the_place_of_a_deleted_copy_is_not_touched(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.request(wanted)
    client().delete_instance_snapshot(instanceSnapshotName=NAME)
    make_instance("web-1", THERE)
    aws.emulator.clock.advance(60)
    client().create_instance_snapshot(instanceSnapshotName=NAME, instanceName="web-1")
    aws.calls.clear()
    assert refused_as_not_ours(aws, wanted, attempt=2)


def test_where_lightsail_has_forgotten_how_it_came_about_it_is_not_touched(
    aws: FakeAws, wanted: dict[str, Any]
) -> None:
    copy_by_hand()
    aws.emulator.region(THERE).operations.clear()
    assert refused_as_not_ours(aws, wanted)


def test_a_name_in_use_by_what_is_no_snapshot_fails_once_it_is_certain(aws: FakeAws, wanted: dict[str, Any]) -> None:
    make_instance(NAME, THERE)
    assert not aws.request(wanted), "our own may not be visible yet"
    assert aws.request(wanted, attempt=2)
    assert outcome(aws)[1] == "NameInUse"
