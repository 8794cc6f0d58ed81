"""Which schedules EventBridge Scheduler accepts, and how far apart their runs are."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots_plans.schedule_expression import FORMS, InvalidScheduleError, parse_schedule


def rejection(expression: str) -> str:
    with pytest.raises(InvalidScheduleError) as raised:
        parse_schedule(expression)
    return str(raised.value)


GAPS = {
    "cron(15 3 * * ? *)": timedelta(days=1),
    "cron(15 3 ? * * *)": timedelta(days=1),
    "cron(0 0/6 * * ? *)": timedelta(hours=6),
    "cron(0 3,20 * * ? *)": timedelta(hours=17),
    "cron(*/15 * * * ? *)": timedelta(minutes=15),
    "cron(0 8-18 * * ? *)": timedelta(hours=14),
    "cron(0 22-2 * * ? *)": timedelta(hours=20),
    "cron(0 22-4/3 * * ? *)": timedelta(hours=18),
    "cron(50-10/10 * * * ? *)": timedelta(minutes=40),
    "cron(0 3 ? * MON-FRI *)": timedelta(days=3),
    "cron(0 3 ? * FRI-MON *)": timedelta(days=4),
    "cron(0 3 ? * 1,4 *)": timedelta(days=4),
    "cron(0 3 1 * ? *)": timedelta(days=31),
    "cron(0 3 1 NOV-FEB ? *)": timedelta(days=274),
    "cron(0 3 1 JAN,JUL ? *)": timedelta(days=184),
    "cron(0 3 29 FEB ? *)": timedelta(days=8 * 365 + 1),
    "cron(30-30 1-1 * 2/3 ? *)": timedelta(days=63),
    "rate(1 day)": timedelta(days=1),
    "rate(90 minutes)": timedelta(minutes=90),
    "rate(1 hour)": timedelta(hours=1),
}


def test_longest_gap_between_two_runs_is_known() -> None:
    assert {expression: parse_schedule(expression).longest_gap for expression in GAPS} == GAPS


WITHOUT_GAP = [
    "cron(0 3 L * ? *)",
    "cron(0 3 LW * ? *)",
    "cron(0 3 15W * ? *)",
    "cron(0 3 ? * 6L *)",
    "cron(0 3 ? * FRIL *)",
    "cron(0 3 ? * L *)",
    "cron(0 3 ? * 2#1 *)",
    "cron(0 3 ? * TUE#5 *)",
    "cron(0 3 * * ? 2026-2199)",
    "cron(0 3 * * ? 2026/2)",
    "cron(0 3 * * ? */2)",
    "at(2026-12-01T03:15:00)",
]


def test_other_forms_have_no_known_gap() -> None:
    assert [parse_schedule(expression).longest_gap for expression in WITHOUT_GAP] == [None] * len(WITHOUT_GAP)


EXAMPLES = [
    "cron(15 10 * * ? *)",
    "cron(0 18 ? * MON-FRI *)",
    "cron(0 8 1 * ? *)",
    "cron(0/15 * * * ? *)",
    "cron(0/10 * ? * MON-FRI *)",
    "cron(0/5 8-17 ? * MON-FRI *)",
    "cron(0/30 20-2 ? * MON-FRI *)",
    "cron(15 10 ? * 6L 2019-2022)",
    "cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)",
    "cron(30-30 13-13 ? * 2,4,6 *)",
    "cron(1-31/30 1-1 ? * 1,7 *)",
]
"""Of AWS's user guides, or seen in schedules that Scheduler accepted."""


def test_examples_of_aws_are_accepted() -> None:
    for expression in EXAMPLES:
        parse_schedule(expression)


def test_hours_that_wrap_around_midnight_belong_to_each_day() -> None:
    # So the guide explains its example: it also runs early on Monday, and not early on Saturday.
    assert parse_schedule("cron(0/30 20-2 ? * MON-FRI *)").longest_gap == timedelta(days=2, minutes=30)


def test_minutes_of_a_run_are_known() -> None:
    assert parse_schedule("cron(5/20 3 L * ? *)").minutes == {5, 25, 45}
    assert parse_schedule("at(2026-12-01T03:15:00)").minutes == {15}
    assert parse_schedule("rate(1 hour)").minutes == frozenset()


