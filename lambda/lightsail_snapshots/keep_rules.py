"""The keep rules of a plan, read as restic's `forget` reads them: which moments keep their place, and why.

"For the last n weeks that have one, keep the newest": periods without a snapshot are not counted, so a missed Sunday
costs nothing. A snapshot stays if any rule keeps it. Unlike restic, the oldest snapshot gets no place of its own while
a rule has places left, so that the sentence above is the whole of the rule.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, tzinfo
from typing import Any, Self

from lightsail_snapshots.reader import format_duration, parse_duration

PERIODS: Mapping[str, Callable[[datetime], Hashable]] = {
    # With the offset, so that the hour which comes twice when the clocks go back is two hours.
    "hourly": lambda local: (local.date(), local.hour, local.utcoffset()),
    "daily": lambda local: local.date(),
    "weekly": lambda local: local.isocalendar()[:2],
    "monthly": lambda local: (local.year, local.month),
    "yearly": lambda local: local.year,
}
"""For each rule that counts periods: what two moments of the same period, in the plan's time zone, have in common."""


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
    """Keeps all that are less than this older than the newest snapshot. Not older than now: where no new snapshots
    come, the old ones stay."""

    def __bool__(self) -> bool:
        """Whether there is any rule at all: a plan without rules keeps everything."""
        return self != _NO_RULES

    def as_detail(self) -> dict[str, int | str]:
        """Return the rules that are set, as JSON."""
        rules = {each.name: getattr(self, each.name) for each in fields(self)} | {"within": ""}
        if self.within:
            rules["within"] = format_duration(self.within)
        return {rule: value for rule, value in rules.items() if value}

    @classmethod
    def from_detail(cls, detail: Mapping[str, Any]) -> Self:
        """Read what `as_detail` wrote; raise TypeError or ValueError for anything else."""
        within = parse_duration(detail["within"]) if "within" in detail else timedelta(0)
        return cls(**{rule: int(count) for rule, count in detail.items() if rule != "within"}, within=within)


_NO_RULES = Keep()


def apply_keep_rules(taken: Sequence[datetime], keep: Keep, zone: tzinfo) -> list[list[str]]:
    """Say for each moment by which rules it is kept: `["last 3 of 7", "weekly 1 of 4"]`, or `[]`.

    `taken` are moments in UTC, newest first; `zone` is whose hours, days, weeks, months and years are counted.
    """
    reasons: list[list[str]] = [[] for _ in taken]
    for index in range(min(keep.last, len(taken))):
        reasons[index].append(f"last {index + 1} of {keep.last}")
    local = [moment.astimezone(zone) for moment in taken]
    for rule, period in PERIODS.items():
        count = getattr(keep, rule)
        for place, index in enumerate(_newest_of_each(local, period, count), start=1):
            reasons[index].append(f"{rule} {place} of {count}")
    within = str(keep.within).removesuffix(", 0:00:00")
    for index, moment in enumerate(taken):
        if moment <= taken[0] - keep.within:
            break
        reasons[index].append(f"within {within} of the newest")
    return reasons


def _newest_of_each(local: Sequence[datetime], period: Callable[[datetime], Hashable], count: int) -> list[int]:
    """Return where the newest moment of each of the last `count` periods stands."""
    newest: dict[Hashable, int] = {}
    for index, moment in enumerate(local):
        if len(newest) >= count:
            break
        newest.setdefault(period(moment), index)
    return list(newest.values())
