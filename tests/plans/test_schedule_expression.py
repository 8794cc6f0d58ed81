"""What EventBridge Scheduler accepts as a schedule, and how far apart its runs are."""

import contextlib
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots_plans.schedule_expression import FORMS, InvalidScheduleError, parse_schedule


def refusal_of(expression: str) -> str:
    with pytest.raises(InvalidScheduleError) as raised:
        parse_schedule(expression)
    return str(raised.value)


@pytest.mark.parametrize(
    ("expression", "gap"),
    [
        ("cron(15 3 * * ? *)", timedelta(days=1)),
        ("cron(15 3 ? * * *)", timedelta(days=1)),
        ("cron(0 0/6 * * ? *)", timedelta(hours=6)),
        ("cron(0 3,20 * * ? *)", timedelta(hours=17)),
        ("cron(*/15 * * * ? *)", timedelta(minutes=15)),
        ("cron(0 8-18 * * ? *)", timedelta(hours=14)),
        ("cron(0 3 ? * MON-FRI *)", timedelta(days=3)),
        ("cron(0 3 ? * 1,4 *)", timedelta(days=4)),
        ("cron(0 3 1 * ? *)", timedelta(days=31)),
        ("cron(0 3 1 JAN,JUL ? *)", timedelta(days=184)),
        ("cron(0 3 29 FEB ? *)", timedelta(days=8 * 365 + 1)),
        ("cron(30-30 1-1 * 2/3 ? *)", timedelta(days=63)),
        ("rate(1 day)", timedelta(days=1)),
        ("rate(90 minutes)", timedelta(minutes=90)),
        ("rate(1 hour)", timedelta(hours=1)),
    ],
)
def test_the_longest_time_between_two_runs_is_known(expression: str, gap: timedelta) -> None:
    assert parse_schedule(expression).longest_gap == gap


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 3 L * ? *)",
        "cron(0 3 LW * ? *)",
        "cron(0 3 15W * ? *)",
        "cron(0 3 ? * 6L *)",
        "cron(0 3 ? * FRIL *)",
        "cron(0 3 ? * L *)",
        "cron(0 3 ? * 2#1 *)",
        "cron(0 3 ? * TUE#5 *)",
        "cron(0 3 * * ? 2026-2199)",
        "at(2026-12-01T03:15:00)",
    ],
)
def test_other_forms_are_accepted_without_such_a_time(expression: str) -> None:
    assert parse_schedule(expression).longest_gap is None


@pytest.mark.parametrize(
    "expression", ["cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)", "cron(30-30 13-13 ? * 2,4,6 *)", "cron(1-31/30 1-1 ? * 1,7 *)"]
)
def test_what_the_service_is_known_to_accept_is_accepted(expression: str) -> None:
    assert parse_schedule(expression).expression == expression


def test_the_minutes_of_a_run_are_known() -> None:
    assert parse_schedule("cron(5/20 3 L * ? *)").minutes == {5, 25, 45}
    assert parse_schedule("at(2026-12-01T03:15:00)").minutes == {15}
    assert parse_schedule("rate(1 hour)").minutes == frozenset()


@pytest.mark.parametrize(
    ("expression", "day"),
    [
        ("at(2026-12-01T03:15:00)", date(2026, 12, 1)),
        ("cron(15 3 * * ? 2025-2026)", date(2026, 12, 31)),
        ("cron(15 3 ? * L 2030,2028)", date(2030, 12, 31)),
        ("cron(15 3 * * ? *)", None),
        ("rate(1 hour)", None),
    ],
)
def test_the_day_after_which_it_comes_no_more_is_known(expression: str, day: date | None) -> None:
    assert parse_schedule(expression).last_day == day


def test_an_expression_that_is_too_long_is_told_how_long_it_may_be() -> None:
    minutes = ",".join(map(str, range(60)))
    assert parse_schedule(f"cron({minutes} {','.join(map(str, range(24)))} * * ? *)")
    assert refusal_of(f"cron({minutes} {','.join(map(str, range(24)))} {','.join(map(str, range(1, 16)))} * ? *)") == (
        "has 279 characters, at most 256 are allowed: write ranges"
    )


@pytest.mark.parametrize("expression", ["", "15 3 * * ? *", "cron 15 3 * * ? *", "Cron(0 3 * * ? *)", "rate(1 day)\n"])
def test_anything_else_is_told_the_three_forms(expression: str) -> None:
    assert refusal_of(expression) == f"must be {FORMS}"


