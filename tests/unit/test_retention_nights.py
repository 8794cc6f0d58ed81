"""Simulated nights: routine, outages and bursts drain by themselves, and a mistyped rule deletes nothing."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.plan import Plan
from tests.support.keep_oracle import obviously_kept
from tests.support.simulation import Simulation
from tests.support.snapshots import DAY, HOUR, make_plan

MINUTE = timedelta(minutes=1)
YEAR = 365 * DAY


def last(count: int, keep_confirmed: Keep | None = None) -> Plan:
    return make_plan(keep=Keep(last=count), keep_confirmed=keep_confirmed)


# Routine drains by itself


def test_failed_nights_do_not_stop_prune() -> None:
    life = Simulation(make_plan(keep=Keep(daily=7)))
    life.run(20 * DAY)
    life.fail(3 * DAY)
    assert len(life.left()) == 10
    life.run(1 * DAY)
    assert life.left() == life.newest(7)
    life.run(97 * DAY)
    assert life.left() == life.newest(7)
    assert not any(life.held)


def test_weekly_prune_of_nightly_snapshots_leaves_what_the_rule_says() -> None:
    life = Simulation(last(7))
    for week in range(10):
        life.run(7 * DAY, prune_every=None)
        life.prune()
        assert life.left() == life.newest(7), week


def test_nightly_prune_of_hourly_snapshots_leaves_what_the_rule_says() -> None:
    life = Simulation(last(24))
    for night in range(20):
        life.run(DAY, take={"daily": HOUR}, prune_every=None)
        life.prune()
        assert life.left() == life.newest(24), night


def test_snapshots_of_every_quarter_hour_leave_what_the_rule_says() -> None:
    life = Simulation(last(8))
    life.run(3 * DAY, take={"daily": 15 * MINUTE}, prune_every=HOUR)
    life.prune()
    assert life.left() == life.newest(8)


def test_hourly_snapshots_drain_after_four_hours_without_prune() -> None:
    life = Simulation(last(6))
    life.run(DAY, take={"daily": HOUR}, prune_every=HOUR)
    life.run(4 * HOUR, take={"daily": HOUR}, prune_every=None)
    assert len(life.left()) == 10
    life.prune()
    assert life.left() == life.newest(6)


@pytest.mark.parametrize("deployments", [4, 5, 6])
def test_deployments_of_one_hour_go_by_their_rule(deployments: int) -> None:
    life = Simulation(make_plan("deploy", keep=Keep(last=5)))
    for _ in range(10):
        life.run(HOUR, take={"deploy": HOUR / deployments}, prune_every=None)
        life.prune()
        assert life.left("deploy") == life.newest(5)


@pytest.mark.parametrize("deployments", [4, 5, 6])
def test_deployments_of_one_hour_expire_together_beside_a_daily_plan(deployments: int) -> None:
    life = Simulation(last(7), make_plan("before-deploy", keep_for=14 * DAY))
    life.run(10 * DAY)
    life.run(HOUR, take={"before-deploy": HOUR / deployments}, prune_every=HOUR)
    life.run(13 * DAY)
    assert len(life.left("before-deploy")) == deployments
    life.run(2 * DAY)
    assert life.left("before-deploy") == []
    assert len(life.left()) == 7


def test_backlog_of_a_month_without_prune_goes_in_one_run() -> None:
    life = Simulation(last(7))
    life.run(30 * DAY, prune_every=None)
    assert len(life.prune()) == 23
    assert life.left() == life.newest(7)


# A mistyped rule deletes nothing


def test_typo_deletes_nothing_beside_the_leftovers_of_a_removed_plan() -> None:
    life = Simulation(last(90), make_plan("nightly", keep=Keep(last=365)))
    life.run(365 * DAY, take={"nightly": DAY}, prune_every=None)
    life.run(90 * DAY, prune_every=None)
    life.plans = (last(1),)
    assert life.prune() == []
    assert life.held == [89]


def test_typo_deletes_nothing_of_few_snapshots() -> None:
    life = Simulation(last(4))
    life.run(20 * DAY)
    life.plans = (last(1),)
    assert life.prune() == []
    assert life.held[-1] == 3


@pytest.mark.parametrize("confirmed", [None, Keep(last=90)], ids=["unconfirmed", "confirmed before"])
def test_ten_nights_under_a_typo_cost_nothing(confirmed: Keep | None) -> None:
    def after(typo: Plan) -> list[str]:
        life = Simulation(last(90, keep_confirmed=confirmed))
        life.run(100 * DAY)
        life.plans = (typo,)
        life.run(10 * DAY)
        life.plans = (last(90, keep_confirmed=confirmed),)
        life.run(1 * DAY)
        assert life.left() == life.newest(90)
        return life.deleted

    assert after(last(1, keep_confirmed=confirmed)) == after(last(90, keep_confirmed=confirmed))


def test_ten_nights_without_keep_rules_cost_nothing() -> None:
    life = Simulation(last(7))
    life.run(20 * DAY)
    life.plans = (make_plan(),)
    life.run(10 * DAY)
    assert life.left() == life.newest(17)


# Changes of the rules


def test_tightened_rules_apply_once_no_older_snapshot_is_left() -> None:
    life = Simulation(last(90))
    life.run(100 * DAY)
    life.plans = (last(30),)
    life.run(1 * DAY)
    assert (life.left(), life.held[-1]) == (life.newest(90), 60)
    life.run(89 * DAY)
    assert life.left() == life.newest(90)
    life.run(43 * DAY)
    assert life.left() == life.newest(30)
    assert life.held[-43:] == [0] * 43


def test_tightened_rules_apply_at_once_when_they_are_confirmed() -> None:
    life = Simulation(last(90))
    life.run(100 * DAY)
    life.plans = (last(30),)
    life.run(5 * DAY)
    assert life.left() == life.newest(90)
    life.plans = (last(30, keep_confirmed=Keep(last=30)),)
    assert len(life.prune()) == 60
    life.run(133 * DAY)
    assert life.left() == life.newest(30)
    life.plans = (last(30),)  # the line may go, once no older snapshot is left
    life.run(1 * DAY)
    assert (life.left(), life.held[-1]) == (life.newest(30), 0)


def test_twelve_months_become_six_within_a_year() -> None:
    life = Simulation(make_plan(keep=Keep(monthly=12)))
    life.run(2 * YEAR)
    assert len(life.left()) == 12
    life.plans = (make_plan(keep=Keep(monthly=6)),)
    life.run(180 * DAY)
    assert (len(life.left()), life.held[-1]) == (12, 6)
    life.run(200 * DAY)
    assert (len(life.left()), life.held[-1]) == (6, 0)


def test_rules_that_are_loosened_and_tightened_again_hold_what_the_loose_ones_kept() -> None:
    life = Simulation(last(7))
    life.run(20 * DAY)
    life.plans = (last(30),)
    life.run(10 * DAY)
    assert life.left() == life.newest(17)
    life.plans = (last(7),)
    life.run(10 * DAY)
    assert (life.left(), life.held[-1]) == (life.newest(27), 20)
    life.run(21 * DAY)
    assert (life.left(), life.held[-1]) == (life.newest(7), 0)


def test_first_keep_of_a_plan_holds_its_backlog_until_it_is_confirmed() -> None:
    life = Simulation(make_plan())
    life.run(40 * DAY)
    life.plans = (last(7),)
    life.run(60 * DAY)
    assert (life.left(), life.held[-1]) == (life.newest(100), 93)
    life.plans = (last(7, keep_confirmed=Keep(last=7)),)
    life.run(1 * DAY)
    assert life.left() == life.newest(7)


def test_keep_that_is_removed_and_set_again_holds_what_was_taken_between() -> None:
    life = Simulation(last(7))
    life.run(20 * DAY)
    life.plans = (make_plan(),)
    life.run(10 * DAY)
    life.plans = (last(7),)
    life.run(10 * DAY)
    assert (life.left(), life.held[-1]) == (life.newest(27), 20)


def test_older_snapshots_go_by_their_rules_when_keep_becomes_keep_for_and_back() -> None:
    life = Simulation(last(7))
    life.run(20 * DAY)
    life.plans = (make_plan(keep_for=10 * DAY),)
    life.run(3 * DAY)
    assert life.left() == life.newest(7)
    life.run(4 * DAY)
    assert life.left() == life.newest(7)
    life.run(3 * DAY)
    assert life.left() == life.newest(10)
    life.run(20 * DAY)
    assert life.left() == life.newest(10)
    life.plans = (last(7),)
    life.run(9 * DAY)
    assert life.left() == [*life.newest(7), life.taken[49]]  # the last one that expires does so tomorrow
    life.run(1 * DAY)
    assert life.left() == life.newest(7)
    assert not any(life.held)


def test_snapshots_without_keep_rules_stay_when_their_plan_gets_keep_for() -> None:
    life = Simulation(make_plan())
    life.run(5 * DAY)
    life.plans = (make_plan(keep_for=10 * DAY),)
    life.run(100 * DAY)
    assert life.left() == life.newest(10) + life.taken[:5][::-1]
    assert not any(life.held)


def test_changed_time_zone_counts_all_nights_anew_and_holds_none() -> None:
    keep = Keep(daily=7, weekly=4)
    life = Simulation(make_plan(keep=keep))
    life.run(60 * DAY, take={"daily": 6 * HOUR})
    life.plans = (make_plan(keep=keep, timezone="Pacific/Auckland"),)
    life.run(60 * DAY, take={"daily": 6 * HOUR})
    fresh = Simulation(make_plan(keep=keep, timezone="Pacific/Auckland"))
    fresh.run(120 * DAY, take={"daily": 6 * HOUR})
    assert life.left() == fresh.left()
    assert not any(life.held)


@pytest.mark.parametrize("tag", ["last=ninety", None])
def test_one_unreadable_tag_among_ninety_holds_what_would_go(tag: str | None) -> None:
    life = Simulation(last(90))
    life.run(90 * DAY)
    spoiled = life.snapshots[45]
    tags = {**spoiled.tags, "snapshot-keep": tag} if tag else {**spoiled.tags}
    if tag is None:
        del tags["snapshot-keep"]
    life.snapshots[45] = replace(spoiled, tags=tags)
    life.run(10 * DAY)
    assert (life.left(), life.held[-1]) == (life.newest(100), 10)
    life.plans = (last(90, keep_confirmed=Keep(last=90)),)
    life.run(1 * DAY)
    assert (life.left(), life.held[-1]) == (life.newest(90), 0)


# All together


def test_four_hundred_days_end_with_exactly_what_the_rules_promise() -> None:
    """A week of failures, a month without prune, and two changes of the rules, which nobody confirms."""
    before, loosened = Keep(daily=7, weekly=4), Keep(daily=7, weekly=8, monthly=4)
    life = Simulation(make_plan(keep=before, timezone="Europe/Berlin"))
    life.run(60 * DAY)
    life.plans = (make_plan(keep=loosened, timezone="Europe/Berlin"),)
    life.run(40 * DAY)
    life.fail(7 * DAY)
    life.run(43 * DAY)
    life.plans = (make_plan(keep=before, timezone="Europe/Berlin"),)
    life.run(20 * DAY)
    life.run(30 * DAY, prune_every=None)
    life.run(200 * DAY)
    promised = obviously_kept(life.taken, before, ZoneInfo("Europe/Berlin"))
    assert life.left() == sorted(promised, reverse=True)
    assert life.held[150] > 0
    assert life.held[-1] == 0
