"""Child processes that end when we do, with everything that they started themselves.

Each gets a session of its own. So a Ctrl-C at the terminal reaches us alone, and we end the children in order;
and what they started (function workers, the CDK app, its Node.js) is ended with them, as one process group.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE = 2.0
"""Seconds that a child gets to end by itself: MiniStack may wait for ever on a connection that is open."""

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that end us in order."""


class CommandFailedError(Exception):
    """A command that was run to its end failed, or took too long. `tail` is the last that it wrote."""

    def __init__(self, message: str, tail: str) -> None:
        super().__init__(message)
        self.tail = tail


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path, pass_fds: Sequence[int] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Starts a command in `directory`, with its output appended to `log`, and ends it when the block is left.

    Its standard input is a pipe that nobody writes to. It closes when we are gone, however we went, SIGKILL
    included: a child that must not outlive us waits for that (local.ministack.gateway does).
    """
    process = None
    try:
        with log.open("ab") as output, defer_signals():
            process = subprocess.Popen(  # noqa: S603  the commands are this project's own
                command,
                env=dict(environment),
                cwd=directory,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=pass_fds,
                start_new_session=True,
            )
        yield process
    finally:
        if process:
            _stop(process)


@contextmanager
def defer_signals() -> Iterator[None]:
    """Lets signals that end us wait until the block is left: it makes something that nobody could clean up yet."""
    came: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _: came.append(number)) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for late in came:
            signal.raise_signal(late)


def run(
    command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path, timeout: float = 300
) -> str:
    """Runs a command to its end and returns what it wrote, both streams together; `timeout` is in seconds.

    Raises ChildFailedError where it is not there, exits with anything but 0, or does not end in time.
    """
    log.unlink(missing_ok=True)
    name = " ".join([Path(command[0]).name, *(word for word in command[1:3] if word[0] != "-")])
    try:
        with started(command, environment, directory, log) as process:
            status = process.wait(timeout)
    except FileNotFoundError as error:
        raise CommandFailedError(f"`{name}` cannot be run: there is no {error.filename}", "") from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailedError(f"`{name}` did not end within {timeout:.0f} seconds", tail(log)) from error
    if status:
        raise CommandFailedError(f"`{name}` ended with exit status {status}", tail(log))
    return log.read_text(errors="replace")


def tail(log: Path, lines: int = 25) -> str:
    """The last lines of a log file; empty where there is none yet."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and its group: first asked, then, after GRACE, told."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin:
        process.stdin.close()
