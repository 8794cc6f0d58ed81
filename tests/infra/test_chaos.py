"""The short form of the fault campaign; `make chaos` runs the long one."""

from tests.infra.chaos import campaign
from tests.infra.chaos_bugs import bug, request_is_done_after_an_error

SEED = 2


def test_campaign_ends_with_one_outcome_for_each_slot() -> None:
    report = campaign(SEED, days=3)
    assert report.problems == []
    assert min(report.figures[each] for each in ("slots", "snapshots", "copies", "faults")) > 0


def test_campaign_fails_when_a_request_is_done_after_an_error() -> None:
    with bug(request_is_done_after_an_error):
        assert campaign(SEED, days=3).problems
