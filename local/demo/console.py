"""Prints the demo: steps with their times, commands, the functions' logs and tables."""

import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.log_tail import LogLine

LEVEL_STYLES = {"INFO": "cyan", "WARNING": "yellow", "ERROR": "bold red", "METRIC": "magenta"}


class DemoFailedError(Exception):
    """Raised if a step of the demo fails; the text is for the person who watches."""


class Screen:
    """A terminal, or a file or pipe, which gets plain text without moving parts."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Print a step while it runs, and afterwards whether it succeeded and how long it took."""
        began = time.monotonic()
        mark, style = "✘", "bold red"
        try:
            with self.console.status(text) if self.console.is_terminal else self._announced(text):
                yield
            mark, style = "✔", "green"
        finally:
            seconds = Text(f" {time.monotonic() - began:.1f} s", "dim")
            self.console.print(Text(f"{mark} ", style) + Text(text, "default") + seconds)

    @contextmanager
    def _announced(self, text: str) -> Iterator[None]:
        self.say(f"… {text}")
        yield

    def say(self, text: str = "", style: str = "") -> None:
        """Print a line of text."""
        self.console.print(Text(text, style))

    def command(self, command: Sequence[str]) -> None:
        """Print a command that the demo runs."""
        self.paste(shlex.join(command), "$ ")

    def paste(self, text: str, prompt: str = "") -> None:
        """Print text to copy: only the terminal breaks its lines, so they are pasted whole."""
        self.console.print(Text(prompt, "dim") + Text(text, "bold"), soft_wrap=True)

    def log(self, line: LogLine) -> None:
        """Print a line of a function's log; a long message is wrapped within its column."""
        if not line.message:
            return
        fields = " ".join(f"{name}={value}" for name, value in line.fields.items())
        head = Text.assemble(
            (f"  {line.time:%H:%M:%S}  ", "dim"), (f"{line.level:<8}", LEVEL_STYLES.get(line.level, ""))
        )
        body = Text.assemble(line.message, (f"  {fields}" if fields else "", "dim"))
        for part in body.wrap(self.console, max(20, self.console.width - len(head))):
            part.rstrip()
            self.console.print(head + part)
            head = Text(" " * len(head))

    def table(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Print names and values as a table of two columns."""
        table = Table(title=title, title_justify="left", title_style="bold", show_header=False)
        table.add_column(style="cyan", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in rows:
            table.add_row(name, value)
        self.console.print(table)

    def grid(self, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table with a header."""
        table = Table(title=title, title_justify="left", title_style="bold", header_style="cyan")
        for name in header:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    def failure(self, message: str, tail: str = "") -> None:
        """Print why the demo failed, after the last lines of the command that failed."""
        if tail:
            self.console.print(Text(tail, "dim"), soft_wrap=True)
        self.say(f"✘ {message}", "bold red")
