"""How the work of `decide` grows with the number of snapshots: `PYTHONPATH=lambda python -m benchmarks.retention`.

Half of the snapshots are copies in a second Region, under a plan with every rule, a time zone and `copy_to`; once as a
fleet of instances with 50 snapshots each, once all of a single instance. Calls are counted, so they are the same on
every machine: where they double with the number of snapshots, so does the work, but for the sorting.
"""

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import FrameType

from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.naming import COPY_OF_KEY, our_tags
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.retention import decide
from lightsail_snapshots.selection import Select
from lightsail_snapshots.snapshot import AVAILABLE, Snapshot

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEEP = Keep(last=7, hourly=24, daily=14, weekly=8, monthly=12, yearly=5, within=timedelta(days=3))
PLAN = Plan(
    name="daily",
    select=Select(all_instances=True),
    timezone="Europe/Berlin",
    keep=KEEP,
    copy_to=("eu-west-1",),
    max_deletes=10**9,
)


def listing(size: int, per_instance: int) -> list[Snapshot]:
    """Make `size` snapshots, copies included, `per_instance` of each instance in each of two Regions."""
    snapshots = []
    for number in range(size // 2):
        instance, night = divmod(number, per_instance)
        source = Snapshot(
            name=f"web-{number}",
            arn=f"arn:aws:lightsail:eu-central-1:123456789012:InstanceSnapshot/{number}",
            region="eu-central-1",
            state=AVAILABLE,
            created_at=NOW - timedelta(hours=7 * night + 1),
            instance_name=f"web-{instance}",
            instance_arn=f"arn:aws:lightsail:eu-central-1:123456789012:Instance/{instance}",
            tags=our_tags(f"web-{instance}", "daily", None),
        )
        copy = Snapshot(
            name=source.name,
            arn=source.arn.replace("eu-central-1", "eu-west-1"),
            region="eu-west-1",
            state=AVAILABLE,
            created_at=source.created_at,
            instance_name="",
            instance_arn="",
            tags={**source.tags, COPY_OF_KEY: source.copy_of},
        )
        snapshots += [source, copy]
    return snapshots


def seconds(snapshots: Sequence[Snapshot]) -> float:
    """Return the least processor time of three runs."""
    times = []
    for _ in range(3):
        before = time.process_time()
        decide(snapshots, [PLAN], NOW)
        times.append(time.process_time() - before)
    return min(times)


def calls(snapshots: Sequence[Snapshot]) -> int:
    """Count the calls of functions, those written in C included."""
    count = 0

    def profile(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        decide(snapshots, [PLAN], NOW)
    finally:
        sys.setprofile(None)
    return count


def main() -> None:
    """Print one table for each shape of fleet."""
    for title, instances_have in (("50 of each instance", 50), ("all of one instance", 10**9)):
        print(f"{title}\n{'snapshots':>10} {'calls':>10} {'ratio':>6} {'seconds':>8} {'ratio':>6}")
        last_calls, last_seconds = 0, 0.0
        for size in (12_500, 25_000, 50_000, 100_000):
            snapshots = listing(size, instances_have)
            now_calls, now_seconds = calls(snapshots), seconds(snapshots)
            ratios = (now_calls / last_calls, now_seconds / last_seconds) if last_calls else (0.0, 0.0)
            print(f"{size:>10} {now_calls:>10} {ratios[0]:>6.2f} {now_seconds:>8.2f} {ratios[1]:>6.2f}")
            last_calls, last_seconds = now_calls, now_seconds


if __name__ == "__main__":
    main()
