"""The keep rules of a plan, read as restic's `forget` reads them: which moments they keep, and why.

"For the last n weeks that have one, keep the newest": periods without a snapshot are not counted, so a missed Sunday
costs nothing. A snapshot stays if any rule keeps it. Unlike restic, the oldest snapshot gets no place of its own while
a rule has places left, so that the sentence above is the whole rule.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import tee
from typing import Any

from lightsail_snapshots.reader import (
    InvalidValueError,
    Reader,
    format_duration,
    format_value,
    invalid,
    parse_duration,
    read_duration,
    read_number,
    read_object,
)

KEEP_ALL = "all"
"""What the tag `snapshot-keep` says of a snapshot whose plan had no keep rules."""

PERIODS: Mapping[str, Callable[[date], Hashable]] = {
    "daily": lambda day: day,
    "weekly": lambda day: day.isocalendar()[:2],
    "monthly": lambda day: (day.year, day.month),
    "yearly": lambda day: day.year,
}
"""For each rule that counts days or longer periods: what two days of the same period have in common."""


@dataclass(frozen=True, kw_only=True)
class Keep:
    """How many snapshots of one instance each rule keeps; a rule that is 0 keeps none."""

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    within: timedelta = timedelta(0)
    """Keeps all that are less than this older than the newest snapshot. Not older than now: if no new snapshots come,
    the old ones stay."""

    def __bool__(self) -> bool:
        """Whether there is any rule at all: a plan without rules keeps everything."""
        return self != _NO_RULES

    def as_detail(self) -> dict[str, int | str]:
        """Return the rules that are set, as JSON."""
        rules = {each.name: getattr(self, each.name) for each in fields(self)}
        return {rule: _as_json(value) for rule, value in rules.items() if value}


def _as_json(value: int | timedelta) -> int | str:
    return format_duration(value) if isinstance(value, timedelta) else value


_NO_RULES = Keep()
_MOST = 10**9 - 1
_RULES = tuple(each.name for each in fields(Keep))


def format_keep_tag(keep: Keep | None) -> str:
    """Write the rules that are set, as `last=7 weekly=4 within=P3D`; None, which keeps everything, is `all`."""
    return " ".join(f"{rule}={value}" for rule, value in keep.as_detail().items()) if keep else KEEP_ALL


@lru_cache
def parse_keep_tag(text: str | None) -> Keep | None:
    """Read the tag `snapshot-keep`; None, which keeps everything, if it is `all`, missing or cannot be read."""
    try:
        return parse_keep(text or KEEP_ALL)
    except ValueError:
        return None


def parse_keep(text: str) -> Keep:
    """Read rules such as `last=7 weekly=4 within=P3D`, in any order; raise ValueError for anything else."""
    rules: dict[str, Any] = {}
    for part in text.split():
        rule, _, value = part.partition("=")
        if rule not in _RULES or rule in rules:
            raise ValueError(f"must be keep rules such as last=7 weekly=4 within=P3D, not {text!r:.80}")
        rules[rule] = parse_duration(value) if rule == "within" else _parse_count(value)
    keep = Keep(**rules)
    if not keep:
        raise ValueError(f"must have at least one rule above 0, such as last=7, not {text!r:.80}")
    return keep


def _parse_count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValueError(f"must have whole numbers such as last=7, not {text!r:.80}")
    return int(text)


def _read_count(value: object) -> int:
    if not 0 <= (count := read_number(value)) <= _MOST:
        raise invalid(f"must be at least 0 and at most {_MOST}, not {format_value(count)}")
    return count


def read_keep(value: object) -> Keep:
    """Read what `as_detail` wrote; raise InvalidValueError for anything else."""
    reader = Reader(read_object(value))
    rules: dict[str, Any] = {
        rule: reader.take(rule, read_duration if rule == "within" else _read_count) for rule in _RULES
    }
    reader.reject_unknown()
    if reader.problems:
        raise InvalidValueError(*reader.problems)
    keep = Keep(**{rule: value for rule, value in rules.items() if value is not None})
    if not keep:
        raise invalid("must have at least one rule above 0, such as last = 7")
    return keep


def confirmation(keep: Keep) -> str:
    """Return the line of plans.toml that applies tightened rules at once."""
    return f'keep_confirmed = "{format_keep_tag(keep)}"'


def apply_keep_rules(taken: Sequence[datetime], keep: Keep, zone: tzinfo) -> list[str]:
    """Say for each moment which rules keep it: `last 3 of 7, weekly 1 of 4`, or an empty text if none does.

    `taken` are moments in UTC, newest first; `zone` is whose hours, days, weeks, months and years are counted.
    """
    reasons: list[tuple[str, ...]] = [()] * len(taken)
    for rule, kept in _kept_by_counting(taken, keep, zone):
        for place, index in enumerate(kept, start=1):
            reasons[index] += (_place(rule, place, getattr(keep, rule)),)
    within = f"within {str(keep.within).removesuffix(', 0:00:00')} of the newest"
    for index, moment in enumerate(taken):
        if moment <= taken[0] - keep.within:
            break
        reasons[index] += (within,)
    return [_joined(each) if each else "" for each in reasons]


def _kept_by_counting(taken: Sequence[datetime], keep: Keep, zone: tzinfo) -> Iterator[tuple[str, Sequence[int]]]:
    """Return for each rule but `within` where the moments stand that it keeps, newest first."""
    yield "last", range(min(keep.last, len(taken)))
    if not any((keep.hourly, keep.daily, keep.weekly, keep.monthly, keep.yearly)):
        return
    for_hours, for_days = tee(enumerate(moment.astimezone(zone) for moment in taken))
    # `fold` tells apart the two hours that the clock shows as one when it goes back.
    hours = ((index, (moment.date(), moment.hour, moment.fold)) for index, moment in for_hours)
    yield "hourly", _newest_of_each(hours, keep.hourly)
    for (rule, period), days in zip(PERIODS.items(), tee(_newest_of_days(for_days), len(PERIODS)), strict=True):
        yield rule, _newest_of_each(((index, period(day)) for index, day in days), getattr(keep, rule))


def _newest_of_days(moments: Iterable[tuple[int, datetime]]) -> Iterator[tuple[int, date]]:
    """Yield each day, and where its newest moment is."""
    seen = set()
    for index, moment in moments:
        day = moment.date()
        if day not in seen:
            seen.add(day)
            yield index, day


def _newest_of_each(periods: Iterable[tuple[int, Hashable]], count: int) -> list[int]:
    """Return where each of the first `count` different periods comes first, and look no further."""
    newest: dict[Hashable, int] = {}
    for index, period in periods:
        if len(newest) >= count:
            break
        newest.setdefault(period, index)
    return list(newest.values())


# The instances of a fleet share these texts: 280,000 of their own would need too much memory.


@lru_cache(maxsize=4096)
def _place(rule: str, place: int, count: int) -> str:
    return f"{rule} {place} of {count}"


@lru_cache(maxsize=4096)
def _joined(rules: tuple[str, ...]) -> str:
    return ", ".join(rules)
