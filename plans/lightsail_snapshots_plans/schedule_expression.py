"""EventBridge Scheduler's schedule expressions: which are valid, and how far apart their runs are.

The rules are those of the Scheduler user guide, "Schedule types". It says nothing of some forms that Scheduler may
accept: a step in day-of-week, names in lower case, L-3. They are rejected, since a list says the same for certain.
Why this is not a library: docs/decisions/0005-our-own-cron-parser.md.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

MAX_EXPRESSION = 256
"""Characters: EventBridge Scheduler API reference, CreateSchedule."""
FORMS = "cron(minutes hours day-of-month month day-of-week year), rate(value unit) or at(yyyy-mm-ddThh:mm:ss)"

_FORM = re.compile(r"(cron|rate|at)\((.*)\)")
_RATE = re.compile(r"([1-9][0-9]*) (minute|hour|day)(s?)")
_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
_ITEM = re.compile(r"(?:(?P<every>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\w+))?")
_MINUTES_OF_A_DAY = 24 * 60
_DAYS_OF_EIGHT_YEARS = 8 * 366
"""The longest wait for a 29 February, when a century has no leap year."""


class InvalidScheduleError(ValueError):
    """Raised for an expression that EventBridge Scheduler would reject, or that never runs."""


@dataclass(frozen=True)
class Days:
    """The days on which a cron expression without L, W and # runs; it has days of the month or of the week."""

    months: frozenset[int]
    of_month: frozenset[int] | None
    of_week: frozenset[int] | None
    """From 1, Sunday, to 7."""

    def __contains__(self, day: date) -> bool:
        """Tell whether it runs on this day, of any year."""
        if day.month not in self.months:
            return False
        return day.day in self.of_month if self.of_month else day.isoweekday() % 7 + 1 in (self.of_week or ())

    def within(self, first: date, last: date) -> list[date]:
        """Return the days of this time on which it runs, in order."""
        days = (first + timedelta(number) for number in range((last - first).days + 1))
        return [day for day in days if day in self]


@dataclass(frozen=True)
class Schedule:
    """When an expression runs."""

    minutes: frozenset[int]
    """Minutes of the hour; empty for rate(...), which starts when it is deployed."""
    longest_gap: timedelta | None
    """The longest time between two runs, on days of 24 hours; None for at(...), L, W, # and for some years only."""
    last_run: datetime | None = None
    """In its own time zone; None: it runs forever. For L, W and # the end of the last year."""
    times: tuple[int, ...] = ()
    """Minutes of the day on which cron(...) starts, in order."""
    days: Days | None = None
    """On which cron(...) starts; None for L, W and #."""

    def next_run(self, after: datetime, timezone: str) -> datetime | None:
        """Return when cron(...) or at(...) starts next, in UTC.

        None: never again, or it cannot be told, as for rate(...), L, W, # and a cron of some years only.
        """
        zone = ZoneInfo(timezone)
        if self.days is None or self.longest_gap is None:
            once = self.last_run.replace(tzinfo=zone).astimezone(UTC) if self.last_run and not self.times else None
            return once if once and once > after else None
        today = after.astimezone(zone).date()
        for ahead in range(_DAYS_OF_EIGHT_YEARS):
            if (day := today + timedelta(days=ahead)) in self.days:
                starts = (datetime.combine(day, time(*divmod(at, 60)), zone).astimezone(UTC) for at in self.times)
                if found := next((start for start in starts if start > after), None):
                    return found
        return None

    def minutes_in_utc(self, timezone: str, year: int) -> frozenset[int]:
        """Return the minutes of the hour in UTC: not every time zone is whole hours from it."""
        zone = ZoneInfo(timezone)
        offsets = [datetime(year, month, 1, tzinfo=zone).utcoffset() or timedelta(0) for month in (1, 7)]
        return frozenset(
            (minute - offset // timedelta(minutes=1)) % 60 for minute in self.minutes for offset in offsets
        )


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    alone: str = r"(?!)"
    """Pattern of the forms that stand alone in the field; nothing by default."""
    steps: bool = True
    wraps: bool = True

    def parse(self, text: str) -> frozenset[int] | None:
        """Return the values that the text stands for; None for a form that stands alone."""
        if re.fullmatch(self.alone, text):
            return None
        return frozenset().union(*(self._item(item, text) for item in text.split(",")))

    def _item(self, item: str, text: str) -> list[int]:
        match = _ITEM.fullmatch(item)
        if match is None or (match["step"] and not self.steps):
            raise self._invalid(item, text)
        step = self._number(match["step"], text, low=1) if match["step"] else 1
        first = self.low if match["every"] else self._number(match["first"], text)
        open_end = self.high if match["every"] or match["step"] else first
        last = self._number(match["last"], text) if match["last"] else open_end
        if last < first and not self.wraps:
            raise self._invalid(item, text)
        count = self.high - self.low + 1
        return [self.low + (first - self.low + ahead) % count for ahead in range(0, (last - first) % count + 1, step)]

    def _number(self, word: str, text: str, low: int | None = None) -> int:
        if word in self.names:
            return self.low + self.names.index(word)
        least = self.low if low is None else low
        if not re.fullmatch(r"[0-9]{1,4}", word) or not least <= int(word) <= self.high:
            raise self._invalid(word, text)
        return int(word)

    def _invalid(self, word: str, text: str) -> InvalidScheduleError:
        values = f"{self.low}-{self.high}" + (f" or {self.names[0]}-{self.names[-1]}" if self.names else "")
        marks = ", - *" + (" /" if self.steps else "")
        special = {"day-of-month": " ? L W", "day-of-week": " ? L #"}.get(self.name, "")
        where = "" if word == text else f" in {text!r}"
        return InvalidScheduleError(f"{self.name} {word!r}{where}: allowed are {values} with {marks}{special}")


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day-of-month", 1, 31, alone=r"\?|L|LW|([1-9]|[12][0-9]|3[01])W"),
    _Field("month", 1, 12, _MONTHS),
    _Field("day-of-week", 1, 7, _DAYS, alone=rf"\?|L|([1-7]|{'|'.join(_DAYS)})(L|#[1-5])", steps=False),
    _Field("year", 1970, 2199, wraps=False),
)


