"""What the demo prints: one line for each step, the function's log, and a table at the end."""

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
    """A step of the demo did not end as it should. The text is for the person who watches."""


class Screen:
    """A terminal, or any other place that the output goes to; there it is plain text, with no moving parts."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Shows a step as it goes on, and then as done, with its time, or as failed."""
        began = time.monotonic()
        mark, style = "✘", "bold red"
        try:
            with self.console.status(what) if self.console.is_terminal else self._announced(what):
                yield
            mark, style = "✔", "green"
        finally:
            seconds = Text(f" {time.monotonic() - began:.1f} s", "dim")
            self.console.print(Text(f"{mark} ", style) + Text(what, "default") + seconds)

    @contextmanager
    def _announced(self, what: str) -> Iterator[None]:
        self.say(f"… {what}")
        yield

    def say(self, text: str = "", style: str = "") -> None:
        """Prints a line of text, as it is."""
        self.console.print(Text(text, style))

    def command(self, command: Sequence[str]) -> None:
        """Prints a command that is run here."""
        self.paste(shlex.join(command), "$ ")

    def paste(self, text: str, prompt: str = "") -> None:
        """Prints what is to be copied and pasted: the terminal breaks its line, not we."""
        self.console.print(Text(prompt, "dim") + Text(text, "bold"), soft_wrap=True)

    def log(self, line: LogLine) -> None:
        """Prints a line of the function's log; its message is broken within its own column."""
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
        """Prints a table of two columns; the first names what the second holds."""
        table = Table(title=title, title_justify="left", title_style="bold", show_header=False)
        table.add_column(style="cyan", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in rows:
            table.add_row(name, value)
        self.console.print(table)

    def grid(self, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Prints a table with a header."""
        table = Table(title=title, title_justify="left", title_style="bold", header_style="cyan")
        for name in header:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    def failure(self, message: str, tail: str = "") -> None:
        """Prints why there is no going on, and the last that was written by what failed."""
        if tail:
            self.console.print(Text(tail, "dim"), soft_wrap=True)
        self.say(f"✘ {message}", "bold red")
