"""How far apart the runs of a schedule are when the clock changes.

EventBridge Scheduler skips a run at a local time that does not exist, and runs once at a time that is there twice
(Scheduler user guide, "Daylight saving time").
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from lightsail_snapshots_plans.schedule_expression import Schedule

_DAYS_AHEAD = 5 * 366
"""The next deployment, which checks again, may be years ahead."""


@dataclass(frozen=True)
class Wait:
    """The time between two runs, with a clock change between them."""

    length: timedelta
    day: date
    """On which the clock changes."""
    skipped: time | None
    """The first local time of a run that this day does not have."""


def longest_wait(schedule: Schedule, timezone: str, today: date) -> Wait | None:
    """Return the longest wait around a clock change; None if no clock change can be between two runs of it."""
    zone = ZoneInfo(timezone)
    waits = [wait for day in _clock_changes(timezone, today) for wait in _waits(schedule, zone, day)]
    return max(waits, key=lambda wait: wait.length, default=None)


@cache
def _clock_changes(timezone: str, today: date) -> list[date]:
    zone = ZoneInfo(timezone)
    days = [today + timedelta(number) for number in range(_DAYS_AHEAD)]
    offsets = [datetime.combine(day, time(), zone).utcoffset() for day in days]
    return [day for day, (before, after) in zip(days, pairwise(offsets), strict=False) if before != after]


def _waits(schedule: Schedule, zone: ZoneInfo, change: date) -> Iterator[Wait]:
    if schedule.days is None or schedule.longest_gap is None:
        return
    reach = schedule.longest_gap + timedelta(days=1)
    before = schedule.days.within(change - reach, change - timedelta(days=1))[-1:]
    after = schedule.days.within(change + timedelta(days=1), change + reach)[:1]
    today = [change] if change in schedule.days else []
    runs = [
        datetime.combine(day, time(*divmod(minute, 60)), zone)
        for day in (*before, *today, *after)
        for minute in schedule.times
    ]
    skipped = next((run.time() for run in runs if not _exists(run)), None)
    for earlier, later in pairwise(run.astimezone(UTC) for run in runs if _exists(run)):
        yield Wait(later - earlier, change, skipped)


def _exists(local: datetime) -> bool:
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None)
