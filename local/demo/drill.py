"""Part 3 of the demo: a restore drill shows that the new snapshot can be restored."""

import sys
import time
from pathlib import Path

from local import subprocesses
from local.aws import REGION, ROOT, LocalAws
from local.demo.console import DemoFailedError, Screen
from local.demo.plan import INSTANCE


def run_drill(screen: Screen, aws: LocalAws, timeout: float) -> None:
    """Restore the instance to a clone, and show what the command prints; raises DemoFailedError."""
    screen.say(f"\nCan {INSTANCE} be restored?", "bold")
    words = ["drill", INSTANCE, "--region", REGION]
    screen.command(["lightsail-snapshots", *words])
    aws.control("POST", "/_lightsail/settings", {"instanceSeconds": 1, "statusCheckSeconds": 1})
    with screen.step("Make a clone of it, ask the clone over HTTP, and delete it"):
        status = _run(screen, aws, words, timeout)
    aws.control("POST", "/_lightsail/settings", {"instanceSeconds": 0, "statusCheckSeconds": 0})
    if status != 0:
        raise DemoFailedError(f"The drill of {INSTANCE} has not passed; its output above says why.")


def _run(screen: Screen, aws: LocalAws, words: list[str], timeout: float) -> int | None:
    """Run the command line, print its output line by line, and return its exit status; None at the timeout."""
    command = [str(Path(sys.executable).with_name("lightsail-snapshots")), *words]
    log = aws.directory / "drill.log"
    shown, deadline = 0, time.monotonic() + timeout
    with subprocesses.running(command, aws.environment, ROOT, log) as process:
        status = None
        while status is None and time.monotonic() < deadline:
            time.sleep(0.1)
            status = process.poll()
            text = log.read_text(encoding="utf-8")
            end = text.rfind("\n") + 1
            if end > shown:
                screen.say(text[shown : end - 1])
                shown = end
    return status
