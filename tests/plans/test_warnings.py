"""Values of plans.toml that are allowed and probably a mistake, and the warning for each."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.plan_text import plan_toml, read

NOTIFY = 'notify = ["ops@example.com"]\n'
SOUND = {"max_age": '"26h"'}


def warnings_of(directory: Path, text: str) -> list[tuple[str, str]]:
    return [(".".join(warning.path), warning.text) for warning in read(directory, NOTIFY + text).warnings]


def plan_warnings(directory: Path, **changes: str | None) -> list[tuple[str, str]]:
    """Return the warnings for a sound plan with changes; their keys are the plan's."""
    found = warnings_of(directory, plan_toml(**SOUND | changes))
    return [(key.removeprefix("plans.daily").removeprefix("."), text) for key, text in found]


def selected(select: str) -> dict[str, str | None]:
    return {"select": select}


NAMES = "names hold letters, digits, - _ . and begin and end with a letter, a digit or _"
SUSPICIOUS: Mapping[str, tuple[dict[str, str | None], str, str]] = {
    "max_age of a day": (
        {"max_age": '"24h"'},
        "max_age",
        "runs are up to 24 hours apart: instances will be overdue between them",
    ),
    "max_age shorter than a weekend": (
        {"schedule": '"cron(0 3 ? * MON-FRI *)"'},
        "max_age",
        "runs are up to 72 hours apart: instances will be overdue between them",
    ),
    "no max_age": (
        {"max_age": None},
        "max_age",
        "is not set, so nobody is notified if the plan's snapshots stop: set it to more than 24 hours",
    ),
    "no max_age at unknown intervals": (
        {"max_age": None, "schedule": '"cron(0 3 L * ? *)"'},
        "max_age",
        "is not set, so nobody is notified if the plan's snapshots stop: set it",
    ),
    "max_age of a plan that only has on": (
        {"schedule": None, "on": '{ source = ["ci"] }'},
        "max_age",
        "the plan has no schedule: instances will be overdue if no event triggers it in time",
    ),
    "confirmed rules that are not those of keep": (
        {"keep_confirmed": '"last=30"'},
        "keep_confirmed",
        "has no effect: keep has other rules (last=7)",
    ),
    "snapshots that stay forever": (
        {"keep": None},
        "",
        "its snapshots are never deleted: it has neither keep nor keep_for",
    ),
    "name that is negated": (
        selected('{ names = ["!web-*"] }'),
        "select.names",
        '"!web-*" matches no name: to leave out web-*, set exclude = ["web-*"]',
    ),
    "exclude that is negated": (
        selected('{ all = true, exclude = ["!shop-*"] }'),
        "select.exclude",
        '"!shop-*" matches no name, so it excludes nothing: to select only shop-*, set names = ["shop-*"]',
    ),
    "exclude with an odd end": (
        selected('{ all = true, exclude = ["web-"] }'),
        "select.exclude",
        f'"web-" matches no name, so it excludes nothing: {NAMES}',
    ),
    "empty brackets": (selected('{ names = ["web[]"] }'), "select.names", f'"web[]" matches no name: {NAMES}'),
    "brackets without a legal character": (
        selected('{ names = ["web[*?]"] }'),
        "select.names",
        f'"web[*?]" matches no name: {NAMES}',
    ),
    "name with an odd beginning": (
        selected('{ names = ["-web"] }'),
        "select.names",
        f'"-web" matches no name: {NAMES}',
    ),
    "value that is negated": (
        selected('{ tags = { backup = "!no" } }'),
        "select.tags.backup",
        '"!no" matches no value: a glob cannot negate, so tag the instances that you mean',
    ),
    "value with empty brackets": (
        selected('{ tags = { backup = "daily[]" } }'),
        "select.tags.backup",
        '"daily[]" matches no value: check it',
    ),
    "excluded value that is negated": (
        selected('{ all = true, exclude_tags = { backup = "!no" } }'),
        "select.exclude_tags.backup",
        '"!no" matches no value, so it excludes none: a glob cannot negate, so tag the instances that you mean',
    ),
    "exclude of everything": (
        selected('{ tags = { backup = "daily" }, exclude = ["**"] }'),
        "select.exclude",
        '"**" excludes everything',
    ),
    "tag that exclude_tags covers": (
        selected('{ tags = { backup = "daily" }, exclude_tags = { backup = "*" } }'),
        "select.exclude_tags.backup",
        '"*" excludes everything that "daily" of tags selects',
    ),
    "name that exclude covers": (
        selected('{ names = ["db", "web-1"], exclude = ["web-*"] }'),
        "select.exclude",
        '"web-*" excludes everything that "web-1" of names selects',
    ),
    "glob that exclude covers": (
        selected('{ names = ["web-1?", "db"], exclude = ["web-*"] }'),
        "select.exclude",
        '"web-*" excludes everything that "web-1?" of names selects',
    ),
}


def test_suspicious_value_is_a_warning(tmp_path: Path) -> None:
    found = {name: plan_warnings(tmp_path, **changes) for name, (changes, _, _) in SUSPICIOUS.items()}
    assert found == {name: [(key, text)] for name, (_, key, text) in SUSPICIOUS.items()}


