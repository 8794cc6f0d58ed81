"""A plan of plans.toml, and how it travels in the events that our own stack puts on the bus."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from typing import Any, Self

from lightsail_snapshots.duration import format_duration, parse_duration
from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.selection import Select, parse_select


class InvalidPlanError(ValueError):
    """Raised when a detail is not what `Plan.as_detail` writes, as after an upgrade with events in flight."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One table `[plans.<name>]`. Only the package that reads plans.toml interprets `schedule` and `on`."""

    name: str
    select: Select
    schedule: str | None = None
    """An EventBridge Scheduler expression, as written."""
    timezone: str = "UTC"
    """Of the schedule, and of the days, weeks and months of `keep`."""
    flexible_window: int | None = None
    """Minutes in which Scheduler may choose when to start."""
    on: Mapping[str, Any] | None = None
    """An event pattern, as written: an event that matches triggers the plan, on the default bus and on ours."""
    regions: tuple[str, ...] = ()
    """Where instances are looked for; empty: the Region of the stack, which is not known at synth."""
    keep: Keep | None = None
    keep_for: timedelta | None = None
    """How long a snapshot lives, written into it when it is made. With neither this nor `keep`, it stays forever."""
    max_age: timedelta | None = None
    """An instance without a usable snapshot younger than this is overdue."""
    copy_to: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    max_deletes: int | None = None
    """Of one instance in one run of prune; None: a quarter of its snapshots, at least 3."""
    allow_deletes_until: date | None = None
    """`max_deletes` does not hold up to and including this day."""
    dry_run: bool = False
    """Prune only reports what it would delete."""

    def as_detail(self) -> dict[str, Any]:
        """Return the plan as JSON with camelCase keys, without what has its default: see `from_detail`."""
        values = {_key(each.name): _as_json(getattr(self, each.name)) for each in fields(self)}
        return {key: value for key, value in values.items() if value}

    @classmethod
    def from_detail(cls, detail: object) -> Self:
        """Read what `as_detail` wrote; raise InvalidPlanError for anything else."""
        if not isinstance(detail, Mapping):
            raise InvalidPlanError(f"a plan must be a JSON object, not {detail!r:.60}")
        names = {_key(each.name): each.name for each in fields(cls)}
        if unknown := detail.keys() - names.keys():
            raise InvalidPlanError(f"a plan has no {', '.join(sorted(unknown))}")
        try:
            return cls(**{names[key]: _READERS.get(names[key], _as_is)(value) for key, value in detail.items()})
        except (TypeError, ValueError, AttributeError) as error:
            raise InvalidPlanError(f"plan {detail.get('name')!r:.60} cannot be read: {error}") from error

    def as_fleet_request(self) -> dict[str, Any]:
        """Return the detail of its `Fleet Snapshot Requested`; its schedule or rule adds `scheduledTime`."""
        detail = self.as_detail()
        return {"plan": self.name} | {key: detail[key] for key in _FLEET_KEYS if key in detail}


_FLEET_KEYS = ("select", "regions", "tags", "copyTo", "keepFor")

_READERS: Mapping[str, Callable[[Any], Any]] = {
    "select": parse_select,
    "regions": tuple,
    "keep": Keep.from_detail,
    "keep_for": parse_duration,
    "max_age": parse_duration,
    "copy_to": tuple,
    "allow_deletes_until": date.fromisoformat,
}
"""How `from_detail` reads the fields whose value is not the JSON value itself."""


def _as_is(value: Any) -> Any:
    return value


def _key(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(map(str.capitalize, tail))


def _as_json(value: Any) -> Any:
    if isinstance(value, Select | Keep):
        return value.as_detail()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
