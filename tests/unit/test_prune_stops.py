"""`prune`: what stops it, what it skips, and what is left then."""

from typing import Any
from unittest.mock import patch

import pytest

from lightsail_snapshots import prune
from lightsail_snapshots.aws.errors import RejectedError
from lightsail_snapshots.aws.lightsail import Lightsail, lightsail
from lightsail_snapshots.reporting import RegionsFailedError
from tests.support.events import fits, requested
from tests.support.fake_aws import Context, FakeAws
from tests.support.pruning import AWAY, HOME, LAST_1, OTHER, left, line, nights, prune_requested, run, seed_copy


def test_sdk_retries_a_throttled_deletion(aws: FakeAws) -> None:
    nights(aws, 3)
    aws.emulator.faults.add("throttle", operation="DeleteInstanceSnapshot", times=1)
    assert run(prune_requested())["deleted"][HOME] == 2


@pytest.mark.parametrize("fault", ["throttle", "server-error", "busy", "error", "try-later"])
@pytest.mark.parametrize("operation", ["DeleteInstanceSnapshot", "GetInstanceSnapshot"])
def test_outage_stops_its_region_and_fails_the_run_at_its_end(aws: FakeAws, fault: str, operation: str) -> None:
    here, there = nights(aws, 3), nights(aws, 3, OTHER)
    aws.emulator.faults.add(fault, operation=operation, region=HOME)
    with pytest.raises(RegionsFailedError, match=f"{HOME}: .*{operation}"):
        run(prune_requested())
    assert left(aws) == set(here)
    assert left(aws, OTHER) == {there[0]}
    assert len(aws.events()) == 2
    failure = line(aws, "Stopped pruning a Region")
    assert (failure["region"], failure["instance_snapshot_name"]) == (HOME, here[2])
    assert line(aws, "Pruned")["failed_regions"] == [HOME]


class Killed(BaseException):
    """Ends a function as Lambda does."""


def test_every_other_snapshot_is_deleted_when_lightsail_rejects_one_in_each_run(aws: FakeAws) -> None:
    zzz, web = nights(aws, 5, instance="zzz"), nights(aws, 3)
    bad = zzz[2]
    real = Lightsail.delete_snapshot

    def rejects_one(self: Lightsail, name: str) -> None:
        if name == bad:
            raise RejectedError("InvalidInputException: Sorry, this cannot be deleted. (DeleteInstanceSnapshot)")
        real(self, name)

    for _ in range(2):
        with patch.object(Lightsail, "delete_snapshot", rejects_one), pytest.raises(RegionsFailedError, match=HOME):
            run(prune_requested())
        assert left(aws) == {zzz[0], bad, web[0]}
    assert len(aws.events()) == 3 + 2
    skipped = [each for each in aws.logs() if each["message"] == "Skipped a snapshot that could not be deleted"]
    assert [(each["level"], each["instance_snapshot_name"]) for each in skipped] == [("ERROR", bad)] * 2


@pytest.mark.parametrize("operation", ["DeleteInstanceSnapshot", "GetInstanceSnapshot"])
def test_denied_snapshot_is_skipped_and_fails_the_run_at_its_end(aws: FakeAws, operation: str) -> None:
    names, shop = nights(aws, 2), nights(aws, 2, instance="shop")
    aws.emulator.faults.add("access-denied", operation=operation, region=HOME, name=names[1])
    with pytest.raises(RegionsFailedError, match=f"{HOME}: AccessDeniedException"):
        run(prune_requested())
    assert left(aws) == {*names, shop[0]}


def test_retry_announces_the_deletion_after_which_the_function_was_killed(aws: FakeAws) -> None:
    new, old = nights(aws, 2)
    real = Lightsail.delete_snapshot

    def deletes_and_is_killed(self: Lightsail, name: str) -> None:
        real(self, name)
        raise Killed

    with patch.object(Lightsail, "delete_snapshot", deletes_and_is_killed), pytest.raises(Killed):
        run(prune_requested())
    assert left(aws) == {new}
    assert aws.events() == []
    for told in ([old], []):  # once by the retry, and by no later one
        run(prune_requested())
        assert [event["detail"]["instanceSnapshotName"] for event in aws.events()] == told
    assert line(aws, "Deleted a snapshot")["instance_snapshot_name"] == old


