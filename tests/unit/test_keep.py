"""The keep rules of a plan: what each keeps, on every kind of day; and their form as text."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.decision import KeptBecause
from lightsail_snapshots.keep_rules import Keep, confirmation, format_keep_tag, parse_keep, parse_keep_tag
from lightsail_snapshots.naming import tag_problems
from lightsail_snapshots.retention import decide
from lightsail_snapshots.snapshot import Snapshot
from tests.support.snapshots import (
    DAILY_7,
    DAY,
    HOUR,
    NOW,
    class_of,
    decision_on,
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


def test_missed_day_costs_nothing() -> None:
    assert deleted(decide(on(20, 18, 17, 16), [replace(DAILY_7, keep=Keep(daily=3))], NOW)) == names(on(16))


def test_newest_of_a_day_is_kept() -> None:
    morning, noon, newest = (snapshot(NOW - ago) for ago in (27 * HOUR, 24 * HOUR, HOUR))
    decisions = decide([morning, noon, newest], [DAILY_7], NOW)
    assert reason(decisions, noon) == "keep: daily 2 of 7"
    assert decision_on(decisions, noon).kept_because == KeptBecause.RULE
    assert reason(decisions, morning) == "delete: no keep rule of plan daily keeps it"


def test_reason_names_all_rules_that_keep_a_snapshot() -> None:
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


def test_same_week_of_another_year_is_another_week() -> None:
    year = [snapshot(NOW - HOUR), snapshot(NOW - HOUR - 52 * 7 * DAY)]
    assert deleted(decide(year, [make_plan(keep=Keep(weekly=2))], NOW)) == []


def test_months_and_years_without_a_snapshot_do_not_count() -> None:
    months = [snapshot(datetime(2026, month, 5, tzinfo=UTC)) for month in (1, 3, 4, 9, 11)]
    years = [snapshot(datetime(year, 5, 5, tzinfo=UTC)) for year in (2019, 2023, 2025)]
    plan = make_plan(keep=Keep(monthly=3, yearly=3))
    assert deleted(decide(months + years, [plan], NOW)) == names([months[0], months[1], years[0]])


def test_within_counts_from_the_newest_snapshot() -> None:
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
def test_days_of_clock_changes_have_the_hours_that_the_clock_shows(first: datetime, last: datetime, hours: int) -> None:
    day = [snapshot(first + hour * HOUR) for hour in range(hours)]
    assert day[-1].created_at == last
    zone = "Europe/Berlin"
    assert deleted(decide(day, [make_plan(timezone=zone, keep=Keep(hourly=30))], NOW)) == []
    assert deleted(decide(day, [make_plan(timezone=zone, keep=Keep(daily=30))], NOW)) == names(day[:-1])


def test_two_snapshots_of_one_slot_take_two_places_of_last_and_one_of_daily() -> None:
    one, two = (snapshot(NOW - HOUR, name=name) for name in ("web-1-a", "web-1-b"))
    assert deleted(decide([one, two], [make_plan(keep=Keep(last=2))], NOW)) == []
    assert deleted(decide([one, two], [DAILY_7], NOW)) == ["web-1-a"]


def test_plan_without_keep_rules_deletes_only_what_failed_or_expired() -> None:
    failed = snapshot(NOW - 300 * DAY, state="error")
    old = snapshot(NOW - 200 * DAY)
    expired = snapshot(NOW - 100 * DAY, tags={"expires-at": "2026-09-01T00:00:00Z"})
    decisions = decide([failed, old, expired, snapshot(NOW - HOUR)], [make_plan()], NOW)
    assert deleted(decisions) == names([failed, expired])
    assert reason(decisions, old) == "keep: plan daily has no keep rules"
    assert class_of(old, plan=make_plan()) == KeptBecause.RULE


def test_each_plan_of_an_instance_counts_its_own_snapshots() -> None:
    hourly = [snapshot(NOW - hour * HOUR, plan="hourly") for hour in (1, 2, 3)]
    daily = nightly(3)
    plans = [make_plan("hourly", keep=Keep(last=2)), make_plan(keep=Keep(last=1))]
    assert deleted(decide(hourly + daily, plans, NOW)) == names([hourly[2], daily[1], daily[2]])


# Keep rules as text


def test_keep_tag_has_the_rules_that_are_set_in_a_fixed_order() -> None:
    everything = Keep(within=timedelta(hours=36), yearly=1, monthly=2, weekly=4, daily=7, hourly=24, last=9)
    assert format_keep_tag(everything) == "last=9 hourly=24 daily=7 weekly=4 monthly=2 yearly=1 within=PT36H"
    assert format_keep_tag(Keep(last=7, weekly=4, within=3 * DAY)) == "last=7 weekly=4 within=P3D"
    assert format_keep_tag(None) == format_keep_tag(Keep()) == "all"


_COUNTS = st.integers(0, 999_999_999)
_KEEPS = st.builds(
    Keep,
    last=_COUNTS,
    hourly=_COUNTS,
    daily=_COUNTS,
    weekly=_COUNTS,
    monthly=_COUNTS,
    yearly=_COUNTS,
    within=st.integers(0, 36_525 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
).filter(bool)


@given(_KEEPS)
def test_keep_tag_is_legal_and_read_as_it_was_written(keep: Keep) -> None:
    text = format_keep_tag(keep)
    assert tag_problems("snapshot-keep", text) == []
    assert parse_keep_tag(text) == parse_keep(text) == keep


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "all",
        "last=0",
        "last=-7",
        "last=7.5",
        "last=\u0667",
        "last=",
        "last",
        "=7",
        "lst=7",
        "last=7 last=7",
        "last=7, weekly=4",
        "within=3",
        "last=1000000000",
        "LAST=7",
    ],
)
def test_keep_tag_that_cannot_be_read_keeps_all(text: str | None) -> None:
    assert parse_keep_tag(text) is None
    with pytest.raises(ValueError, match="must"):
        parse_keep(text or "")


def test_keep_text_may_have_any_order_and_notation() -> None:
    assert parse_keep("  within=72h weekly=4\tlast=07 daily=0") == Keep(last=7, weekly=4, within=3 * DAY)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("last=7 wekly=4", "must be keep rules such as last=7 weekly=4 within=P3D, not 'last=7 wekly=4'"),
        ("last=many", "must have whole numbers such as last=7, not 'many'"),
        ("daily=0", "must have at least one rule above 0, such as last=7, not 'daily=0'"),
        ("within=3", "must be a duration such as 14d, 26h, 90m, or in ISO 8601: P14D, P2W, PT36H"),
    ],
)
def test_keep_text_that_is_wrong_says_what_is_allowed(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        parse_keep(text)
    assert str(caught.value) == problem


def test_confirmation_is_a_line_to_paste() -> None:
    assert confirmation(Keep(weekly=4, last=30)) == 'keep_confirmed = "last=30 weekly=4"'
