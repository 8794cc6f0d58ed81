"""What a function is told by its environment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self


class SettingsError(Exception):
    """Raised in the init phase when the function's environment lacks or garbles a variable; lists all of them."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment of every function has: all that `fan_out` and `prune` need."""

    region: str
    """Where the function runs: the Region of a request that names none, and of the event bus."""
    regions: tuple[str, ...]
    """The Regions that the stack was deployed for."""
    copy_regions: tuple[str, ...]
    """The Regions that it copies to; there may be none."""
    event_bus_name: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read AWS_REGION, SNAPSHOT_REGIONS and EVENT_BUS_NAME, or raise SettingsError.

        COPY_REGIONS is there only where the stack makes copies.
        """
        return cls(**_read(environment))

    @property
    def all_regions(self) -> tuple[str, ...]:
        """Where there may be snapshots of ours, or copies of them; each Region once."""
        return tuple(dict.fromkeys((*self.regions, *self.copy_regions)))


@dataclass(frozen=True, kw_only=True)
class AuditSettings(Settings):
    """The environment of `audit`, which looks in all of `regions` for instances that no plan selects."""

    runbook: str
    """Where a person reads what to do; `#` and a heading of docs/operations.md are added to it."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read what every function is told, and RUNBOOK, or raise SettingsError."""
        return cls(**_read(environment, "RUNBOOK"), runbook=environment["RUNBOOK"])


@dataclass(frozen=True, kw_only=True)
class ReconcilerSettings(Settings):
    """The environment of `create` and of `copy`."""

    max_receive_count: int
    """The delivery after which the queue gives a message to the dead-letter queue: its redrive policy has the same."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read what every function is told, and MAX_RECEIVE_COUNT, or raise SettingsError."""
        count = environment.get("MAX_RECEIVE_COUNT", "")
        garbled = count and not (count.isascii() and count.isdigit())
        problems = [f"MAX_RECEIVE_COUNT must be a whole number, not {count!r}"] if garbled else []
        return cls(**_read(environment, "MAX_RECEIVE_COUNT", problems=problems), max_receive_count=int(count))


def _read(environment: Mapping[str, str], *more: str, problems: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields of Settings; raise SettingsError with these problems and every variable that is not set."""
    names = ("AWS_REGION", "SNAPSHOT_REGIONS", "EVENT_BUS_NAME", *more)
    problems = [*(f"{name} is not set" for name in names if not environment.get(name)), *problems]
    if problems:
        raise SettingsError(f"{'; '.join(problems)}: deploy the stack again, it sets all of them")
    copy_regions = environment.get("COPY_REGIONS")
    return {
        "region": environment["AWS_REGION"],
        "regions": tuple(environment["SNAPSHOT_REGIONS"].split(",")),
        "copy_regions": tuple(copy_regions.split(",")) if copy_regions else (),
        "event_bus_name": environment["EVENT_BUS_NAME"],
    }
