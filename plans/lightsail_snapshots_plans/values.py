"""The single values of `plans.toml`: each function returns the value, typed, or raises InvalidValueError."""

import difflib
import functools
import re
import zoneinfo
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import botocore.session

from lightsail_snapshots import reader
from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.naming import MAX_OTHER_TAGS, MAX_TAGS, is_reserved_key, tag_problems
from lightsail_snapshots.reader import parse_duration, region_of_zone
from lightsail_snapshots.selection import Select, parse_select
from lightsail_snapshots_plans.event_pattern import could_match, pattern_problems
from lightsail_snapshots_plans.file import InvalidValueError
from lightsail_snapshots_plans.schedule_expression import InvalidScheduleError, Schedule, parse_schedule

MAX_FLEXIBLE_WINDOW = 1440
"""Minutes: EventBridge Scheduler API reference, FlexibleTimeWindow."""
MAX_TIMEZONE = 50
"""Characters: EventBridge Scheduler API reference, CreateSchedule."""

_ADDRESS = re.compile(r"[^@\s<>,;\"()]+@[^@\s<>,;\"()]+\.[^@\s<>,;\"().]+")
_NOT_ZONES = {"Factory", "localtime"}
"""In some machines' data, and no names of the IANA database that EventBridge Scheduler takes."""
_OUR_CALLS = ("CreateInstanceSnapshot", "CopySnapshot", "TagResource", "DeleteInstanceSnapshot")
_OUR_EVENTS: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    (
        f'our own events, of source "{SOURCE}"',
        {"source": SOURCE},
        'pin source to what is to trigger the plan, such as source = ["aws.codepipeline"]',
    ),
    *(
        (
            f"CloudTrail's event of our own call {call}",
            {"source": "aws.lightsail", "detail-type": "AWS API Call via CloudTrail", "detail": {"eventName": call}},
            "pin source to something else, or detail.eventName to the calls that are to trigger the plan",
        )
        for call in _OUR_CALLS
    ),
    (
        "the event that AWS itself sends about the tags of our own snapshots",
        {"source": "aws.tag", "detail": {"service": "lightsail", "resource-type": "InstanceSnapshot"}},
        "pin source to something else, or detail.resource-type",
    ),
)
"""What the plan's own run would cause, as far as it is known beforehand; and how a pattern keeps clear of it."""


def refuse(text: str) -> InvalidValueError:
    """Build the error of a value that has one problem."""
    return InvalidValueError(((), text))


def text(value: Any) -> str:
    """Take a text that is not empty."""
    if not isinstance(value, str) or not value:
        raise refuse("must be text in quotes")
    return value


def flag(value: Any) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise refuse("must be true or false, without quotes")
    return value


def whole_number(low: int, high: int | None = None) -> Callable[[Any], int]:
    """Make the check of a whole number of at least `low`, and at most `high` where there is one."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < low or (high is not None and value > high):
            raise refuse(
                f"must be a whole number, {low} or more"
                if high is None
                else f"must be a whole number from {low} to {high}"
            )
        return value

    return check


def texts(check: Callable[[str], None], example: str) -> Callable[[Any], tuple[str, ...]]:
    """Make the check of a list of texts that is not empty and repeats none; `check` looks at each."""

    def check_all(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not value or not all(isinstance(entry, str) for entry in value):
            raise refuse(f"must be a list of text in quotes, such as {example}")
        problems = [f"{entry} is listed twice" for entry in dict.fromkeys(value) if value.count(entry) > 1]
        for entry in dict.fromkeys(value):
            try:
                check(entry)
            except InvalidValueError as error:
                problems.append(str(error))
        if problems:
            raise InvalidValueError(*(((), problem) for problem in problems))
        return tuple(value)

    return check_all


def schedule(value: Any) -> Schedule:
    """Take an expression that EventBridge Scheduler accepts."""
    try:
        return parse_schedule(text(value))
    except InvalidScheduleError as error:
        raise refuse(str(error)) from error


def recurring_schedule(value: Any) -> Schedule:
    """Take a schedule that comes again and again."""
    parsed = schedule(value)
    if parsed.last_day is not None:
        raise refuse("must come again and again: rate(...), or cron(...) with * as its year")
    return parsed


def timezone(value: Any) -> str:
    """Take the name of a zone of the IANA database, as EventBridge Scheduler does."""
    name = text(value)
    zones = zoneinfo.available_timezones() - _NOT_ZONES
    if not zones:
        raise refuse(
            "cannot be checked: this machine has no time zone database; install one with "
            "`pip install tzdata` or your system's package tzdata"
        )
    if name not in zones or len(name) > MAX_TIMEZONE:
        by_lower = {zone.lower(): zone for zone in zones}
        near = difflib.get_close_matches(name.lower(), by_lower, n=1)
        hint = f"did you mean {by_lower[near[0]]}?" if near else "names are like Europe/Berlin, America/New_York, UTC"
        raise refuse(f"is no time zone of the IANA database; {hint}")
    return name


@functools.cache
def lightsail_regions() -> tuple[str, ...]:
    """Return the Regions where Lightsail has an endpoint; botocore's enum of names also has one without (us-west-1)."""
    return tuple(sorted(botocore.session.Session().get_available_regions("lightsail")))


