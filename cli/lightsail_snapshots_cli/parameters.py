"""The types of options and arguments that several commands share."""

import re
from datetime import UTC, datetime, timedelta

import boto3
import click

from lightsail_snapshots.reader import InvalidValueError, parse_duration, read_instant, suggestion

_SECONDS = re.compile(r"[1-9][0-9]{0,6}s")


def lightsail_regions() -> list[str]:
    """Return the Regions in which Lightsail has an endpoint."""
    return sorted(boto3.session.Session().get_available_regions("lightsail"))


class Duration(click.ParamType[timedelta]):
    """A duration as in plans.toml; one that is not stored may also have seconds, such as 90s."""

    name = "duration"

    def __init__(self, *, seconds: bool = False) -> None:
        self._seconds = seconds

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it, or report what is wrong."""
        text = str(value)
        if isinstance(value, timedelta):
            return value
        if self._seconds and _SECONDS.fullmatch(text):
            return timedelta(seconds=int(text[:-1]))
        try:
            return parse_duration(text)
        except ValueError as error:
            self.fail(f"{error}, not {text!r}", param, ctx)


class Instant(click.ParamType[datetime]):
    """A time such as 2026-11-23T03:15:00Z."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it, or report what is wrong."""
        if isinstance(value, datetime):
            return value
        try:
            return read_instant(value).astimezone(UTC)
        except InvalidValueError as error:
            self.fail(str(error), param, ctx)


class LightsailRegion(click.ParamType[str]):
    """A Region that has Lightsail."""

    name = "region"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it, or report that it is none."""
        known = lightsail_regions()
        if value not in known:
            hint = suggestion(str(value), known, f"Lightsail is in {', '.join(known)}")
            self.fail(f"{value} is not a Region of Lightsail; {hint}", param, ctx)
        return str(value)


class Tag(click.ParamType[tuple[str, str]]):
    """A tag, as key=value."""

    name = "key=value"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split it, or report what is wrong."""
        if isinstance(value, tuple):
            return value
        key, _, text = str(value).partition("=")
        if not key:
            self.fail(f"must be a tag such as env=prod, not {value!r}", param, ctx)
        return key, text
