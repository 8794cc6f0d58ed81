"""A fault campaign: the shipped handlers on a virtual clock, while everything goes wrong that can.

`make chaos` runs five seeds of two weeks, and each deliberate bug, which must be noticed in one of them. The same seed
gives the same campaign.
"""

import json
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from tests.infra.bad_year import AWAY, HOME, START, template
from tests.infra.chaos_books import Books, verdict
from tests.infra.chaos_bugs import BUGS, DoesNotApplyError, bug
from tests.infra.chaos_world import ALL_FAULTS, DAY, World
from tests.support.cloud import deployed_as

QUIET = timedelta(hours=32)
"""At the end, without faults: longer than `copy` retries."""
SEEDS = range(1, 6)
DAYS = 14
DAYS_OF_A_BUG = 8


@dataclass
class Report:
    """What came of one campaign."""

    problems: list[str]
    books: Books
    figures: dict[str, Any]


def campaign(seed: int, days: int) -> Report:
    """Run some days of faults, with one of a Region down, and then days without."""
    with deployed_as(World, template(), START) as world:
        world.random.seed(seed)
        world.stopped_schedules.add("audit")  # each hour; the daily one runs
        world.emulator.settings.page_size = 3
        world.emulator.settings.copy_carries_tags = seed % 2 == 1
        with patch.object(world.emulator, "handle", world.handle), patch("time.sleep"):
            for name in ("web-1", "web-2", "db-1", "db-2"):
                world.make(name, {"backup": "daily", "team": "blue"})
            for name in ("shop-1", "shop-2"):
                world.make(name, {})
            world.make("theirs-1", {}, AWAY)
            world.down = world.random.choice((HOME, AWAY)), START + DAY * (days // 2) + timedelta(hours=8)
            world.run(days * DAY)
            world.is_quiet = True
            world.run(QUIET)
        return _report(world)


def _report(world: World) -> Report:
    failed = {
        (detail["plan"], detail["scheduledTime"])
        for message in world.dead_letters("FanOutFailures")
        for detail in [json.loads(message)["requestPayload"]["detail"]]
    }
    left = {each: len(messages) for each, messages in world.queues.items() if each.startswith(("CreateQ", "CopyQ"))}
    problems = verdict(world.books, world.events, failed, left)
    made = [each.actor for each in world.books.made.values()]
    figures = {
        "slots": len(world.books.expected),
        "snapshots": made.count("create"),
        "copies": made.count("copy"),
        "deleted": list(world.books.deleted.values()).count("prune"),
        "messages": sum("Queue" in each for each in world.sent),
        "events": len(world.events),
        "faults": sum(world.books.faults.values()),
        "calls": f"{world.books.factor:.2f} x the least",
    }
    return Report(problems, world.books, figures)


def main() -> int:
    """Run all seeds and bugs, and write what came of them; return how many did not end as they should."""
    wrong, missing = 0, set(ALL_FAULTS)
    for seed in SEEDS:
        report = campaign(seed, DAYS)
        wrong += bool(report.problems)
        missing -= {each for each, count in report.books.faults.items() if count}
        print(f"seed {seed}: {report.figures}", *report.problems, sep="\n  ", flush=True)
    if missing:
        wrong += 1
        print("never happened:", *sorted(missing))
    for each in BUGS:
        try:
            with bug(each):
                problems = next(filter(None, (campaign(seed, DAYS_OF_A_BUG).problems for seed in SEEDS)), [])
        except DoesNotApplyError as error:
            problems, text = [], f"DOES NOT APPLY: {error}"
        else:
            text = problems[0] if problems else "NOT NOTICED"
        wrong += not problems
        print(f"bug {each.__name__}: {text}", flush=True)
    print(f"{wrong} campaigns went wrong." if wrong else "All campaigns ended as they should.")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
