"""What a function is told by its environment."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self


class SettingsError(Exception):
    """Raised in the init phase when the function's environment lacks or garbles a variable; lists all of them."""


@dataclass(frozen=True, kw_only=True)
class FanOutSettings:
    """The environment of the `fan_out` function."""

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
        names = ("AWS_REGION", "SNAPSHOT_REGIONS", "EVENT_BUS_NAME")
        problems = [f"{name} is not set" for name in names if not environment.get(name)]
        if problems:
            raise SettingsError(f"{'; '.join(problems)}: deploy the stack again, it sets all of them")
        region, regions, event_bus_name = (environment[name] for name in names)
        return cls(
            region=region,
            regions=tuple(regions.split(",")),
            copy_regions=_copy_regions(environment),
            event_bus_name=event_bus_name,
        )


@dataclass(frozen=True, kw_only=True)
class AuditSettings(FanOutSettings):
    """The environment of the `audit` function: in all of `regions`, instances that no plan selects are looked for."""

    runbook: str
    """Where a person reads what to do; `#` and a heading of docs/operations.md are added to it."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read what `fan_out` reads, and RUNBOOK, or raise SettingsError."""
        if not environment.get("RUNBOOK"):
            raise SettingsError("RUNBOOK is not set: deploy the stack again")
        return cls(**asdict(FanOutSettings.from_environment(environment)), runbook=environment["RUNBOOK"])


@dataclass(frozen=True, kw_only=True)
class PruneSettings(FanOutSettings):
    """The environment of the `prune` function, which has the variables of `fan_out`."""

    @property
    def all_regions(self) -> tuple[str, ...]:
        """Where there may be snapshots of ours, or copies of them; each Region once."""
        return tuple(dict.fromkeys((*self.regions, *self.copy_regions)))


@dataclass(frozen=True, kw_only=True)
class ReconcilerSettings:
    """The environment of `create` and of `copy`."""

    region: str
    """Where the function runs: the Region of a request that names none, and of the event bus."""
    regions: tuple[str, ...]
    """The Regions that the stack was deployed for."""
    copy_regions: tuple[str, ...]
    """The Regions that it copies to; there may be none."""
    event_bus_name: str
    max_receive_count: int
    """The delivery after which the queue gives a message to the dead-letter queue: its redrive policy has the same."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "ReconcilerSettings":
        """Read AWS_REGION, SNAPSHOT_REGIONS, EVENT_BUS_NAME and MAX_RECEIVE_COUNT, or raise SettingsError.

        COPY_REGIONS is there only where the stack makes copies.
        """
        names = ("AWS_REGION", "SNAPSHOT_REGIONS", "EVENT_BUS_NAME", "MAX_RECEIVE_COUNT")
        problems = [f"{name} is not set" for name in names if not environment.get(name)]
        count = environment.get("MAX_RECEIVE_COUNT", "")
        if count and not (count.isascii() and count.isdigit()):
            problems.append(f"MAX_RECEIVE_COUNT must be a whole number, not {count!r}")
        if problems:
            raise SettingsError(f"{'; '.join(problems)}: deploy the stack again, it sets all of them")
        region, regions, event_bus_name, _ = (environment[name] for name in names)
        return cls(
            region=region,
            regions=tuple(regions.split(",")),
            copy_regions=_copy_regions(environment),
            event_bus_name=event_bus_name,
            max_receive_count=int(count),
        )


def _copy_regions(environment: Mapping[str, str]) -> tuple[str, ...]:
    written = environment.get("COPY_REGIONS")
    return tuple(written.split(",")) if written else ()
