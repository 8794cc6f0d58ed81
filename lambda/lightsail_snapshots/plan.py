"""A plan of plans.toml, and how it travels in the events that our own stack puts on the bus."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import timedelta
from typing import Any, Self

from lightsail_snapshots.drill_options import Drill, read_drill
from lightsail_snapshots.keep_rules import Keep, read_keep
from lightsail_snapshots.reader import (
    InvalidValueError,
    Reader,
    format_duration,
    read_duration,
    read_each,
    read_flag,
    read_list,
    read_number,
    read_object,
    read_plan,
    read_text,
    read_texts,
)
from lightsail_snapshots.selection import Select, parse_select


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One table `[plans.<name>]`. Only the package that reads plans.toml interprets `schedule` and `on`."""

    name: str
    was: tuple[str, ...] = ()
    """Earlier names: their snapshots are this plan's."""
    select: Select
    schedule: str | None = None
    """An EventBridge Scheduler expression, as written."""
    timezone: str = "UTC"
    """Of the schedule, and of the days, weeks and months of `keep`."""
    flexible_window: int | None = None
    """Minutes in which Scheduler may choose when to start."""
    on: Mapping[str, Any] | None = None
    """An event pattern, as written: an event that matches triggers the plan, on the default bus and on ours."""
    enabled: bool = True
    """False: the plan takes no snapshots; prune and audit go on."""
    regions: tuple[str, ...] = ()
    """Where instances are looked for; empty: the Region of the stack, which is not known at synth."""
    keep: Keep | None = None
    keep_confirmed: Keep | None = None
    """If these are the same rules as `keep`, they alone decide, and not those that older snapshots carry."""
    keep_for: timedelta | None = None
    """How long a snapshot lives, written into it when it is made. With neither this nor `keep`, it stays forever."""
    max_age: timedelta | None = None
    """An instance without a usable snapshot younger than this is overdue."""
    copy_to: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    """Prune only reports what it would delete."""
    drill: Drill | None = None
    """How its snapshots are proven by restoring them; None: they are not."""

    @property
    def overdue_alarm(self) -> str:
        """The name of its alarm on overdue instances, which it has if it has a `max_age`."""
        return f"lightsail-snapshots-overdue-{self.name}"

    def as_detail(self) -> dict[str, Any]:
        """Return the plan as JSON with camelCase keys, without what has its default: see `from_detail`."""
        values = ((each, getattr(self, each.name)) for each in fields(self))
        return {_key(each.name): _as_json(value) for each, value in values if value != _default(each)}

    @classmethod
    def from_detail(cls, detail: object) -> Self:
        """Read what `as_detail` wrote; raise InvalidValueError for anything else."""
        reader = Reader(read_object(detail))
        values = {}
        for each in fields(cls):
            take = reader.require if _default(each) is MISSING else reader.take
            values[each.name] = take(_key(each.name), read_plan if each.name == "name" else _READERS[each.type])
        reader.reject_unknown()
        if reader.problems:
            raise InvalidValueError(*reader.problems)
        return cls(**{name: value for name, value in values.items() if value is not None})

    def as_fleet_request(self) -> dict[str, Any]:
        """Return the detail of its `Fleet Snapshot Requested`; its schedule or rule adds `scheduledTime`."""
        detail = self.as_detail()
        return {"plan": self.name} | {key: detail[key] for key in _FLEET_KEYS if key in detail}


_FLEET_KEYS = ("select", "regions", "tags", "copyTo", "keep", "keepFor")


def read_plans(value: object) -> tuple[Plan, ...]:
    """Read the plans of an event."""
    return read_each(read_list(value), Plan.from_detail)


_BY_TYPE: Mapping[Any, Callable[[object], Any]] = {
    str: read_text,
    int: read_number,
    bool: read_flag,
    timedelta: read_duration,
    tuple[str, ...]: read_texts,
    Mapping[str, str]: read_object,
    Mapping[str, Any]: read_object,
    Select: parse_select,
    Keep: read_keep,
    Drill: read_drill,
}
_READERS = {form: read for kind, read in _BY_TYPE.items() for form in (kind, kind | None)}
"""How `from_detail` reads a field of each type."""


def _default(each: Field[Any]) -> Any:
    """Return the default of a field; MISSING if it has none."""
    return each.default if each.default_factory is MISSING else each.default_factory()


def _key(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(map(str.capitalize, tail))


def _as_json(value: Any) -> Any:
    if isinstance(value, Select | Keep | Drill):
        return value.as_detail()
    if isinstance(value, timedelta):
        return format_duration(value)
    return list(value) if isinstance(value, tuple) else value
