"""Each deliberate bug of the fault campaign changes what the functions do; one that no longer applies says so."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

import tests.support.environment  # noqa: F401 - the functions read it when they are imported

# isort: split
from lightsail_snapshots import copy, create
from lightsail_snapshots.aws.errors import EntriesRejectedError
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.naming import our_tags
from tests.infra import chaos_bugs as bugs
from tests.infra.chaos_bugs import BUGS, DoesNotApplyError, Patches, bug
from tests.support import copies
from tests.support.events import requested
from tests.support.fake_aws import FakeAws, fake_aws, make_instance
from tests.support.pruning import after_listing, left, prune_requested, region, run, seed


def two_nights() -> object:
    with fake_aws(create.handler) as aws:
        for time in ("2026-11-23T03:15:00Z", "2026-11-23T03:16:00Z"):
            aws.request(requested(time=time))
        return len(aws.snapshots())


def request_during(*faults: dict[str, Any]) -> Callable[[], object]:
    """Return whether a request is done in its first and its second delivery, although these faults hit it."""

    def scenario() -> object:
        with fake_aws(create.handler) as aws:
            for fault in faults:
                aws.emulator.faults.add(**fault)
            return [aws.request(requested(), attempt) for attempt in (1, 2)]

    return scenario


def name_of_a_copy_is_taken_by_a_person() -> object:
    with fake_aws(copy.handler) as aws:
        wanted = copies.to(copies.THERE, copies.available(aws))
        make_instance("theirs", copies.THERE)
        copies.client().create_instance_snapshot(instanceSnapshotName=copies.NAME, instanceName="theirs")
        aws.request(wanted)
        return [snapshot["tags"] for snapshot in aws.snapshots(copies.THERE)]


def pruned(
    prepare: Callable[[FakeAws], object], change: Callable[[FakeAws], object] = lambda _: None
) -> Callable[[], object]:
    """Return what prune leaves, which keeps the newest, if somebody changes something after it has listed."""

    def scenario() -> object:
        with fake_aws(at=None) as aws:
            prepare(aws)
            with after_listing(lambda: change(aws)):
                run(prune_requested())
            return left(aws)

    return scenario


def two_snapshots(name: str = "old", **tags: str) -> Callable[[FakeAws], object]:
    """Make an older snapshot, whose tags say that it has this name, and a newer one."""

    def prepare(aws: FakeAws) -> None:
        seed(aws, 2, name="old", tags=our_tags(name, "web-1", plan="daily", keep="last=1") | tags)
        seed(aws, 1, name="new")

    return prepare


def rejected_entry() -> object:
    with patch.object(EventBus, "_put", side_effect=EntriesRejectedError("try again", [0])), patch("time.sleep"):
        try:
            EventBus("lightsail-snapshots", "us-east-1").put_all("Instance Snapshot Failed", [{}])
        except EntriesRejectedError:
            return "raised"
        return "ignored"


LOST = {"fault": "lost-answer", "operation": "CreateInstanceSnapshot", "times": 1}
STALE = {"fault": "stale", "operation": "GetInstanceSnapshot", "seconds": 400}
SCENARIOS: dict[Callable[[], Patches], Callable[[], object]] = {
    bugs.name_without_the_slot: two_nights,
    bugs.name_in_use_is_final_at_once: request_during(LOST, STALE),
    bugs.request_is_done_after_an_error: request_during({"fault": "throttle"}),
    bugs.copy_tags_any_snapshot_of_its_name: name_of_a_copy_is_taken_by_a_person,
    bugs.prune_does_not_read_again: pruned(two_snapshots(), lambda aws: region(aws).snapshot("new").tags.clear()),
    bugs.prune_ignores_holds: pruned(two_snapshots(**{"snapshot-hold": ""})),
    bugs.prune_takes_all_with_our_tags_for_ours: pruned(two_snapshots("handed-on")),
    bugs.bus_ignores_rejected_entries: rejected_entry,
}


@pytest.mark.parametrize("each", BUGS, ids=lambda each: each.__name__)
def test_bug_changes_what_the_functions_do(each: Callable[[], Patches]) -> None:
    scenario = SCENARIOS[each]
    as_it_is = scenario()
    with bug(each):
        assert scenario() != as_it_is


def test_bug_does_not_apply_when_its_function_is_gone() -> None:
    def renamed() -> Patches:
        yield create, "find_owner_of_the_name", lambda: None

    with pytest.raises(DoesNotApplyError, match=r"renamed: .*create has no find_owner_of_the_name"):
        bug(renamed).__enter__()


def test_bug_does_not_apply_when_nothing_calls_its_function() -> None:
    module = SimpleNamespace(__name__="module", used=lambda: 1, unused=lambda: 1)

    def half() -> Patches:
        yield module, "used", lambda: 2
        yield module, "unused", lambda: 2

    with pytest.raises(DoesNotApplyError, match=r"half: nothing called module\.unused"), bug(half):
        module.used()
