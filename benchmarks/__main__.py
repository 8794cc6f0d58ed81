"""Every claim about speed, in one table: `make bench`. Each row is measured with its reference in the same run.

`python -m benchmarks functions` prints only the rows of the functions; the other names are those of the parts below.

Calls, sizes and what runs on a virtual clock are the same on every machine. Times are not, their ratios nearly.
"""

import io
import statistics
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path

from benchmarks import aws, cold_start, retention, warm
from benchmarks.throttled_fleet.fleet import simulate, until_available
from benchmarks.throttled_fleet.peers import auto_snapshots, lightsnap, run_peer
from infra.asset.build import build_asset
from lightsail_snapshots.retention import decide

COLD_STARTS = 25
CPU_ROUNDS = 9


@dataclass(frozen=True)
class Row:
    """One claim."""

    what: str
    ours: float
    reference: float
    unit: str
    budget: float
    """The most that `ours` may be, in times of the reference."""
    if_missed: str = ""
    """Why the budget is missed, and what would be needed."""

    @property
    def ratio(self) -> float:
        """Ours in times of the reference."""
        return self.ours / self.reference

    @property
    def is_good(self) -> bool:
        return self.ratio <= self.budget

    def __str__(self) -> str:
        """Write it as a line of the table, with a second one if the budget is missed."""
        verdict = "ok" if self.is_good else f"MISSED\n  {self.if_missed}".rstrip()
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
        why = "`decide` is no slower than for a fleet, but these sort faster: needs a tenth less work for each snapshot"
        yield Row(f"decide on 100,000 snapshots, {what}", deciding, sorting, "s", retention.TIMES_SORTING, why)
        memory = retention.bytes_each(50_000, per_instance)
        yield Row(f"decide: memory for each, {what}", memory, retention.BYTES_EACH, "bytes", 1)


def functions() -> Iterator[Row]:
    """Compare `create` with a bare function: its cold start, its CPU time and its memory."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch, aws.variants(Path(scratch)) as variants:
        bare, create = variants
        taken = cold_start.milliseconds(variants, COLD_STARTS)
        yield Row("cold start of create", *_medians(taken), "ms", cold_start.TIME_BUDGET)
        counts = [cold_start.instructions(variant) for variant in (create, bare)]
        if counts[0] and counts[1]:
            yield Row("the same in instructions", counts[0], counts[1], "million", cold_start.INSTRUCTIONS_BUDGET)
        else:
            print("(valgrind was not found: no count of instructions)")
        taken = warm.cpu_of_one_message(variants, CPU_ROUNDS)
        yield Row("CPU of a message with copied tags", *_medians(taken), "ms", warm.CPU_BUDGET, warm.IF_CPU_IS_MISSED)
        if warm.CAN_READ_MEMORY:
            peak, reference = warm.peak_memory(create), warm.peak_memory(bare)
            what = f"peak memory after {warm.MEMORY_BATCHES:,} batches of {warm.BATCH}"
            yield Row(what, peak, reference, "MiB", warm.MEMORY_BUDGET / reference)


def _medians(taken: Mapping[str, list[float]]) -> tuple[float, float]:
    return statistics.median(taken["create"]), statistics.median(taken["bare"])


def days() -> Iterator[Row]:
    """Compare the calls of an ordinary day with those of a script."""
    from benchmarks import daily_calls  # noqa: PLC0415 - it sets the environment of all functions

    each = daily_calls.count_calls(1000).total() / 1000
    least = daily_calls.LEAST
    yield Row(
        "calls a day for each of 1,000 instances, to a script's", each, least, "calls", daily_calls.BUDGET / least
    )


PARTS = {part.__name__: part for part in (asset, fleets, awaited, peers, decisions, functions, days)}


def main() -> int:
    """Print the table, or the named parts of it; return 1 if a budget is missed."""
    if note := aws.python_note():
        print(note)
    print(f"{'what':58} {'ours':>9} {'reference':>9} {'':8} {'ratio':>6} {'budget':>6}")
    is_good = True
    for name in sys.argv[1:] or PARTS:
        for row in PARTS[name]():
            print(row, flush=True)
            is_good = is_good and row.is_good
    return int(not is_good)


if __name__ == "__main__":
    sys.exit(main())