def _region(name: str) -> None:
    known = lightsail_regions()
    if name in known:
        return
    region = region_of_zone(name)
    if region in known:
        raise refuse(f"{name} is an Availability Zone; the Region is {region}")
    is_region = name in botocore.session.Session().get_available_regions("ec2")
    near = [] if is_region else difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    hint = f"did you mean {near[0]}?" if near else f"Lightsail is in {', '.join(known)}"
    raise refuse(f"{name} is {'a Region without' if is_region else 'no Region of'} Lightsail; {hint}")


def _address(address: str) -> None:
    if not _ADDRESS.fullmatch(address):
        raise refuse(f"{address!r} is no e-mail address; one looks like ops@example.com")


def _account(number: str) -> None:
    if not re.fullmatch(r"[0-9]{12}", number):
        raise refuse(f"{number!r} is no AWS account; one is 12 digits in quotes")


regions = texts(_region, '["eu-central-1"]')
addresses = texts(_address, '["ops@example.com"]')
accounts = texts(_account, '["111122223333"]')


def duration(value: Any) -> timedelta:
    """Take a duration of a fixed length."""
    try:
        return parse_duration(text(value))
    except ValueError as error:
        raise refuse(str(error)) from error


def day_within(today: date, days: int) -> Callable[[Any], date]:
    """Make the check of a date, in quotes or not, that lies at most so many days after today."""

    def check(value: Any) -> date:
        try:
            day = date.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            day = None
        if not isinstance(day, date) or isinstance(day, datetime):
            raise refuse("must be a date such as 2026-12-01")
        if day > today + timedelta(days=days):
            raise refuse(f"must not be more than {days} days ahead: {today + timedelta(days=days)} at the latest")
        return day

    return check


def tags(value: Any) -> Mapping[str, str]:
    """Take tags that Lightsail accepts, leaving room for our own."""
    if not isinstance(value, Mapping) or not value:
        raise refuse('must be a table of tags, such as { cost-center = "web" }')
    problems: list[tuple[tuple[str, ...], str]] = []
    if len(value) > MAX_OTHER_TAGS:
        problems.append(
            ((), f"has {len(value)} tags, allowed are {MAX_OTHER_TAGS}: Lightsail takes {MAX_TAGS}, the rest are ours")
        )
    for key, content in value.items():
        if is_reserved_key(key):
            problems.append(((key,), "is reserved for lightsail-snapshots"))
        if not isinstance(content, str):
            problems.append(((key,), "must be text in quotes"))
        else:
            problems += [((key,), problem) for problem in tag_problems(key, content)]
    if problems:
        raise InvalidValueError(*problems)
    return dict(value)


def select(value: Any) -> Select:
    """Take a selection that could select an instance."""
    try:
        return parse_select(value)
    except reader.InvalidValueError as error:
        found = [(tuple(part for part in path if isinstance(part, str)), text) for path, text in error.problems]
        raise InvalidValueError(*found) from error


def event_pattern(value: Any) -> Mapping[str, Any]:
    """Take an event pattern that EventBridge accepts and that our own work cannot set off again."""
    if not isinstance(value, Mapping):
        raise refuse('must be an event pattern, such as { source = ["aws.codepipeline"] }')
    if problems := pattern_problems(value):
        raise InvalidValueError(*problems)
    for what, event, remedy in _OUR_EVENTS:
        if could_match(value, event):
            raise refuse(f"would match {what}, so that the plan would set itself off for ever; {remedy}")
    return value
