"""Prints a line for each fleet, with a verdict; returns 1 if a fleet misses a goal."""

import argparse
import os
import statistics
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import benchmarks.throttled_fleet
from benchmarks.throttled_fleet.fleet import Result, simulate

FLEETS = [(1, 1000), *((rate, size) for rate in (3, 5, 20, 100) for size in (100, 1000, 10_000))]
"""Calls per second, and instances."""
TIMES_IDEAL = 1.5
"""The last snapshot of a large fleet may be made this much later than ideal."""
HEAD = (
    f"{'rate':>5} {'size':>6} buckets  {'lost':>4} {'doubled':>7}  {'last made':>9} {'ideal':>6} {'ratio':>6}  "
    f"{'throttled':>9} {'calls':>5} {'deliveries':>10} {'finished':>8} {'$ for retries':>13}  verdict"
)


@dataclass(frozen=True)
class Cell:
    """What became of one fleet with each of some seeds."""

    rate: float
    size: int
    is_one_bucket: bool
    runs: list[Result]

    def mean(self, name: str) -> float:
        """Return the mean of a field of the results."""
        return statistics.fmean(getattr(run, name) for run in self.runs)

    def worst(self, name: str) -> float:
        """Return the largest value of a field of the results."""
        return max(float(getattr(run, name)) for run in self.runs)

    @property
    def missed(self) -> Iterator[str]:
        """The goals that it misses."""
        if self.worst("lost"):
            yield "loses"
        if self.worst("doubled"):
            yield "doubles"
        is_usual = self.rate >= 5 and self.size <= 1000
        if self.mean("throttled") > (0.3 if is_usual else 0.6):
            yield "is throttled too often"
        # A smaller fleet takes mostly what its own calls and cold starts take.
        if self.rate >= 5 and self.size >= 1000 and self.mean("last_made") > TIMES_IDEAL * self.mean("ideal"):
            yield "is slow"

    def __str__(self) -> str:
        """Write it as a line of the table."""
        ratio = self.mean("last_made") / self.mean("ideal")
        return (
            f"{self.rate:>5g} {self.size:>6} {'one' if self.is_one_bucket else 'each':7}  {self.worst('lost'):>4.0f}"
            f" {self.worst('doubled'):>7.0f}  {self.mean('last_made'):>9.0f} {self.mean('ideal'):>6.0f} {ratio:>6.2f}"
            f"  {self.mean('throttled'):>9.2f} {self.mean('calls'):>5.2f} {self.mean('deliveries'):>10.1f}"
            f" {self.mean('finished'):>8.0f} {self.mean('extra_usd'):>13.1e}  {', '.join(self.missed) or 'ok'}"
        )


def cells(most: int, rates: list[float], seeds: int, jobs: int) -> Iterator[Cell]:
    """Simulate the fleets of these rates and of at most so many instances."""
    with ProcessPoolExecutor(jobs) as pool:
        running = [
            (
                rate,
                size,
                is_one,
                [pool.submit(simulate, size, rate, is_one_bucket=is_one, seed=n) for n in range(seeds)],
            )
            for rate, size in sorted(FLEETS, key=lambda fleet: fleet[1])
            for is_one in (True, False)
            if size <= most and rate in rates
        ]
        for rate, size, is_one, runs in running:
            yield Cell(rate, size, is_one, [run.result() for run in runs])


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.throttled_fleet",
        description=benchmarks.throttled_fleet.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--all", action="store_true", help="also fleets of 10,000: half an hour on one core")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each fleet (5)")
    parser.add_argument("--rates", type=float, nargs="*", default=[1, 3, 5, 20, 100], help="calls per second")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (one for each core)")
    given = parser.parse_args()
    print(HEAD)
    is_good = True
    for cell in cells(10_000 if given.all else 1000, given.rates, given.seeds, given.jobs):
        print(cell, flush=True)
        is_good = is_good and not list(cell.missed)
    return int(not is_good)


if __name__ == "__main__":
    sys.exit(main())
