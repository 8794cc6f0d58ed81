"""Measures a cold start: from the start of a process to the answer to its first event, by AWS's own runtime client.

The first event of `create` is a message of a person who waits: two calls of Lightsail and one of SQS, by two clients.
`bare` makes one call by one client. benchmarks/aws.py has both.
"""

import re
import shutil
import time

from benchmarks.aws import Variant, messages

TIME_BUDGET = 0.72
INSTRUCTIONS_BUDGET = 0.72
"""At most this much of a bare function's cold start."""


def milliseconds(variants: tuple[Variant, Variant], runs: int) -> dict[str, list[float]]:
    """Return the time of so many cold starts of each variant, in turn."""
    taken: dict[str, list[float]] = {variant.name: [] for variant in variants}
    for run in range(runs + 1):
        for variant in variants if run % 2 else reversed(variants):
            with variant.function() as function:
                started = time.perf_counter()
                variant.invoke(function, messages())
                passed = time.perf_counter() - started
            if run:  # the first one fills the disk cache
                taken[variant.name].append(1000 * passed)
    return taken


def instructions(variant: Variant) -> float | None:
    """Return the million instructions of a cold start, which no other process affects; None without valgrind."""
    if not shutil.which("valgrind"):
        return None
    log = variant.folder / "valgrind"
    counter = (
        "valgrind",
        "--tool=cachegrind",
        "--cache-sim=no",
        "--cachegrind-out-file=/dev/null",
        f"--log-file={log}",
    )
    with variant.function(wrapper=counter, timeout=300) as function:
        variant.invoke(function, messages())
    found = re.search(r"I\s+refs:\s+([\d,]+)", log.read_text())
    return int(found[1].replace(",", "")) / 1e6 if found else None