def test_minutes_are_converted_to_utc() -> None:
    schedule = parse_schedule("cron(15 3 * * ? *)")
    minutes = {"UTC": {15}, "Asia/Kolkata": {45}, "Asia/Kathmandu": {30}, "Australia/Lord_Howe": {15, 45}}
    assert {zone: schedule.minutes_in_utc(zone, 2026) for zone in minutes} == minutes


LAST_RUNS = {
    "at(2026-12-01T03:15:00)": "2026-12-01T03:15",
    "cron(15 3 * * ? 2025-2026)": "2026-12-31T03:15",
    "cron(0/20 3,4 1 FEB ? 2028,2026)": "2028-02-01T04:40",
    "cron(15 3 29 FEB ? 2025-2030)": "2028-02-29T03:15",
    "cron(15 3 ? * L 2030,2028)": "2030-12-31T23:59",
    "cron(15 3 * * ? *)": None,
    "rate(1 hour)": None,
}


def test_last_run_of_a_schedule_is_known() -> None:
    found = {expression: parse_schedule(expression).last_run for expression in LAST_RUNS}
    assert {expression: run and run.isoformat(timespec="minutes") for expression, run in found.items()} == LAST_RUNS


NOT_BOTH = "exactly one of day-of-month (third) and day-of-week (fifth) must be ?, and here"
FIELDS = "six are needed: minutes hours day-of-month month day-of-week year"

REJECTED = {
    "cron(0 3 * * ? 2030-2026)": "year '2030-2026': allowed are 1970-2199 with , - * /",
    "cron(0 3 L-3 * ? *)": "day-of-month 'L' in 'L-3': allowed are 1-31 with , - * / ? L W",
    "cron(0 3 * * *)": f"has 5 fields, {FIELDS}",
    "cron(0 0 3 * * ? *)": f"has 7 fields, {FIELDS}",
    "cron()": f"has 0 fields, {FIELDS}",
    "cron(0 3 * * * *)": f"{NOT_BOTH} neither is",
    "cron(0 3 1 * MON *)": f"{NOT_BOTH} neither is",
    "cron(0 3 ? * ? *)": f"{NOT_BOTH} both are",
    "cron(60 3 * * ? *)": "minutes '60': allowed are 0-59 with , - * /",
    "cron(0 24 * * ? *)": "hours '24': allowed are 0-23 with , - * /",
    "cron(? 3 * * ? *)": "minutes '?': allowed are 0-59 with , - * /",
    "cron(0 3 0 * ? *)": "day-of-month '0': allowed are 1-31 with , - * / ? L W",
    "cron(0 3 32W * ? *)": "day-of-month '32W': allowed are 1-31 with , - * / ? L W",
    "cron(0 3 L,1 * ? *)": "day-of-month 'L' in 'L,1': allowed are 1-31 with , - * / ? L W",
    "cron(0 3 1 13 ? *)": "month '13': allowed are 1-12 or JAN-DEC with , - * /",
    "cron(0 3 1 jan ? *)": "month 'jan': allowed are 1-12 or JAN-DEC with , - * /",
    "cron(0 3 ? * 0 *)": "day-of-week '0': allowed are 1-7 or SUN-SAT with , - * ? L #",
    "cron(0 3 ? * MON#6 *)": "day-of-week 'MON#6': allowed are 1-7 or SUN-SAT with , - * ? L #",
    "cron(0 3 ? * 3#1,6#3 *)": "day-of-week '3#1' in '3#1,6#3': allowed are 1-7 or SUN-SAT with , - * ? L #",
    "cron(0 3 ? * 2/2 *)": "day-of-week '2/2': allowed are 1-7 or SUN-SAT with , - * ? L #",
    "cron(0 3 ? * SUNDAY *)": "day-of-week 'SUNDAY': allowed are 1-7 or SUN-SAT with , - * ? L #",
    "cron(0 3 * * ? 1969)": "year '1969': allowed are 1970-2199 with , - * /",
    "cron(0/0 3 * * ? *)": "minutes '0' in '0/0': allowed are 0-59 with , - * /",
    "cron(0,, 3 * * ? *)": "minutes '' in '0,,': allowed are 0-59 with , - * /",
    "cron(60 24 * * ? *)": "minutes '60': allowed are 0-59 with , - * /; hours '24': allowed are 0-23 with , - * /",
    "cron(0 3 29 FEB ? 2025,2027)": "never runs: there is no such day in these years",
    "cron(0 3 31 FEB,APR ? *)": "never runs: there is no such day in these months",
    "rate(1 days)": "write rate(1 day)",
    "rate(2 day)": "write rate(2 days)",
    "rate(0 days)": "must be rate(value unit) with a whole number and minutes, hours or days",
    "rate(1.5 hours)": "must be rate(value unit) with a whole number and minutes, hours or days",
    "rate(30 seconds)": "must be rate(value unit) with a whole number and minutes, hours or days",
    "rate(2 weeks)": "must be rate(value unit) with a whole number and minutes, hours or days",
    "at(2026-12-01 03:15)": "must be at(yyyy-mm-ddThh:mm:ss), local time, without a zone or Z",
    "at(2026-12-01T03:15:00Z)": "must be at(yyyy-mm-ddThh:mm:ss), local time, without a zone or Z",
    "at(2026-02-30T03:15:00)": "there is no such time: day is out of range for month",
}