USUAL: Mapping[str, dict[str, str | None]] = {
    "plan": {},
    "event without max_age": {"schedule": None, "on": '{ source = ["ci"] }', "max_age": None},
    "single run without max_age": {"schedule": '"at(2026-12-24T18:00:00)"', "max_age": None},
    "plan that is off without max_age": {"enabled": "false", "max_age": None},
    "globs": selected('{ names = ["*", "*-*", "[!a]b", "x[]a]", "web-?", "[a-c]*z"] }'),
    "tags": selected('{ tags = { backup = "*", env = "prod*", size = "gr[!a]ß", empty = "" } }'),
    "exclude_tags that leaves some": selected('{ tags = { a = "*" }, exclude_tags = { a = "x*", b = "*" } }'),
    "exclude that leaves some": selected('{ names = ["web-*"], exclude = ["web-1", "web-?", "web-[0-9]*"] }'),
}


def test_usual_value_gives_no_warning(tmp_path: Path) -> None:
    found = {name: plan_warnings(tmp_path, **changes) for name, changes in USUAL.items()}
    assert [name for name, warnings in found.items() if warnings] == []


@pytest.mark.parametrize(
    ("timezone", "at", "hours", "day"),
    [
        ("Europe/Berlin", "30 2", 47, "2027-03-28"),
        ("Europe/Lisbon", "30 1", 47, "2027-03-28"),
        ("Africa/Cairo", "30 0", 47, "2027-04-30"),
        ("America/Santiago", "0 0", 47, "2027-09-05"),
        ("Australia/Lord_Howe", "15 2", 47.5, "2027-10-03"),
    ],
)
def test_run_that_a_clock_change_skips_is_a_warning(
    timezone: str, at: str, hours: float, day: str, tmp_path: Path
) -> None:
    plan = {"schedule": f'"cron({at} * * ? *)"', "timezone": f'"{timezone}"'}
    minute, hour = map(int, at.split())
    text = (
        f"runs are {hours:g} hours apart at the clock change of {day}, which skips the run at {hour:02}:{minute:02}: "
        "instances will be overdue"
    )
    assert plan_warnings(tmp_path, **plan) == [("max_age", text)]
    assert plan_warnings(tmp_path, **plan, max_age='"48h"') == []
    assert plan_warnings(tmp_path, **plan | {"timezone": '"UTC"'}) == []


def test_clock_change_that_skips_one_of_several_runs_counts_the_others(tmp_path: Path) -> None:
    plan = {"schedule": '"cron(30 2,14 * * ? *)"', "timezone": '"Europe/Berlin"'}
    assert plan_warnings(tmp_path, **plan, max_age='"24h"') == []
    assert plan_warnings(tmp_path, **plan, max_age='"20h"') == [
        (
            "max_age",
            "runs are 23 hours apart at the clock change of 2027-03-28, which skips the run at 02:30: "
            "instances will be overdue",
        )
    ]


def test_day_of_25_hours_is_a_warning_if_max_age_is_shorter(tmp_path: Path) -> None:
    assert plan_warnings(tmp_path, timezone='"Europe/Berlin"', max_age='"25h"') == [
        ("max_age", "runs are 25 hours apart at the clock change of 2027-10-31: instances will be overdue")
    ]


def test_clock_change_on_a_day_without_a_run_skips_none(tmp_path: Path) -> None:
    plan = {"timezone": '"Europe/Berlin"', "max_age": '"73h"'}  # the clock changes on Sundays
    assert plan_warnings(tmp_path, **plan, schedule='"cron(30 2 ? * MON-SAT *)"') == []
    assert plan_warnings(tmp_path, **plan, schedule='"cron(30 2 ? * 1,3,5,7 *)"') == []
    assert plan_warnings(tmp_path, **plan, schedule='"cron(30 2 ? * 1,4,6 *)"') == [
        (
            "max_age",
            "runs are 119 hours apart at the clock change of 2027-03-28, which skips the run at 02:30: "
            "instances will be overdue",
        )
    ]


def test_file_without_notify_is_a_warning(tmp_path: Path) -> None:
    (warning,) = read(tmp_path, plan_toml(**SOUND)).warnings
    assert str(warning) == (
        "plans.toml: notify\n"
        "    is not set, so nobody is notified of overdue instances and of failures: above the first table\n"
        '    header, set notify = ["you@example.com"]'
    )


def test_chat_without_notify_is_a_warning(tmp_path: Path) -> None:
    chat = 'chat = { webhook_parameter = "/lightsail-snapshots/chat" }\n'
    (warning,) = read(tmp_path, chat + plan_toml(**SOUND)).warnings
    assert "nobody is notified if the chat fails" in " ".join(str(warning).split())


@pytest.mark.parametrize(
    ("audits", "gap"), [("rate(27 hours)", 27), ("rate(26 hours)", 26), ("cron(0 3 L * ? *)", 672)]
)
def test_audits_farther_apart_than_the_smallest_max_age_are_a_warning(audits: str, gap: int, tmp_path: Path) -> None:
    plans = plan_toml(max_age='"40h"').replace("daily", "other") + plan_toml(**SOUND)
    expected = (
        f"audits are up to {gap} hours apart, and max_age of daily is 26 hours: overdue instances are reported late"
    )
    found = warnings_of(tmp_path, f'audit_schedule = "{audits}"\n{plans}')
    assert found == ([("audit_schedule", expected)] if gap > 26 else [])


def test_warning_is_printed_like_a_problem(tmp_path: Path) -> None:
    text = f'{NOTIFY}prune_schedule = "cron(15 * * * ? *)"\n{plan_toml(**SOUND)}'
    (warning,) = read(tmp_path, text).warnings
    assert str(warning) == (
        'plans.toml:4: plans.daily.schedule = "cron(15 3 * * ? *)"\n'
        "    shares a minute of the hour with prune_schedule, in UTC: choose another one"
    )