def test_retry_decides_anew_when_the_function_was_killed_before_the_deletion(aws: FakeAws) -> None:
    new, old = nights(aws, 2)
    with patch.object(Lightsail, "delete_snapshot", side_effect=Killed), pytest.raises(Killed):
        run(prune_requested())
    assert left(aws) == {new, old}
    aws.emulator.faults.add("busy", operation="DeleteInstanceSnapshot", times=1)
    with pytest.raises(RegionsFailedError):
        run(prune_requested())
    assert aws.events() == [], "nothing was deleted, so nothing is announced"
    run(prune_requested())
    assert aws.event()["detail"]["instanceSnapshotName"] == old


def test_run_of_another_request_does_not_announce_it(aws: FakeAws) -> None:
    nights(aws, 2)
    with patch.object(Lightsail, "delete_snapshot", side_effect=Killed), pytest.raises(Killed):
        run(prune_requested())
    for name in left(aws):
        lightsail(HOME).delete_snapshot(name)
    run(prune_requested(id="prune-2"))
    assert aws.events() == []


def test_next_run_deletes_what_an_error_left(aws: FakeAws) -> None:
    nights(aws, 3)
    aws.emulator.faults.add("busy", operation="DeleteInstanceSnapshot", times=1)
    with pytest.raises(RegionsFailedError):
        run(prune_requested())
    assert run(prune_requested())["deleted"][HOME] == 2


def test_region_is_not_pruned_when_one_of_its_pages_fails(aws: FakeAws) -> None:
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
    failure = line(aws, "Could not list a Region, so nothing is deleted there")
    assert failure["region"] == HOME
    assert failure["error"].startswith("ServiceException")


def test_sources_stay_when_the_region_of_their_copies_cannot_be_listed(aws: FakeAws) -> None:
    names = nights(aws, 3)
    for name in names:
        seed_copy(aws, name)
    for unseen in (AWAY, HOME):  # nor do copies go while their sources cannot be seen
        aws.emulator.faults.add("access-denied", operation="GetInstanceSnapshots", region=unseen)
        with pytest.raises(RegionsFailedError, match=unseen):
            run(prune_requested(LAST_1 | {"copyTo": [AWAY]}))
        assert left(aws) == left(aws, AWAY) == set(names)
        aws.emulator.faults.clear()


def test_prune_stops_when_the_bus_rejects_an_event_and_the_log_has_its_detail(aws: FakeAws) -> None:
    names, there = nights(aws, 3), nights(aws, 3, OTHER)
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "Try again"}]}
    with (
        patch.object(prune.event_bus._client, "put_events", return_value=refused),
        pytest.raises(
            prune.NotAnnouncedError,
            match=f"{names[2]} was deleted, but its event could not be published. InternalFailure",
        ),
    ):
        run(prune_requested())
    assert left(aws) == set(names[:2])
    assert left(aws, OTHER) == set(there)
    told = {"detail-type": "Instance Snapshot Deleted", "detail": line(aws, "Deleting a snapshot")["deletion"]}
    assert fits(requested(told["detail"], **{"detail-type": told["detail-type"], "source": "lightsail-snapshots"}))
    assert line(aws, "Pruned")["deleted_by_region"][HOME] == 1


def test_prune_stops_without_failing_when_its_time_is_nearly_over(aws: FakeAws) -> None:
    names = nights(aws, 3)
    assert run(prune_requested(), remaining_seconds=prune.SECONDS_PER_DELETION - 1)["deleted"][HOME] == 0
    assert left(aws) == set(names)
    warning = line(aws, "Stopped: the function's time is nearly over, the next run continues")
    assert (warning["level"], warning["left"]) == ("WARNING", 2)
    assert run(prune_requested(), remaining_seconds=prune.SECONDS_PER_DELETION)["deleted"][HOME] == 2


def test_summary_counts_the_deletions_of_all_regions_that_no_time_was_left_for(aws: FakeAws) -> None:
    nights(aws, 3)
    nights(aws, 4, OTHER)
    with patch.object(Context, "get_remaining_time_in_millis", side_effect=[900_000, 0, 0]):
        assert run(prune_requested())["deleted"] == {HOME: 1, OTHER: 0, AWAY: 0}
    assert line(aws, "Stopped: the function's time is nearly over")["left"] == 1 + 3
    assert line(aws, "Pruned")["left"] == 1 + 3
