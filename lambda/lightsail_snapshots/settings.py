"""Settings read from environment variables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self


class SettingsError(Exception):
    """Raised in the init phase; lists all variables that are missing or not valid."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of every function. `fan_out` and `prune` have no others."""

    region: str
    """The Region of the function and the event bus, and of a request that names none."""
    regions: tuple[str, ...]
    """The Regions whose instances the stack protects."""
    copy_regions: tuple[str, ...]
    """The Regions that it copies to; may be empty."""
    event_bus_name: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read AWS_REGION, SNAPSHOT_REGIONS, EVENT_BUS_NAME and COPY_REGIONS, or raise SettingsError.

        COPY_REGIONS is set only if the stack makes copies.
        """
        return cls(**_read(environment))

    @property
    def all_regions(self) -> tuple[str, ...]:
        """All Regions that may have snapshots of ours, without repeats."""
        return tuple(dict.fromkeys((*self.regions, *self.copy_regions)))


@dataclass(frozen=True, kw_only=True)
class AuditSettings(Settings):
    """The settings of `audit`."""

    runbook: str
    """Path or URL of docs/operations.md; messages add `#` and one of its headings."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read what every function reads, and RUNBOOK, or raise SettingsError."""
        return cls(**_read(environment, "RUNBOOK"), runbook=environment["RUNBOOK"])


@dataclass(frozen=True, kw_only=True)
class ReconcilerSettings(Settings):
    """The settings of `create` and `copy`."""

    max_receive_count: int
    """The number of deliveries after which SQS moves a message to the dead-letter queue, as in its redrive policy."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read what every function reads, and MAX_RECEIVE_COUNT, or raise SettingsError."""
        count = environment.get("MAX_RECEIVE_COUNT", "")
        is_invalid = count and not (count.isascii() and count.isdigit())
        problems = [f"MAX_RECEIVE_COUNT must be a whole number, not {count!r}"] if is_invalid else []
        return cls(**_read(environment, "MAX_RECEIVE_COUNT", problems=problems), max_receive_count=int(count))


def _read(environment: Mapping[str, str], *more: str, problems: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields of Settings; raise SettingsError with `problems` and every variable that is not set."""
    names = ("AWS_REGION", "SNAPSHOT_REGIONS", "EVENT_BUS_NAME", *more)
    problems = [*(f"{name} is not set" for name in names if not environment.get(name)), *problems]
    if problems:
        raise SettingsError(f"{'; '.join(problems)}: deploy the stack again, which sets all of them")
    copy_regions = environment.get("COPY_REGIONS")
    return {
        "region": environment["AWS_REGION"],
        "regions": tuple(environment["SNAPSHOT_REGIONS"].split(",")),
        "copy_regions": tuple(copy_regions.split(",")) if copy_regions else (),
        "event_bus_name": environment["EVENT_BUS_NAME"],
    }
