"""The part of the demo in which prune runs: what a preview shows, what is deleted, and what remains."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from local import subprocesses
from local.aws import ROOT, LocalAws
from local.demo.console import DemoFailedError, Screen
from local.log_tail import follow
from local.run_schedule import put_schedule_event

INSTANCE, REGION = "shop", "eu-central-1"
NIGHTS = 10
"""So many that the plan that ships lets one to three go, whatever day it is, and that not too many would go at once."""


def seed_nights(aws: LocalAws) -> None:
    """Makes an instance with the snapshots of some nights, one on hold and one made by hand: before all else.

    The emulator's clock begins in the past for it, and is at the present when it is done.
    """
    now = datetime.now(UTC)
    aws.control("POST", "/_lightsail/clock", {"time": (now - timedelta(days=NIGHTS + 1)).isoformat()})
    aws.make_instance(INSTANCE, REGION)
    lightsail = aws.client("lightsail", REGION)
    ours = {"managed-by": "lightsail-snapshots", "snapshot-plan": "daily", "snapshot-of": INSTANCE}
    _snapshot(lightsail, "shop-before-the-move", {})
    _snapshot(lightsail, "shop-of-the-audit", {**ours, "snapshot-hold": "until the audit is over"})
    for night in range(NIGHTS):
        aws.control("POST", "/_lightsail/clock", {"advance": 24 * 60 * 60})
        _snapshot(lightsail, f"{INSTANCE}-{now - timedelta(days=NIGHTS - night):%Y%m%dT%H%M%SZ}", ours)
    aws.control("POST", "/_lightsail/clock", {"advance": 24 * 60 * 60})


def _snapshot(lightsail: Any, name: str, tags: Mapping[str, str]) -> None:
    listed = [{"key": key, "value": value} for key, value in tags.items()]
    lightsail.create_instance_snapshot(instanceName=INSTANCE, instanceSnapshotName=name, tags=listed)


def run_prune(screen: Screen, aws: LocalAws, function: str, patience: float) -> None:
    """Shows the preview, lets prune run as its schedule would, and shows what remains; raises DemoFailedError."""
    screen.say(f"\n{INSTANCE} has snapshots of the last {NIGHTS} nights. What would go, and why:", "bold")
    screen.paste("make preview", "$ ")
    environment = {**aws.environment, "COLUMNS": str(screen.console.width)}
    command = [sys.executable, str(ROOT / "cli/lightsail_snapshots_cli/preview.py"), str(aws.directory / "plans.toml")]
    screen.say(subprocesses.run(command, environment, ROOT, aws.directory / "preview.log", timeout=60).rstrip())
    since = datetime.now(UTC)
    screen.say()
    with screen.step("Let prune run now, with the event that its schedule puts on the bus every hour"):
        put_schedule_event(aws, "prune", datetime.now(UTC))
    _follow(screen, aws, function, since, patience)
    left = aws.client("lightsail", REGION).get_instance_snapshots()["instanceSnapshots"]
    own = sorted((one for one in left if one["fromInstanceName"] == INSTANCE), key=lambda one: one["createdAt"])
    screen.grid(
        f"What remains of {INSTANCE}, as Lightsail shows it",
        ("taken", "snapshot", "state"),
        [(f"{one['createdAt']:%Y-%m-%d %H:%M}", one["name"], one["state"]) for one in reversed(own)],
    )


def _follow(screen: Screen, aws: LocalAws, function: str, since: datetime, patience: float) -> None:
    done = False
    for line in follow(aws, function, patience, since):
        screen.log(line)
        done = done or line.message == "Pruned"
        if done and line.level == "METRIC":
            return  # the metrics of an invocation come last
    raise DemoFailedError(f"After {patience:g} s prune is not done. Its log above says why.")
