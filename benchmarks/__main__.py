"""Every claim about speed, in one table: `make bench`. Each row is measured with its reference in the same run.

Calls, sizes and what runs on a virtual clock are the same on every machine. Times are not, their ratios nearly.
"""

import io
import statistics
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path

from benchmarks import cold_start, retention
from benchmarks.throttled_fleet.fleet import simulate, until_available
from benchmarks.throttled_fleet.peers import auto_snapshots, lightsnap, run_peer
from infra.asset.build import build_asset
from lightsail_snapshots.retention import decide

COLD_STARTS = 15


@dataclass(frozen=True)
class Row:
    """One claim."""

    what: str
    ours: float
    reference: float
    unit: str
    budget: float
    """The most that `ours` may be, in times of the reference."""

    @property
    def ratio(self) -> float:
        """Ours in times of the reference."""
        return self.ours / self.reference

    def __str__(self) -> str:
        """Write it as a line of the table."""
        verdict = "ok" if self.ratio <= self.budget else "MISSED"
        values = f"{self.ours:>9.2f} {self.reference:>9.2f} {self.unit:8} {self.ratio:>6.2f} {self.budget:>6.2f}"
        return f"{self.what:58} {values}  {verdict}"


def fleets() -> Iterator[Row]:
    """Compare fleets with what somebody does who knows Lightsail's rate."""
    for rate in (5, 20, 100):
        found = simulate(1000, rate)
        what = f"1,000 instances at {rate}/s"
        yield Row(f"{what}: lost or doubled, +1", 1 + found.lost + found.doubled, 1, "", 1)
        yield Row(f"{what}: last snapshot made", found.last_made, found.ideal, "s", 1.5)
        yield Row(f"{what}: throttled calls for each", found.throttled, 1, "calls", 0.3)
        yield Row(f"{what}: calls for each, to 2 needed", found.calls, 2, "calls", 1.25)


def awaited() -> Iterator[Row]:
    """Compare when a person hears of a snapshot with when it is usable."""
    for seconds, most in ((20, 30), (60, 75), (200, 235)):
        heard = max(until_available(seconds, seed) for seed in range(5))
        yield Row(f"a person hears of a snapshot that takes {seconds} s", heard, seconds, "s", most / seconds)


def peers() -> Iterator[Row]:
    """Compare fleets with what becomes of them if a script takes their snapshots, in one invocation of 15 minutes."""
    ours = simulate(1000, 1)
    for name, peer in (("lightsail-auto-snapshots", auto_snapshots), ("lightsnap", partial(lightsnap, instances=1000))):
        lost = run_peer(peer, 1000, 1).lost
        yield Row(f"lost of 1,000 at 1/s, +1, to {name}", 1 + ours.lost, 1 + lost, "", 1)


def asset() -> Iterator[Row]:
    """Compare the size of the asset with its budget."""
    with (
        tempfile.TemporaryDirectory() as folder,
        zipfile.ZipFile(zipped := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as z,
    ):
        build_asset(Path(folder))
        for path in Path(folder).rglob("*"):
            z.write(path, path.relative_to(folder))
    yield Row("asset, zipped, to a typical one", len(zipped.getvalue()) / 2**20, 19.1, "MiB", 2.7 / 19.1)


def decisions() -> Iterator[Row]:
    """Compare `decide` with sorting."""
    for what, per_instance in (("50 of each instance", 50), ("all of one instance", 10**9)):
        snapshots = retention.listing(100_000, per_instance)
        sorting = retention.seconds(partial(sorted, snapshots, key=attrgetter("created_at", "name")), 5)
        deciding = retention.seconds(partial(decide, snapshots, [retention.PLAN], retention.NOW), 3)
        yield Row(f"decide on 100,000 snapshots, {what}", deciding, sorting, "s", retention.TIMES_SORTING)
        memory = retention.bytes_each(50_000, per_instance)
        yield Row(f"decide: memory for each, {what}", memory, retention.BYTES_EACH, "bytes", 1)


def cold_starts() -> Iterator[Row]:
    """Compare a cold start of `create` with that of a bare function."""
    with tempfile.TemporaryDirectory(prefix="cold-start-") as scratch, cold_start.answering() as url:
        folder = Path(scratch)
        variants = cold_start.build_variants(folder)
        taken: dict[str, list[float]] = {variant.name: [] for variant in variants}
        for run in range(COLD_STARTS + 1):
            for variant in variants if run % 2 else reversed(variants):
                seconds = cold_start.cold_start(variant, folder, url)
                if run:  # the first one fills the disk cache
                    taken[variant.name].append(1000 * seconds)
    create, bare = (statistics.median(taken[name]) for name in ("create", "bare"))
    yield Row("cold start of create, to bare boto3", create, bare, "ms", cold_start.BUDGET)


def days() -> Iterator[Row]:
    """Compare the calls of an ordinary day with those of a script."""
    from benchmarks import daily_calls  # noqa: PLC0415 - it sets the environment of all functions

    each = daily_calls.count_calls(1000).total() / 1000
    least = daily_calls.LEAST
    yield Row(
        "calls a day for each of 1,000 instances, to a script's", each, least, "calls", daily_calls.BUDGET / least
    )


def main() -> int:
    """Print the table; return 1 if a budget is missed."""
    print(f"{'what':58} {'ours':>9} {'reference':>9} {'':8} {'ratio':>6} {'budget':>6}")
    is_good = True
    for part in (asset, fleets, awaited, peers, decisions, cold_starts, days):
        for row in part():
            print(row, flush=True)
            is_good = is_good and row.ratio <= row.budget
    return int(not is_good)


if __name__ == "__main__":
    sys.exit(main())
