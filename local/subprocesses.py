"""Child processes that end when this process ends, together with their own children.

Each child gets its own session. A Ctrl-C in the terminal therefore reaches only this process, which then stops the
children in order. A child and everything it started (function workers, the CDK app, Node.js) are one process group.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE_SECONDS = 2.0
"""How long a child may take to end after SIGTERM. MiniStack may wait forever for an open connection."""

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CommandFailedError(Exception):
    """Raised if a command fails, is missing or takes too long; `tail` is the end of its output."""

    def __init__(self, message: str, tail: str) -> None:
        super().__init__(message)
        self.tail = tail


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path, pass_fds: Sequence[int] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in `directory` until the block is left; append its output to `log`.

    Its standard input is a pipe to which nobody writes. The pipe closes when this process ends, even by SIGKILL, so
    a child that must end as well can wait for that, as local.ministack.gateway does.
    """
    process = None
    try:
        with log.open("ab") as output, defer_signals():
            process = subprocess.Popen(  # noqa: S603 - the commands are this project's own
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
    """Hold signals back until the block is left: it creates something that could not be cleaned up yet."""
    received: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _: received.append(number)) for number in ENDING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for late in received:
            signal.raise_signal(late)


def run(
    command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path, timeout: float = 300
) -> str:
    """Run a command and return its output, both streams together; `timeout` is in seconds.

    Raises CommandFailedError if the command is missing, fails or takes too long.
    """
    log.unlink(missing_ok=True)
    name = " ".join([Path(command[0]).name, *(word for word in command[1:3] if word[0] != "-")])
    try:
        with running(command, environment, directory, log) as process:
            status = process.wait(timeout)
    except FileNotFoundError as error:
        raise CommandFailedError(f"`{name}` cannot be run: {error.filename} does not exist", "") from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailedError(f"`{name}` did not end within {timeout:.0f} seconds", tail(log)) from error
    if status:
        raise CommandFailedError(f"`{name}` failed with exit status {status}", tail(log))
    return log.read_text(errors="replace")


def tail(log: Path, lines: int = 25) -> str:
    """Return the last lines of a log file, or an empty text if there is no file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process and its group by SIGTERM, and by SIGKILL after GRACE_SECONDS."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin:
        process.stdin.close()
