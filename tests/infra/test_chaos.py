"""The short form of the fault campaign; `make chaos` runs the long one."""

from typing import Any

import pytest

from local.lightsail.emulator import Emulator
from tests.infra.chaos import campaign
from tests.infra.chaos_books import Books, verdict
from tests.infra.chaos_bugs import bug, request_is_done_after_an_error

SEED = 2


def test_campaign_ends_with_one_outcome_for_each_slot() -> None:
    report = campaign(SEED, days=3)
    assert report.problems == []
    assert min(report.figures[each] for each in ("slots", "snapshots", "copies", "faults")) > 0


def test_campaign_fails_when_a_request_is_done_after_an_error() -> None:
    with bug(request_is_done_after_an_error):
        assert campaign(SEED, days=3).problems


def event(kind: str, time: str, **detail: Any) -> dict[str, Any]:
    here = {"requestId": "1", "region": "eu-central-1", "instanceSnapshotName": "web-1-night"}
    return {"id": "1", "detail-type": f"Instance Snapshot {kind}", "time": time, "detail": here | detail}


REQUESTED = event("Requested", "03:15", plan="daily", scheduledTime="03:15", instanceName="web-1")


@pytest.mark.parametrize(
    ("changed", "reason", "is_excused"),
    [
        (("eu-central-1", "04:00"), "NameInUse", True),
        (("eu-central-1", "04:00"), "AccessDenied", False),
        (("eu-central-1", "06:00"), "NameInUse", False),
        (("eu-west-1", "04:00"), "NameInUse", False),
    ],
    ids=["changed before", "another reason", "changed later", "another Region"],
)
def test_second_outcome_is_wrong_unless_a_person_changed_the_snapshot_before(
    changed: tuple[str, str], reason: str, is_excused: bool
) -> None:
    region, at = changed
    books = Books(Emulator(), taken_over={(region, "web-1-night"): at})
    events = [REQUESTED, event("Available", "03:20"), event("Failed", "05:00", reason=reason, message="")]
    assert any("both outcomes" in each for each in verdict(books, events, set(), {})) is not is_excused
