"""Settings read from environment variables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self


class SettingsError(Exception):
    """Raised in the init phase; lists all variables that are missing or not valid."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of every function. `fan_out` has no others."""

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
class PruneSettings(Settings):
    """The settings of `prune`."""

    log_group: str
    """Its own log."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read what every function reads, and LOG_GROUP, or raise SettingsError."""
        return cls(**_read(environment, "LOG_GROUP"), log_group=environment["LOG_GROUP"])


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
class NotifySettings(Settings):
    """The settings of `notify`."""

    topic_arn: str
    runbook: str
    """As in AuditSettings."""
    chat_parameter: str | None
    """The SSM parameter with the address of a chat's webhook; None if there is no chat."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read what every function reads, TOPIC_ARN, RUNBOOK, and CHAT_PARAMETER (optional), or raise SettingsError."""
        return cls(
            **_read(environment, "TOPIC_ARN", "RUNBOOK"),
            topic_arn=environment["TOPIC_ARN"],
            runbook=environment["RUNBOOK"],
            chat_parameter=environment.get("CHAT_PARAMETER"),
        )


@dataclass(frozen=True, kw_only=True)
class ReconcilerSettings(Settings):
    """The settings of `create` and `copy`."""

    queue_url: str
    dead_letter_queue_url: str
    deadline: timedelta
    """How long after it was sent a message is retried."""
    first_retry: timedelta
    """How soon a request that somebody waits for is looked at again."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read what every function reads, the addresses of both queues and the two times, or raise SettingsError."""
        times = {name: environment.get(name, "") for name in ("DEADLINE_SECONDS", "FIRST_RETRY_SECONDS")}
        invalid = {name: text for name, text in times.items() if text and not (text.isascii() and text.isdigit())}
        problems = [f"{name} must be a whole number, not {text!r}" for name, text in invalid.items()]
        return cls(
            **_read(environment, "QUEUE_URL", "DEAD_LETTER_QUEUE_URL", *times, problems=problems),
            queue_url=environment["QUEUE_URL"],
            dead_letter_queue_url=environment["DEAD_LETTER_QUEUE_URL"],
            deadline=timedelta(seconds=int(times["DEADLINE_SECONDS"])),
            first_retry=timedelta(seconds=int(times["FIRST_RETRY_SECONDS"])),
        )


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
