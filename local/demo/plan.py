"""Part 2 of the demo: a plan takes snapshots of the tagged instances in its Regions."""

import re
import time
from pathlib import Path
from typing import Any

from local.aws import ROOT, LocalAws
from local.demo.console import DemoFailedError, Screen
from local.run_schedule import run_schedule

PLAN = "daily"
INSTANCE, UNTAGGED = "blog", "scratch"
PLAN_REGIONS = ("eu-central-1", "us-east-1")
"""The Regions in the line `# regions` of plans.toml, which the demo uncomments to show more than one Region."""
OTHER_REGIONS = ("eu-west-1", "us-west-2", "ap-south-1", "ap-southeast-2")


def write_plans(directory: Path, port: int) -> Path:
    """Write a copy of plans.toml with its line `# regions` uncommented, and a drill that asks this port.

    Returns its path.
    """
    path = directory / "plans.toml"
    probe = f'probe = {{ port = {port}, protocol = "http", text = "It works" }}'
    text = (ROOT / "plans.toml").read_text(encoding="utf-8").replace("\n# regions", "\nregions")
    path.write_text(re.sub(r"\n# (drill .*?) }", rf"\n\1, {probe} }}", text, count=1), "utf-8")
    return path


def run_plan(screen: Screen, aws: LocalAws, timeout: float) -> None:
    """Create instances, run the plan, and show its snapshots; raises DemoFailedError."""
    screen.say()
    with screen.step("Create an instance tagged backup = daily in each of six Regions, and one without a tag"):
        for region in (*PLAN_REGIONS, *OTHER_REGIONS):
            aws.make_instance(INSTANCE, region, {"backup": PLAN})
        aws.make_instance(UNTAGGED, PLAN_REGIONS[0])
    with screen.step(f"Run the plan {PLAN} now instead of at 03:15, by a one-time schedule"):
        run_schedule(aws, PLAN)
    with screen.step("Wait for usable snapshots of the tagged instances in the plan's two Regions"):
        snapshots = _wait_for_snapshots(aws, timeout)
    screen.grid(
        "The snapshots in all six Regions, as Lightsail shows them",
        ("plan", "Region", "instance", "snapshot", "state"),
        [_row(snapshot) for snapshot in snapshots],
    )


def _wait_for_snapshots(aws: LocalAws, timeout: float) -> list[dict[str, Any]]:
    """Return the snapshots in all six Regions, once there are enough and all are usable."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        found = [one for region in (*PLAN_REGIONS, *OTHER_REGIONS) for one in _snapshots(aws, region)]
        if len(found) >= len(PLAN_REGIONS) and all(one["state"] == "available" for one in found):
            return found
        time.sleep(0.25)
    raise DemoFailedError(
        f"The plan {PLAN} has no usable snapshots in {' and '.join(PLAN_REGIONS)} after {timeout:g} seconds."
    )


def _snapshots(aws: LocalAws, region: str) -> list[dict[str, Any]]:
    found = aws.client("lightsail", region).get_instance_snapshots()["instanceSnapshots"]
    return [one for one in found if one["fromInstanceName"] in (INSTANCE, UNTAGGED)]


def _row(snapshot: dict[str, Any]) -> tuple[str, ...]:
    region = snapshot["location"]["regionName"]
    return PLAN, region, snapshot["fromInstanceName"], snapshot["name"], snapshot["state"]