def test_error_says_what_is_allowed() -> None:
    assert {expression: rejection(expression) for expression in REJECTED} == REJECTED


def test_other_text_is_told_the_three_forms() -> None:
    for expression in ("", "15 3 * * ? *", "cron 15 3 * * ? *", "Cron(0 3 * * ? *)", "rate(1 day)\n"):
        assert rejection(expression) == f"must be {FORMS}"


def test_expression_is_rejected_when_it_is_too_long() -> None:
    minutes = ",".join(map(str, range(60)))
    assert parse_schedule(f"cron({minutes} {','.join(map(str, range(24)))} * * ? *)")
    assert rejection(f"cron({minutes} {','.join(map(str, range(24)))} {','.join(map(str, range(1, 16)))} * ? *)") == (
        "has 279 characters, at most 256 are allowed: write ranges"
    )


@given(
    st.sampled_from(["cron({})", "rate({})", "at({})", "{}"]),
    st.lists(st.text("0123456789*?/,-LW#TMON SUN", max_size=6), max_size=7),
)
def test_any_text_is_accepted_or_rejected(form: str, words: list[str]) -> None:
    with contextlib.suppress(InvalidScheduleError):
        assert parse_schedule(form.format(" ".join(words))).minutes <= set(range(60))


@given(st.lists(st.integers(0, 59), min_size=1), st.lists(st.integers(0, 23), min_size=1))
def test_gap_is_the_longest_wait_on_a_clock(minutes: list[int], hours: list[int]) -> None:
    expression = f"cron({','.join(map(str, minutes))} {','.join(map(str, hours))} * * ? *)"
    runs = {60 * hour + minute for hour in hours for minute in minutes}
    waits, wait = set(), 0
    for minute in range(max(runs) + 1, max(runs) + 1441):
        wait += 1
        if minute % 1440 in runs:
            waits.add(wait)
            wait = 0
    assert parse_schedule(expression).longest_gap == timedelta(minutes=max(waits))


@pytest.mark.parametrize(
    ("expression", "timezone", "next_run"),
    [
        ("cron(15 3 * * ? *)", "UTC", "2026-03-28T03:15"),
        ("cron(15 3,22 * * ? *)", "UTC", "2026-03-27T22:15"),
        ("cron(15 3 * * ? *)", "Asia/Tokyo", "2026-03-27T18:15"),
        ("cron(15 3 ? * SUN *)", "Europe/Berlin", "2026-03-29T01:15"),  # the clocks go forward at 02:00
        ("cron(0 3 ? * MON-FRI *)", "UTC", "2026-03-30T03:00"),
        ("cron(0 12 27 3 ? *)", "UTC", "2027-03-27T12:00"),
        ("cron(0 3 29 2 ? *)", "UTC", "2028-02-29T03:00"),
        ("at(2026-12-01T03:15:00)", "Europe/Berlin", "2026-12-01T02:15"),
        ("at(2026-01-01T03:15:00)", "UTC", None),
        ("rate(1 day)", "UTC", None),
        ("cron(0 3 L * ? *)", "UTC", None),
        ("cron(0 3 * * ? 2030)", "UTC", None),
    ],
)
def test_next_run_is_after_the_moment(expression: str, timezone: str, next_run: str | None) -> None:
    after = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
    found = parse_schedule(expression).next_run(after, timezone)
    assert found == (datetime.fromisoformat(f"{next_run}:00+00:00") if next_run else None)
