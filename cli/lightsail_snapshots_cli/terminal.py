"""What the commands print and ask: answers go to stdout, progress and questions to stderr."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TextIO

import click
from rich.console import Console

from lightsail_snapshots_cli.errors import USAGE, CommandError

_WIDTH_WITHOUT_TERMINAL = 160
"""Columns of a pipe or a file, so that no row is wrapped."""


def answers() -> Console:
    """Return the console of stdout."""
    return _console(sys.stdout)


def questions() -> Console:
    """Return the console of stderr, for what is shown before a question."""
    return _console(sys.stderr)


def _console(stream: TextIO) -> Console:
    width = None if stream.isatty() else _WIDTH_WITHOUT_TERMINAL
    return Console(file=stream, highlight=False, width=width, markup=False, emoji=False)


def progress(text: str) -> None:
    """Print a line to stderr."""
    click.echo(text, err=True)


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print a value as JSON to stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def confirm(question: str, *, yes: bool) -> bool:
    """Ask on a terminal whether to go on; end the command if nobody can be asked."""
    if yes:
        return True
    if not can_ask():
        raise CommandError("Nothing was done, since nobody can be asked here: add --yes to do it.", USAGE)
    return click.confirm(question, err=True)


def can_ask() -> bool:
    """Whether a person is there who can answer."""
    return sys.stdin.isatty()


def format_age(age: timedelta) -> str:
    """Write an age in the unit that says enough: `25 min`, `26 h`, `9 d`."""
    minutes = age // timedelta(minutes=1)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"
