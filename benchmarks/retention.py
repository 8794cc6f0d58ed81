"""What `decide` costs, in time and memory: `python -m benchmarks.retention`.

Half of the snapshots are copies in a second Region, under a plan with every rule, a time zone and `copy_to`: once a
fleet of instances with 50 snapshots each, once all of a single instance. In an order of no meaning, as a listing may
be. Calls are counted, so they are the same on every machine: if they double with the number of snapshots, so does the
work, but for the sorting. Times are compared with sorting the same snapshots in the same run.
"""

import gc
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import attrgetter
from types import FrameType

from lightsail_snapshots.keep_rules import Keep, format_keep_tag
from lightsail_snapshots.naming import COPY_OF_KEY, our_tags
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.retention import decide
from lightsail_snapshots.selection import Select
from lightsail_snapshots.snapshot import AVAILABLE, Snapshot

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOME, AWAY = "eu-central-1", "eu-west-1"
KEEP = Keep(last=7, hourly=24, daily=14, weekly=8, monthly=12, yearly=5, within=timedelta(days=3))
PLAN = Plan(name="daily", select=Select(all_instances=True), timezone="Europe/Berlin", keep=KEEP, copy_to=(AWAY,))
TIMES_SORTING = 10
"""What `decide` may cost at 100,000 snapshots, in times of sorting them."""
BYTES_EACH = 1200
"""What a listing and its decisions may need at their peak, for each snapshot: 280,000 fit into 512 MB then."""


def listing(size: int, per_instance: int) -> list[Snapshot]:
    """Make `size` snapshots as they are listed, half of them copies, `per_instance` of each instance and Region."""
    snapshots = []
    for number in range(size // 2):
        instance, night = divmod(number, per_instance)
        name = f"web-{instance}-20261123T{number:06}Z-6f105a05"
        tags = our_tags(name, f"web-{instance}", plan="daily", keep=format_keep_tag(KEEP))
        source = Snapshot(
            name=name,
            arn=f"arn:aws:lightsail:{HOME}:123456789012:InstanceSnapshot/6a7e8feb-b491-4cf7-a9f1-{number:012}",
            region=HOME,
            state=AVAILABLE,
            created_at=NOW - timedelta(hours=7 * night + 1),
            instance_name=f"web-{instance}",
            instance_arn=f"arn:aws:lightsail:{HOME}:123456789012:Instance/6a7e8feb-b491-4cf7-a9f1-{instance:012}",
            tags=tags | {f"own-{index}": f"value {number}" for index in range(5)},
        )
        copy = Snapshot(
            name=name,
            arn=source.arn.replace(HOME, AWAY),
            region=AWAY,
            state=AVAILABLE,
            created_at=source.created_at,
            instance_name="",
            instance_arn="",
            tags={**source.tags, COPY_OF_KEY: source.copy_of},
        )
        snapshots += [source.compact(), copy.compact()]
    random.Random(size).shuffle(snapshots)  # noqa: S311 - an order, no secret
    return snapshots


def seconds(work: Callable[[], object], runs: int) -> float:
    """Return the least processor time of some runs."""
    times = []
    for _ in range(runs):
        before = time.process_time()
        work()
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


def bytes_each(size: int, per_instance: int) -> float:
    """Return the memory at its peak, from the listing to the decisions, for each snapshot."""
    gc.collect()
    tracemalloc.start()
    try:
        decide(listing(size, per_instance), [PLAN], NOW)
        return tracemalloc.get_traced_memory()[1] / size
    finally:
        tracemalloc.stop()


def measure(title: str, per_instance: int) -> float:
    """Print a table for one shape of fleet; return how many times its sorting `decide` costs at 100,000."""
    print(f"{title}\n{'snapshots':>10} {'calls':>10} {'each':>6} {'sorting':>8} {'decide':>8} {'ratio':>6}")
    ratio = 0.0
    for size in (12_500, 25_000, 50_000, 100_000):
        snapshots = listing(size, per_instance)
        made = calls(snapshots)
        sorting = seconds(partial(sorted, snapshots, key=attrgetter("created_at", "name")), 5)
        deciding = seconds(partial(decide, snapshots, [PLAN], NOW), 3)
        ratio = deciding / sorting
        print(f"{size:>10} {made:>10} {made / size:>6.1f} {sorting:>8.3f} {deciding:>8.3f} {ratio:>6.1f}")
    return ratio


def main() -> int:
    """Print the tables and the verdicts; return 1 if a limit is passed."""
    ratio = max(measure("50 of each instance", 50), measure("all of one instance", 10**9))
    memory = max(bytes_each(50_000, per_instance) for per_instance in (50, 10**9))
    print(f"{ratio:.1f} times sorting, {TIMES_SORTING} are allowed; {memory:.0f} bytes each, {BYTES_EACH} are allowed")
    return int(ratio > TIMES_SORTING or memory > BYTES_EACH)


if __name__ == "__main__":
    sys.exit(main())
