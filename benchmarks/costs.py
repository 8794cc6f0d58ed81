"""What a month costs: `python -m benchmarks.costs` writes the tables of docs/costs.md.

Tests compare the counts with the stack and with what the functions emit, and the figures with the README.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "costs.md"
FLEETS = (3, 20, 200)
"""Numbers of instances."""
DAYS = 365 / 12


@dataclass(frozen=True, kw_only=True)
class Price:
    """A list price of us-east-1, without taxes, in November 2026."""

    usd: float
    unit: str
    free: float = 0
    """Units that are free in each account and month, for good."""


SNAPSHOT_STORAGE = Price(usd=0.05, unit="GB")  # Lightsail, "Pricing": snapshots
METRIC = Price(usd=0.30, unit="metric", free=10)  # CloudWatch, "Pricing": custom metrics, by the hour with data
ALARM = Price(usd=0.10, unit="metric of an alarm", free=10)  # CloudWatch, "Pricing": standard resolution
DASHBOARD = Price(usd=3.00, unit="dashboard", free=3)  # CloudWatch, "Pricing": custom dashboards
LOGS = Price(usd=0.50, unit="GB of logs", free=5)  # CloudWatch, "Pricing": ingestion
KEY = Price(usd=1.00, unit="key")  # KMS, "Pricing": the first and second rotation add $1 each
SQS = Price(usd=0.40, unit="million requests", free=1)  # SQS, "Pricing": standard queues
EVENTS = Price(usd=1.00, unit="million events")  # EventBridge, "Pricing": custom events
LAMBDA_TIME = Price(usd=0.0000133334, unit="GB-second", free=400_000)  # Lambda, "Pricing": arm64
LAMBDA_REQUESTS = Price(usd=0.20, unit="million invocations", free=1)  # Lambda, "Pricing"

# The stack, with the plans.toml that ships: one daily plan without copies.

AUDITS = 4 + 1
"""Each day: with `max_age = "26h"` every six hours, and the daily report."""
METRIC_HOURS: Mapping[str, float] = {
    "AuditsCompleted": AUDITS,
    "InstancesOverdue": AUDITS,
    "RecoveryPointAgeMax": AUDITS,
    "PrunesRefused": 2,
    "SnapshotsDeleted": 2,
    "SnapshotsAvailable": 2,
    "SnapshotsFailed": 2,
    "EmptySelections": 1,
    "InstancesUnprotected": 1,
    "SnapshotsToReview": 1,
}
"""Hours of the day in which each metric has data, and is billed: those of audit and prune, of create, of a run of the
plan, and of the daily report."""
ALARM_METRICS = 24
DASHBOARDS = 1
KEYS = 1
QUEUES_POLLED = 2
POLLS = 5 * 3 * 60 * 24 * DAYS
"""Requests of one event source in a month: five pollers wait 20 seconds each, also if the queue is empty (Lambda
developer guide, "Using Lambda with Amazon SQS")."""

# One instance, as an example.

SNAPSHOTS_KEPT = 7 + 4 + 6
FIRST_GB, GB_EACH = 20, 1
"""Gigabytes of used data in the oldest snapshot, and of changed data in each later one."""
DELIVERIES = 4
"""Of one request, until its snapshot is usable."""
EVENTS_EACH = 3
"""Requested, Available, Deleted."""


def storage(instances: int) -> float:
    """Gigabytes of snapshots."""
    return instances * (FIRST_GB + (SNAPSHOTS_KEPT - 1) * GB_EACH)


def invocations(instances: int) -> float:
    """Of audit, of prune each day and for the report, of fan_out, and of create, one message at a time."""
    return DAYS * (AUDITS + 2 + 1 + DELIVERIES * instances)


def gb_seconds(instances: int) -> float:
    """Of audit and prune with 1 GB and for 2 seconds or more, and of the others with 512 MB for one second."""
    return DAYS * ((AUDITS + 2) * (2 + instances / 100) + 0.5 * (1 + DELIVERIES * instances))


def usage(instances: int) -> list[tuple[str, Price, float]]:
    """Return what is billed in a month: the name, the price and how many units."""
    events = DAYS * (3 * AUDITS + 1 + EVENTS_EACH * instances)
    requests = QUEUES_POLLED * POLLS + DAYS * DELIVERIES * 3 * instances
    return [
        ("snapshots", SNAPSHOT_STORAGE, storage(instances)),
        ("alarms", ALARM, ALARM_METRICS),
        ("dashboard", DASHBOARD, DASHBOARDS),
        ("metrics", METRIC, sum(METRIC_HOURS.values()) / 24),
        ("key of the topic, in the first year", KEY, KEYS),
        ("SQS: the queues are polled all the time", SQS, requests / 1e6),
        ("Lambda, time", LAMBDA_TIME, gb_seconds(instances)),
        ("Lambda, invocations", LAMBDA_REQUESTS, invocations(instances) / 1e6),
        ("EventBridge", EVENTS, events / 1e6),
        ("logs", LOGS, 4e-6 * invocations(instances)),
    ]


def total(instances: int, *, after_free: bool = False) -> float:
    """Return the dollars of a month, with nothing free or after what AWS gives to each account."""
    return sum(price.usd * max(units - price.free * after_free, 0) for _, price, units in usage(instances))


def tables() -> str:
    """Write the table as Markdown."""
    head = f"| a month | price | free | {' | '.join(f'{each} instances' for each in FLEETS)} |"
    rows = [head, "|---|---|---|" + "---:|" * len(FLEETS)]
    for name, price, _ in usage(1):
        amounts = [next(price.usd * units for each, _, units in usage(fleet) if each == name) for fleet in FLEETS]
        free = f"{price.free:,}" if price.free else ""
        rows.append(f"| {name} | ${_number(price.usd)} a {price.unit} | {free} | {' | '.join(map(dollars, amounts))} |")
    for name, after_free in (("**sum**", False), ("**after the free amounts**", True)):
        sums = " | ".join(f"**{dollars(total(fleet, after_free=after_free))}**" for fleet in FLEETS)
        rows.append(f"| {name} | | | {sums} |")
    return "\n".join(rows)


def dollars(amount: float) -> str:
    """Write an amount to the cent."""
    return f"${amount:,.2f}" if amount >= 0.005 else "$0.00"


def with_tables(text: str) -> str:
    """Return docs/costs.md with its table made anew."""
    return re.sub(r"(<!-- generated -->\n).*?(?=<!-- end -->)", lambda m: f"{m[1]}\n{tables()}\n\n", text, flags=re.S)


def _number(usd: float) -> str:
    return f"{usd:.2f}" if usd >= 0.01 else f"{usd:.10f}".rstrip("0")


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