@cache
def parse_schedule(expression: str) -> Schedule:
    """Read an expression; raise InvalidScheduleError with what is wrong and what is allowed."""
    if len(expression) > MAX_EXPRESSION:
        raise InvalidScheduleError(
            f"has {len(expression)} characters, at most {MAX_EXPRESSION} are allowed: write ranges"
        )
    match = _FORM.fullmatch(expression)
    if match is None:
        raise InvalidScheduleError(f"must be {FORMS}")
    return {"cron": _cron, "rate": _rate, "at": _at}[match[1]](match[2])


def _rate(text: str) -> Schedule:
    match = _RATE.fullmatch(text)
    if match is None:
        raise InvalidScheduleError("must be rate(value unit) with a whole number and minutes, hours or days")
    value, unit = int(match[1]), match[2]
    if (value == 1) == bool(match[3]):
        raise InvalidScheduleError(f"write rate({value} {unit if value == 1 else unit + 's'})")
    minutes = value * {"minute": 1, "hour": 60, "day": _MINUTES_OF_A_DAY}[unit]
    return Schedule(frozenset(), timedelta(minutes=min(minutes, 10**9)))


def _at(text: str) -> Schedule:
    try:
        once = datetime.fromisoformat(text) if _AT.fullmatch(text) else None
    except ValueError as error:
        raise InvalidScheduleError(f"there is no such time: {error}") from error
    if once is None:
        raise InvalidScheduleError("must be at(yyyy-mm-ddThh:mm:ss), local time, without a zone or Z")
    return Schedule(frozenset({once.minute}), None, once)


def _cron(text: str) -> Schedule:
    words = text.split()
    if len(words) != len(_FIELDS):
        names = " ".join(field.name for field in _FIELDS)
        raise InvalidScheduleError(f"has {len(words)} fields, six are needed: {names}")
    if (words[2] == "?") == (words[4] == "?"):
        raise InvalidScheduleError(
            "exactly one of day-of-month (third) and day-of-week (fifth) must be ?, "
            f"and here {'both are' if words[2] == '?' else 'neither is'}"
        )
    problems, values = [], []
    for field, word in zip(_FIELDS, words, strict=True):
        try:
            values.append(field.parse(word))
        except InvalidScheduleError as error:
            problems.append(str(error))
    if problems:
        raise InvalidScheduleError("; ".join(problems))
    minutes, hours, of_month, months, of_week, years = (value or frozenset() for value in values)
    times = tuple(sorted(60 * hour + minute for hour in hours for minute in minutes))
    days = Days(months, of_month, of_week) if of_month or of_week else None
    forever = words[5] == "*"
    gap = _longest_gap(times, _days_of_eight_years(days)) if days else None
    last_run = None if forever else _last_run(times, days, years)
    return Schedule(minutes, gap if forever else None, last_run, times, days)


def _days_of_eight_years(days: Days) -> list[date]:
    """Return the days of 2096 to 2104, which have the longest wait for a 29 February."""
    found = days.within(date(2096, 1, 1), date(2104, 12, 31))
    if not found:
        raise InvalidScheduleError("never runs: there is no such day in these months")
    return found


def _last_run(times: tuple[int, ...], days: Days | None, years: frozenset[int]) -> datetime:
    if days is None:
        return datetime.combine(date(max(years), 12, 31), time(23, 59))
    for year in sorted(years, reverse=True):
        if found := days.within(date(year, 1, 1), date(year, 12, 31)):
            return datetime.combine(found[-1], time()) + timedelta(minutes=times[-1])
    raise InvalidScheduleError("never runs: there is no such day in these years")


def _longest_gap(times: tuple[int, ...], days: list[date]) -> timedelta:
    """Return the longest wait between two runs; `times` are minutes of the day, in order."""
    within_a_day = max((later - earlier for earlier, later in pairwise(times)), default=0)
    days_between = max((later - earlier).days for earlier, later in pairwise(days))
    return timedelta(minutes=max(within_a_day, days_between * _MINUTES_OF_A_DAY - times[-1] + times[0]))