NOT_BOTH = "exactly one of day-of-month (third) and day-of-week (fifth) must be ?, and here"
FIELDS = "six are needed: minutes hours day-of-month month day-of-week year"


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("cron(0 3 * * *)", f"has 5 fields, {FIELDS}"),
        ("cron(0 0 3 * * ? *)", f"has 7 fields, {FIELDS}"),
        ("cron()", f"has 0 fields, {FIELDS}"),
        ("cron(0 3 * * * *)", f"{NOT_BOTH} neither is"),
        ("cron(0 3 1 * MON *)", f"{NOT_BOTH} neither is"),
        ("cron(0 3 ? * ? *)", f"{NOT_BOTH} both are"),
        ("cron(60 3 * * ? *)", "minutes '60': allowed are 0-59 with , - * /"),
        ("cron(0 24 * * ? *)", "hours '24': allowed are 0-23 with , - * /"),
        ("cron(? 3 * * ? *)", "minutes '?': allowed are 0-59 with , - * /"),
        ("cron(0 3 0 * ? *)", "day-of-month '0': allowed are 1-31 with , - * / ? L W"),
        ("cron(0 3 32W * ? *)", "day-of-month '32W': allowed are 1-31 with , - * / ? L W"),
        ("cron(0 3 L,1 * ? *)", "day-of-month 'L' in 'L,1': allowed are 1-31 with , - * / ? L W"),
        ("cron(0 3 1 13 ? *)", "month '13': allowed are 1-12 or JAN-DEC with , - * /"),
        ("cron(0 3 1 jan ? *)", "month 'jan': allowed are 1-12 or JAN-DEC with , - * /"),
        ("cron(0 3 ? * 0 *)", "day-of-week '0': allowed are 1-7 or SUN-SAT with , - * ? L #"),
        ("cron(0 3 ? * MON#6 *)", "day-of-week 'MON#6': allowed are 1-7 or SUN-SAT with , - * ? L #"),
        ("cron(0 3 ? * 3#1,6#3 *)", "day-of-week '3#1' in '3#1,6#3': allowed are 1-7 or SUN-SAT with , - * ? L #"),
        ("cron(0 3 ? * 2/2 *)", "day-of-week '2/2': allowed are 1-7 or SUN-SAT with , - * ? L #"),
        ("cron(0 3 ? * SUNDAY *)", "day-of-week 'SUNDAY': allowed are 1-7 or SUN-SAT with , - * ? L #"),
        ("cron(0 3 * * ? 1969)", "year '1969': allowed are 1970-2199 with , - * /"),
        ("cron(0/0 3 * * ? *)", "minutes '0' in '0/0': allowed are 0-59 with , - * /"),
        ("cron(0,, 3 * * ? *)", "minutes '' in '0,,': allowed are 0-59 with , - * /"),
        ("cron(0 22-2 * * ? *)", "hours '22-2' runs backwards; write two ranges, such as 22-23,0-2"),
        (
            "cron(60 24 * * ? *)",
            "minutes '60': allowed are 0-59 with , - * /; hours '24': allowed are 0-23 with , - * /",
        ),
        ("cron(0 3 31 FEB,APR ? *)", "never comes: there is no such day in these months"),
        ("rate(1 days)", "write rate(1 day)"),
        ("rate(2 day)", "write rate(2 days)"),
        ("rate(0 days)", "must be rate(value unit) with a whole number and minutes, hours or days"),
        ("rate(1.5 hours)", "must be rate(value unit) with a whole number and minutes, hours or days"),
        ("rate(30 seconds)", "must be rate(value unit) with a whole number and minutes, hours or days"),
        ("rate(2 weeks)", "must be rate(value unit) with a whole number and minutes, hours or days"),
        ("at(2026-12-01 03:15)", "must be at(yyyy-mm-ddThh:mm:ss), local time, without a zone or Z"),
        ("at(2026-12-01T03:15:00Z)", "must be at(yyyy-mm-ddThh:mm:ss), local time, without a zone or Z"),
        ("at(2026-02-30T03:15:00)", "there is no such time: day is out of range for month"),
    ],
)
def test_what_the_service_would_refuse_is_refused_with_what_is_allowed(expression: str, text: str) -> None:
    assert refusal_of(expression) == text


@given(
    st.sampled_from(["cron({})", "rate({})", "at({})", "{}"]),
    st.lists(st.text("0123456789*?/,-LW#TMON SUN", max_size=6), max_size=7),
)
def test_whatever_is_written_is_accepted_or_refused_and_never_breaks(form: str, words: list[str]) -> None:
    with contextlib.suppress(InvalidScheduleError):
        assert parse_schedule(form.format(" ".join(words))).minutes <= set(range(60))


@given(st.lists(st.integers(0, 59), min_size=1), st.lists(st.integers(0, 23), min_size=1))
def test_the_gap_is_the_one_that_a_clock_would_see(minutes: list[int], hours: list[int]) -> None:
    expression = f"cron({','.join(map(str, minutes))} {','.join(map(str, hours))} * * ? *)"
    runs = {60 * hour + minute for hour in hours for minute in minutes}
    waits, wait = set(), 0
    for minute in range(max(runs) + 1, max(runs) + 1441):
        wait += 1
        if minute % 1440 in runs:
            waits.add(wait)
            wait = 0
    assert parse_schedule(expression).longest_gap == timedelta(minutes=max(waits))
