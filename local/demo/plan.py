"""The part of the demo in which a plan runs: the plans.toml that ships, and instances in six Regions."""

import time
from pathlib import Path
from typing import Any

from local.aws import ROOT, LocalAws
from local.demo.console import DemoFailedError, Screen
from local.run_schedule import run_schedule

PLAN = "daily"
INSTANCE, UNTAGGED = "blog", "scratch"
PLAN_REGIONS = ("eu-central-1", "us-east-1")
"""Those of the line `# regions` in the file that ships: the demo switches it on, to show more than one."""
OTHER_REGIONS = ("eu-west-1", "us-west-2", "ap-south-1", "ap-southeast-2")


def write_plans(directory: Path) -> Path:
    """Writes the plans.toml that ships, with its line `# regions` switched on, and returns where it is."""
    path = directory / "plans.toml"
    path.write_text((ROOT / "plans.toml").read_text(encoding="utf-8").replace("\n# regions", "\nregions"), "utf-8")
    return path


def run_plan(screen: Screen, aws: LocalAws, patience: float) -> None:
    """Makes instances, lets the plan run, and shows what came of it; raises DemoFailedError."""
    screen.say()
    with screen.step("Make an instance tagged backup = daily in six Regions, and one without a tag"):
        for region in (*PLAN_REGIONS, *OTHER_REGIONS):
            aws.make_instance(INSTANCE, region, {"backup": PLAN})
        aws.make_instance(UNTAGGED, PLAN_REGIONS[0])
    with screen.step(f"Let the Scheduler run the plan {PLAN} once, now and not at 03:15"):
        run_schedule(aws, PLAN)
    with screen.step("See the tagged instances of its two Regions get a snapshot, until it is usable"):
        snapshots = _wait(aws, patience)
    screen.grid(
        "What the plan did, as Lightsail shows it",
        ("plan", "Region", "instance", "snapshot", "state"),
        [_row(snapshot) for snapshot in snapshots],
    )


def _wait(aws: LocalAws, patience: float) -> list[dict[str, Any]]:
    """Returns the plan's snapshots in all six Regions, when there are enough and all are usable."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = [one for region in (*PLAN_REGIONS, *OTHER_REGIONS) for one in _snapshots(aws, region)]
        if len(found) >= len(PLAN_REGIONS) and all(one["state"] == "available" for one in found):
            return found
        time.sleep(0.25)
    raise DemoFailedError(f"After {patience:g} s the plan {PLAN} has no usable snapshots in {', '.join(PLAN_REGIONS)}.")


def _snapshots(aws: LocalAws, region: str) -> list[dict[str, Any]]:
    found = aws.client("lightsail", region).get_instance_snapshots()["instanceSnapshots"]
    return [one for one in found if one["fromInstanceName"] in (INSTANCE, UNTAGGED)]


def _row(snapshot: dict[str, Any]) -> tuple[str, ...]:
    region = snapshot["location"]["regionName"]
    return PLAN, region, snapshot["fromInstanceName"], snapshot["name"], snapshot["state"]
