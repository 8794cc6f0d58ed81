"""Measures a warm function: the CPU time of one message, and the peak memory after many batches.

The messages are requests of a plan, with the instance's tags to copy: `create` makes two calls for each, `bare` one.
"""

import sys

from benchmarks.aws import Variant, messages
from local.lambda_runtime import Function

MEMORY_BATCHES = 2_400
BATCH = 10
MEMORY_BUDGET = 42.0
"""MiB."""
CPU_BUDGET = 1.6
"""At most so many times the CPU time of a bare function."""
IF_CPU_IS_MISSED = (
    "two calls against one: needs the instance's tags in the request of `fan_out`, which lists them anyway"
)

CAN_READ_MEMORY = sys.platform == "linux"

USAGE = """
import importlib, time

module, _, name = {handler!r}.rpartition(".")
inner = getattr(importlib.import_module(module), name)


def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def handler(event, context):
    return {{"cpu": time.process_time, "peak": peak}}[event]() if isinstance(event, str) else inner(event, context)
"""


def cpu_of_one_message(variants: tuple[Variant, Variant], rounds: int, each: int = 50) -> dict[str, list[float]]:
    """Return the milliseconds of CPU of one message: the mean of each round, the variants in turn."""
    functions = [(variant, _function(variant)) for variant in variants]
    taken: dict[str, list[float]] = {variant.name: [] for variant in variants}
    for number in range(rounds + 1):
        for variant, function in functions if number % 2 else reversed(functions):
            before = variant.invoke(function, "cpu")
            for _ in range(each):
                variant.invoke(function, messages(of_a_plan=True))
            spent = variant.invoke(function, "cpu") - before
            if number:  # the first round makes the connections
                taken[variant.name].append(1000 * spent / each)
    for _, function in functions:
        function.end()
    return taken


def peak_memory(variant: Variant, batches: int = MEMORY_BATCHES) -> float:
    """Return the peak memory of a process in MiB, after so many batches of ten. Linux only."""
    with _function(variant) as function:
        for _ in range(batches):
            variant.invoke(function, messages(BATCH, of_a_plan=True))
        return float(variant.invoke(function, "peak"))


def _function(variant: Variant) -> Function:
    """Return a function that also tells what it used."""
    (variant.asset / f"usage_{variant.name}.py").write_text(USAGE.format(handler=variant.handler))
    return variant.function(f"usage_{variant.name}.handler")
