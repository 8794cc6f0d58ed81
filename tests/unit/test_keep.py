"""The keep rules of a plan: what keeps its place in them, on every kind of day."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.retention import decide
from lightsail_snapshots.snapshot import Snapshot
from tests.support.snapshots import (
    DAILY_7,
    DAY,
    HOUR,
    NOW,
    deleted,
    make_plan,
    names,
    nightly,
    reason,
    reason_for,
    snapshot,
)


def on(*days_of_november: int) -> list[Snapshot]:
    return [snapshot(datetime(2026, 11, day, 3, 15, tzinfo=UTC)) for day in days_of_november]


def test_a_missed_day_costs_nothing() -> None:
    assert deleted(decide(on(20, 18, 17, 16), [replace(DAILY_7, keep=Keep(daily=3))], NOW)) == names(on(16))


def test_the_newest_of_a_day_is_kept() -> None:
    morning, noon, newest = (snapshot(NOW - ago) for ago in (27 * HOUR, 24 * HOUR, HOUR))
    decisions = decide([morning, noon, newest], [DAILY_7], NOW)
    assert reason(decisions, noon) == "keep: daily 2 of 7"
    assert reason(decisions, morning) == "delete: no keep rule of plan daily keeps it"


def test_a_snapshot_that_any_rule_keeps_stays_and_all_its_rules_are_named() -> None:
    keep = Keep(last=2, hourly=2, daily=2, weekly=2, monthly=2, yearly=2, within=2 * DAY)
    second = snapshot(NOW - DAY)
    assert reason_for(second, plan=make_plan(keep=keep)) == (
        "keep: last 2 of 2, hourly 2 of 2, daily 2 of 2, weekly 2 of 2, within 2 days of the newest"
    )


def test_weeks_begin_on_monday_and_belong_to_the_year_of_their_thursday() -> None:
    sunday, monday, friday = (
        snapshot(datetime(2026, 12, 27, 12, tzinfo=UTC)),
        snapshot(datetime(2026, 12, 28, 12, tzinfo=UTC)),
        snapshot(datetime(2027, 1, 1, 12, tzinfo=UTC)),
    )
    later = datetime(2027, 1, 2, tzinfo=UTC)
    assert deleted(decide([sunday, monday, friday], [make_plan(keep=Keep(weekly=9))], later)) == [monday.name]


def test_the_same_week_of_another_year_is_another_week() -> None:
    year = [snapshot(NOW - HOUR), snapshot(NOW - HOUR - 52 * 7 * DAY)]
    assert deleted(decide(year, [make_plan(keep=Keep(weekly=2))], NOW)) == []


def test_months_and_years_are_counted_from_the_newest_that_has_one() -> None:
    months = [snapshot(datetime(2026, month, 5, tzinfo=UTC)) for month in (1, 3, 4, 9, 11)]
    years = [snapshot(datetime(year, 5, 5, tzinfo=UTC)) for year in (2019, 2023, 2025)]
    policy = make_plan(keep=Keep(monthly=3, yearly=3), max_deletes=9)
    assert deleted(decide(months + years, [policy], NOW)) == names([months[0], months[1], years[0]])


def test_within_is_counted_from_the_newest_snapshot_so_that_old_ones_stay_where_no_new_ones_come() -> None:
    stopped = nightly(5, until=NOW - 300 * DAY)
    decisions = decide(stopped, [make_plan(keep=Keep(within=3 * DAY))], NOW)
    assert deleted(decisions) == names(stopped[3:])


def test_days_are_those_of_the_plans_time_zone() -> None:
    evening, night = (snapshot(datetime(2026, 11, 20, hour, tzinfo=UTC)) for hour in (22, 23))
    one_day_in_utc = decide([evening, night], [DAILY_7], NOW)
    two_days_in_berlin = decide([evening, night], [replace(DAILY_7, timezone="Europe/Berlin")], NOW)
    assert deleted(one_day_in_utc) == [evening.name]
    assert deleted(two_days_in_berlin) == []


@pytest.mark.parametrize(
    ("first", "last", "hours"),
    [
        pytest.param(datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 21, tzinfo=UTC), 23, id="spring"),
        pytest.param(datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 22, tzinfo=UTC), 25, id="autumn"),
    ],
)
def test_dst_days_have_as_many_hours_as_the_clock_shows(first: datetime, last: datetime, hours: int) -> None:
    day = [snapshot(first + hour * HOUR) for hour in range(hours)]
    assert day[-1].created_at == last
    zone = "Europe/Berlin"
    assert deleted(decide(day, [make_plan(timezone=zone, keep=Keep(hourly=30))], NOW)) == []
    one_day = make_plan(timezone=zone, keep=Keep(daily=30), max_deletes=30)
    assert deleted(decide(day, [one_day], NOW)) == names(day[:-1])


def test_two_snapshots_in_one_slot_take_two_places_of_last_and_one_of_daily() -> None:
    one, two = (snapshot(NOW - HOUR, name=name) for name in ("web-1-a", "web-1-b"))
    assert deleted(decide([one, two], [make_plan(keep=Keep(last=2))], NOW)) == []
    assert deleted(decide([one, two], [DAILY_7], NOW)) == ["web-1-a"]


def test_a_plan_without_keep_rules_deletes_only_what_expires() -> None:
    no_rules = make_plan()
    failed = snapshot(NOW - 300 * DAY, state="error")
    old = snapshot(NOW - 200 * DAY)
    expired = snapshot(NOW - 100 * DAY, tags={"expires-at": "2026-09-01T00:00:00Z"})
    decisions = decide([failed, old, expired, snapshot(NOW - HOUR)], [no_rules], NOW)
    assert deleted(decisions) == [expired.name]
    assert reason(decisions, old) == "keep: plan daily has no keep rules"


def test_each_plan_of_an_instance_keeps_its_own() -> None:
    hourly = [snapshot(NOW - hour * HOUR, plan="hourly") for hour in (1, 2, 3)]
    daily = nightly(3)
    plans = [make_plan("hourly", keep=Keep(last=2)), make_plan(keep=Keep(last=1))]
    assert deleted(decide(hourly + daily, plans, NOW)) == names([hourly[2], daily[1], daily[2]])
