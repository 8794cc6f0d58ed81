"""`make demo`, to its end and stopped by a signal: it leaves no files or processes behind."""

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from local.aws import ROOT
from tests.e2e.deployment import TIMEOUT_SECONDS, eventually

Demo = subprocess.Popen[bytes]

USER_SETTINGS = {
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9"),
    **dict.fromkeys(("AWS_PROFILE", "AWS_REGION"), "nonsense"),
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}
"""What a user may have set, and the demo must ignore."""

DEMO_SECONDS = 300
"""Enough for the whole demo on a busy machine."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder; the paths of pytest's own are too long for a temporary folder (see local.aws)."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "tmp").mkdir()
        yield Path(name)


@pytest.fixture
def demo(folder: Path) -> Iterator[Demo]:
    """`python -m local.demo --keep`, with its output and its temporary files in the folder."""
    with (folder / "output").open("wb") as output:
        command = [sys.executable, "-m", "local.demo", "--keep"]
        environment = {**os.environ, **USER_SETTINGS, "TMPDIR": str(folder / "tmp")}
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output) as process:  # noqa: S603 - our own command
            yield process
            process.kill()


def _output(folder: Path) -> str:
    return (folder / "output").read_text()


def _until(folder: Path, demo: Demo, text: str) -> None:
    """Wait until the demo prints a text."""
    deadline = time.monotonic() + DEMO_SECONDS
    while text not in (output := _output(folder)) and demo.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert text in output


def _stop(demo: Demo, folder: Path, number: signal.Signals) -> int:
    """Send a signal, check that nothing is left of the demo, and return its exit status."""
    demo.send_signal(number)
    status = demo.wait(TIMEOUT_SECONDS)
    assert list((folder / "tmp").iterdir()) == []
    assert _processes_of(folder) == []
    return status


def _processes_of(folder: Path) -> list[str]:
    """Return the commands of all processes that have the demo's temporary folder in their environment.

    It reads /proc; on macOS, which has none, it finds nothing.
    """
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # the process has ended
            if str(folder / "tmp").encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def test_demo_shows_a_usable_snapshot_and_leaves_nothing_behind(demo: Demo, folder: Path) -> None:
    _until(folder, demo, "a day ahead of yours")  # the last line before the function's log
    assert _processes_of(folder)
    _paste(_output(folder).partition("paste this into another terminal:")[2])

    status = _stop(demo, folder, signal.SIGINT)

    shown = _output(folder)
    assert status == 130
    for text in ("$ aws events put-events", "Snapshot is usable", "available", "managed-by = lightsail-snapshots"):
        assert text in shown
    rows = [line.split() for line in shown.splitlines() if line.startswith("│ daily")]
    assert [(row[3], row[5], row[9]) for row in rows] == [
        (region, "blog", "available") for region in ("eu-central-1", "us-east-1")
    ]
    assert re.search(r"\n[1-3] of 15 snapshots would go now\. Nothing was deleted\.\n", shown)  # by the day of the week
    drill = shown.partition("$ lightsail-snapshots drill blog")[2].partition("What would prune delete")[0]
    assert re.search(r"\nblog-\S+ in us-east-1: passed, restored in \d+ s, for 0\.0161\s+USD\n", drill)
    assert "✔ Make a clone of it, ask the clone over HTTP, and delete it" in drill
    assert "The remaining snapshots of shop" in shown.partition("  INFO    Pruned")[2]
    assert shown.endswith("Nothing is left behind.\n")


def _paste(shown: str) -> None:
    """Run every command that the demo prints at its end, with the AWS CLI of these tests."""
    commands = [line for line in shown.splitlines() if line.startswith(("export ", "unset ", "aws ", "curl "))]
    assert [line.split()[0] for line in commands].count("aws") == 3
    tests = shlex.quote(str(Path(sys.executable).parent))
    script = "\n".join([commands[0], f"export PATH={tests}:$PATH", *commands[1:]])
    subprocess.run(  # noqa: S603 - our own commands
        ["bash", "-ec", script],  # noqa: S607 - any bash
        check=True,
        env={**os.environ, **USER_SETTINGS},
        stdout=subprocess.DEVNULL,
        timeout=TIMEOUT_SECONDS,
    )


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("… Start a local AWS", signal.SIGINT),
        ("… Deploy the unmodified stack", signal.SIGTERM),
    ],
)
def test_demo_leaves_nothing_behind_when_a_signal_stops_it(
    demo: Demo, folder: Path, moment: str, number: signal.Signals
) -> None:
    _until(folder, demo, moment)

    assert _stop(demo, folder, number) == 130


def test_local_aws_ends_when_the_demo_is_killed(demo: Demo, folder: Path) -> None:
    _until(folder, demo, "… Bootstrap the account")

    demo.kill()
    demo.wait(TIMEOUT_SECONDS)

    eventually(lambda: not _gateways(folder), "end of the local AWS")


def _gateways(folder: Path) -> list[str]:
    return [command for command in _processes_of(folder) if "local.ministack.gateway" in command]
