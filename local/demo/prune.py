"""Part 4 of the demo: preview shows what prune would delete, and prune deletes it."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lightsail_snapshots.naming import our_tags
from local import subprocesses
from local.aws import ROOT, LocalAws
from local.demo.console import DemoFailedError, Screen
from local.log_tail import follow
from local.run_schedule import put_schedule_event

INSTANCE, REGION = "shop", "eu-central-1"
NIGHTS = 10
"""With ten nights, the plan in plans.toml deletes one to three snapshots on any day."""


def seed_nights(aws: LocalAws) -> None:
    """Create an instance with nightly snapshots, one on hold, and one taken by a person; do this first.

    It sets the emulator's clock back, and advances it to the present.
    """
    now = datetime.now(UTC)
    aws.control("POST", "/_lightsail/clock", {"time": (now - timedelta(days=NIGHTS + 1)).isoformat()})
    aws.make_instance(INSTANCE, REGION)
    lightsail = aws.client("lightsail", REGION)
    _snapshot(lightsail, "shop-before-the-move", {})
    on_hold = "shop-of-the-audit"
    _snapshot(lightsail, on_hold, {**_our_tags(on_hold), "snapshot-hold": "until the audit is over"})
    for night in range(NIGHTS):
        aws.control("POST", "/_lightsail/clock", {"advance": 24 * 60 * 60})
        name = f"{INSTANCE}-{now - timedelta(days=NIGHTS - night):%Y%m%dT%H%M%SZ}"
        _snapshot(lightsail, name, _our_tags(name))
    aws.control("POST", "/_lightsail/clock", {"advance": 24 * 60 * 60})


def _our_tags(name: str) -> dict[str, str]:
    return our_tags(name, INSTANCE, plan="daily", keep="last=7 weekly=4 monthly=6")


def _snapshot(lightsail: Any, name: str, tags: Mapping[str, str]) -> None:
    listed = [{"key": key, "value": value} for key, value in tags.items()]
    lightsail.create_instance_snapshot(instanceName=INSTANCE, instanceSnapshotName=name, tags=listed)


def run_prune(screen: Screen, aws: LocalAws, function: str, timeout: float) -> None:
    """Show the preview, run prune as its schedule does, and show what is left; raises DemoFailedError."""
    screen.say(f"\n{INSTANCE} has snapshots of the last {NIGHTS} nights. What would prune delete, and why?", "bold")
    screen.paste("make preview", "$ ")
    environment = {**aws.environment, "COLUMNS": str(screen.console.width)}
    command_line = Path(sys.executable).with_name("lightsail-snapshots")
    command = [str(command_line), "preview", "--plans", str(aws.directory / "plans.toml")]
    screen.say(subprocesses.run(command, environment, ROOT, aws.directory / "preview.log", timeout=60).rstrip())
    since = datetime.now(UTC)
    screen.say()
    with screen.step("Run prune now, with the event that its schedule puts on the bus every day"):
        put_schedule_event(aws, "prune", datetime.now(UTC))
    _follow_log(screen, aws, function, since, timeout)
    remaining = aws.client("lightsail", REGION).get_instance_snapshots()["instanceSnapshots"]
    of_instance = [one for one in remaining if one["fromInstanceName"] == INSTANCE]
    of_instance.sort(key=lambda one: one["createdAt"], reverse=True)
    screen.grid(
        f"The remaining snapshots of {INSTANCE}, as Lightsail shows them",
        ("taken", "snapshot", "state"),
        [(f"{one['createdAt']:%Y-%m-%d %H:%M}", one["name"], one["state"]) for one in of_instance],
    )


def _follow_log(screen: Screen, aws: LocalAws, function: str, since: datetime, timeout: float) -> None:
    done = False
    for line in follow(aws, function, timeout, since):
        screen.log(line)
        done = done or line.message == "Pruned"
        if done and line.level == "METRIC":
            return  # a function logs its metrics last
    raise DemoFailedError(f"Prune has not finished after {timeout:g} seconds. Its log above says why.")
