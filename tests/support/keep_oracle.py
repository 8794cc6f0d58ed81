"""The keep rules, read word for word and without regard to cost: what `keep_rules` is compared with."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from lightsail_snapshots.keep_rules import Keep

PERIODS: Mapping[str, Callable[[datetime], str]] = {
    "last": lambda moment: moment.astimezone(UTC).isoformat(),
    "hourly": lambda moment: f"{moment:%Y-%m-%d %H %z}",
    "daily": lambda moment: f"{moment:%Y-%m-%d}",
    "weekly": lambda moment: f"{moment:%G-%V}",
    "monthly": lambda moment: f"{moment:%Y-%m}",
    "yearly": lambda moment: f"{moment:%Y}",
}


def obviously_kept(moments: Collection[datetime], keep: Keep, zone: ZoneInfo) -> set[datetime]:
    """Keep of each rule the newest moment of each of the last n periods that have one."""
    kept = {moment for moment in moments if moment > max(moments) - keep.within}
    for rule, period in PERIODS.items():
        newest = {period(moment.astimezone(zone)): moment for moment in sorted(moments)}
        kept |= set(sorted(newest.values(), reverse=True)[: getattr(keep, rule)])
    return kept
