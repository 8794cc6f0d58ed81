"""How many calls of Lightsail an ordinary day takes: `python -m benchmarks.daily_calls`.

The synthesized stack runs on a virtual clock, its functions call the emulator, and every call is counted. So the count
is the same on every machine. Lightsail does not document how many items a page has: with 20 in place of 40, each
listing costs twice as much, and the day 7.9 calls in place of 6.5.
"""

import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from local.lightsail.emulator import Answer, Call, Emulator
from local.lightsail.resources import InstanceSnapshot
from tests.infra.synthesized import synthesize
from tests.support.cloud import Cloud, deployed_as

HOME = "eu-central-1"
START = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ELSEWHERE = "in other Regions"
KEPT = 7
PAGE = 40
PLAN = f"""
notify = ["ops@example.com"]

[plans.daily]
schedule = "cron(15 3 * * ? *)"
select   = {{ all = true }}
keep     = {{ last = {KEPT} }}
max_age  = "26h"
regions  = ["{HOME}"]
"""
LEAST = 3 + (1 + KEPT) / PAGE
"""Calls of a script for each instance: take, look, delete, and list instances and snapshots once."""
BUDGET = 7
"""Our calls for each of 1,000 instances."""


@dataclass
class Counting(Cloud):
    """A stack that counts the calls of its functions."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By function and operation in the Region of the instances, or `ELSEWHERE`."""

    def _invoke(self, name: str, event: Any) -> Any:
        def handle(call: Call) -> Answer:
            self.calls[self._name(name), call.operation if call.region == HOME else ELSEWHERE] += 1
            return Emulator.handle(self.emulator, call)

        with patch.object(self.emulator, "handle", handle):
            return super()._invoke(name, event)


def count_calls(instances: int, *, settings: str = "", page: int = PAGE) -> Counter[tuple[str, str]]:
    """Let nights pass until snapshots are deleted, and count the calls of a day by function and operation.

    `settings` are lines of plans.toml above the plan.
    """
    with deployed_as(Counting, synthesize(settings + PLAN), START) as cloud:
        cloud.emulator.settings.page_size = page
        details = {"availabilityZone": f"{HOME}a", "blueprintId": "wordpress", "bundleId": "nano_3_0"}
        for number in range(instances):
            cloud.emulator.handle(Call("CreateInstances", {"instanceNames": [f"web-{number}"], **details}, HOME))
        cloud.run((KEPT + 1) * DAY)
        cloud.calls.clear()
        cloud.run(DAY)
        left = len(cloud.emulator.region(HOME).resources_of_type(InstanceSnapshot))
        if left != KEPT * instances:
            raise RuntimeError(f"{left} snapshots are left: this was no ordinary day")
        return cloud.calls


def main() -> int:
    """Print the calls of each function; return 1 if they are more than the budget."""
    instances = 1000
    calls = count_calls(instances)
    for (function, operation), count in sorted(calls.items()):
        print(f"{function:8} {operation:24} {count / instances:6.3f}")
    each = calls.total() / instances
    print(
        f"{each:.2f} calls for each of {instances} instances and day, {BUDGET} are allowed; a script makes {LEAST:.2f}"
    )
    return int(each > BUDGET)


if __name__ == "__main__":
    sys.exit(main())
