"""`prune`: what stops it, and what is left undone then."""

from typing import Any
from unittest.mock import patch

import pytest

from lightsail_snapshots import prune
from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots.reporting import RegionsFailedError
from tests.support.events import fits, requested
from tests.support.fake_aws import FakeAws
from tests.support.pruning import AWAY, HOME, LAST_1, OTHER, left, line, nights, prune_requested, region, run, seed


def test_a_throttled_deletion_is_tried_again_by_the_sdk(aws: FakeAws) -> None:
    nights(aws, 3)
    aws.emulator.faults.add("throttle", operation="DeleteInstanceSnapshot", times=1)
    assert run(prune_requested())["deleted"][HOME] == 2


@pytest.mark.parametrize("fault", ["throttle", "server-error", "access-denied", "busy", "error", "try-later"])
@pytest.mark.parametrize("operation", ["DeleteInstanceSnapshot", "GetInstanceSnapshot"])
def test_an_error_stops_its_region_and_fails_the_run_at_the_end_and_the_others_go_on(
    aws: FakeAws, fault: str, operation: str
) -> None:
    here, there = nights(aws, 3), nights(aws, 3, OTHER)
    aws.emulator.faults.add(fault, operation=operation, region=HOME)
    with pytest.raises(RegionsFailedError, match=f"{HOME}: .*{operation}"):
        run(prune_requested())
    assert left(aws) == set(here)
    assert left(aws, OTHER) == {there[0]}
    assert len(aws.events()) == 2
    failure = line(aws, "A deletion failed")
    assert (failure["region"], failure["instance_snapshot_name"]) == (HOME, here[2])
    assert line(aws, "Pruned")["failed_regions"] == [HOME]


def test_what_an_error_left_goes_with_the_next_run(aws: FakeAws) -> None:
    nights(aws, 3)
    aws.emulator.faults.add("busy", operation="DeleteInstanceSnapshot", times=1)
    with pytest.raises(RegionsFailedError):
        run(prune_requested())
    assert run(prune_requested())["deleted"][HOME] == 2


def test_a_page_that_fails_in_the_middle_deletes_nothing_of_its_region(aws: FakeAws) -> None:
    here, there = nights(aws, 6), nights(aws, 3, OTHER)
    aws.emulator.settings.page_size = 2
    client = lightsail(HOME)._client
    real, pages = client.get_instance_snapshots, []

    def fails_on_the_second(**request: Any) -> Any:
        pages.append(request)
        if len(pages) == 2:
            aws.emulator.faults.add("server-error", operation="GetInstanceSnapshots", region=HOME)
        return real(**request)

    with (
        patch.object(client, "get_instance_snapshots", fails_on_the_second),
        pytest.raises(RegionsFailedError, match=f"{HOME}: ServiceException"),
    ):
        run(prune_requested())
    assert len(pages) == 2
    assert left(aws) == set(here)
    assert left(aws, OTHER) == {there[0]}
    assert line(aws, "Not listed, and so not pruned: ServiceException")["region"] == HOME


def test_sources_stay_while_the_region_of_their_copies_cannot_be_listed(aws: FakeAws) -> None:
    names = nights(aws, 3)
    for name in names:
        source = region(aws).snapshot(name)
        of = f"{HOME} {source.created_at:%Y-%m-%dT%H:%M:%SZ} {source.from_instance_arn}"
        seed(aws, 0.5, AWAY, name=name, tags={**source.tags, "copy-of": of})
    for unseen in (AWAY, HOME):  # nor do copies go while their sources cannot be seen
        aws.emulator.faults.add("access-denied", operation="GetInstanceSnapshots", region=unseen)
        with pytest.raises(RegionsFailedError, match=unseen):
            run(prune_requested(LAST_1 | {"copyTo": [AWAY]}))
        assert left(aws) == left(aws, AWAY) == set(names)
        aws.emulator.faults.clear()


def test_when_the_bus_does_not_take_an_event_nothing_else_is_deleted_and_the_log_has_what_it_said(aws: FakeAws) -> None:
    names, there = nights(aws, 3), nights(aws, 3, OTHER)
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "Try again"}]}
    with (
        patch.object(prune.event_bus._client, "put_events", return_value=refused),
        pytest.raises(prune.NotAnnouncedError, match=f"{names[2]} is deleted, and nobody was told. InternalFailure"),
    ):
        run(prune_requested())
    assert left(aws) == set(names[:2])
    assert left(aws, OTHER) == set(there)
    told = {"detail-type": "Instance Snapshot Deleted", "detail": line(aws, "Deleted ")["deleted"]}
    assert fits(requested(told["detail"], **{"detail-type": told["detail-type"], "source": "lightsail-snapshots"}))
    assert line(aws, "Pruned")["deleted_by_region"][HOME] == 1


def test_without_time_for_another_deletion_it_stops_says_so_and_does_not_fail(aws: FakeAws) -> None:
    names = nights(aws, 3)
    assert run(prune_requested(), remaining_seconds=prune.SECONDS_PER_DELETION - 1)["deleted"][HOME] == 0
    assert left(aws) == set(names)
    warning = line(aws, "The function's time is nearly over; the next run goes on")
    assert (warning["level"], warning["left"]) == ("WARNING", 2)
    assert run(prune_requested(), remaining_seconds=prune.SECONDS_PER_DELETION)["deleted"][HOME] == 2
