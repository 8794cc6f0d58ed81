"""Child processes end with this process, and a failure shows why."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import subprocesses
from local.aws import local_aws
from local.demo import __main__ as demo
from local.subprocesses import CommandFailedError

LOG = "child.log"


def run(directory: Path, script: str, timeout: float = 60) -> str:
    return subprocesses.run([sys.executable, "-c", script], os.environ, directory, directory / LOG, timeout)


def test_run_returns_both_output_streams(tmp_path: Path) -> None:
    assert run(tmp_path, "import sys; print('one', flush=True); print('two', file=sys.stderr)") == "one\ntwo\n"


def test_run_raises_with_the_last_output_when_the_command_fails(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="failed with exit status 3") as failure:
        run(tmp_path, "print('why'); raise SystemExit(3)")

    assert failure.value.tail == "why"


def test_run_ends_the_command_when_it_takes_too_long(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="did not end within 1 seconds"):
        run(tmp_path, "import time; time.sleep(600)", timeout=1)


def test_run_names_the_command_when_it_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="/no/such/cdk does not exist"):
        subprocesses.run(["/no/such/cdk", "deploy"], {}, tmp_path, tmp_path / LOG)


def test_running_ends_the_whole_process_group_when_all_of_it_ignores_sigterm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocesses, "GRACE_SECONDS", 0.2)
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True);"
    script = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {stubborn!r} + 'time.sleep(600)']);"
    log = tmp_path / LOG

    with subprocesses.running(
        [sys.executable, "-c", f"{script} {stubborn} time.sleep(600)"], os.environ, tmp_path, log
    ) as child:
        deadline = time.monotonic() + 60
        while log.read_text().count("up") < 2 and time.monotonic() < deadline:
            time.sleep(0.05)

    assert child.returncode == -9
    deadline = time.monotonic() + 60
    while _group_lives(child.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _group_lives(child.pid)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT interrupt the test, even if a shell has started it in the background, which ignores SIGINT."""
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, usual)


@pytest.mark.usefixtures("interruptible")
def test_running_ends_the_child_when_a_signal_arrives_while_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = subprocess.Popen
    started = []

    def interrupted(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(start(*arguments, **options))
        signal.raise_signal(signal.SIGINT)
        return started[0]

    monkeypatch.setattr("subprocess.Popen", interrupted)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "import time; time.sleep(600)")

    assert started[0].returncode is not None


@pytest.mark.usefixtures("interruptible")
def test_local_aws_leaves_no_folder_when_a_signal_arrives_while_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tempfile.mkdtemp

    def interrupted(*arguments: Any) -> str:
        name = str(make(*arguments))
        signal.raise_signal(signal.SIGINT)
        return name

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(tempfile, "mkdtemp", interrupted)

    with pytest.raises(KeyboardInterrupt), local_aws():
        pass

    assert list(tmp_path.iterdir()) == []


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_demo_exits_with_status_1_and_the_reason_when_a_step_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise CommandFailedError("The local AWS did not start", "address already in use")

    monkeypatch.setattr(demo, "local_aws", refuse)
    monkeypatch.setattr(demo, "_unwind_on_signals", lambda: None)
    monkeypatch.setattr(sys, "argv", ["demo"])

    assert demo.main() == 1

    shown = capsys.readouterr().out
    assert "✘ Start a local AWS" in shown
    assert "address already in use\n✘ The local AWS did not start\n" in shown
