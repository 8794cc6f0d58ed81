"""What docs/costs.md and the README say about costs agrees with the stack and with what the functions emit."""

from typing import Any

import pytest

from benchmarks import costs
from tests.infra import emitted
from tests.infra.synthesized import ROOT, Synthesized

README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_METRICS = 10
"""Custom metrics that are free in each account."""


@pytest.fixture(scope="module")
def series() -> set[emitted.Series]:
    """All metrics of a stack with one plan, named daily, that makes copies and has no drills."""
    return {one for one in emitted.series() if not of_drills(one[1])}


def of_drills(name: str) -> bool:
    return name.startswith(("Drill", "RestoreProof"))


def of_copies(name: str) -> bool:
    return name.startswith(("Copies", "CopyAge"))


def test_one_plan_without_copies_stays_within_the_free_metrics(series: set[emitted.Series]) -> None:
    used = [one for one in series if not of_copies(one[1])]
    assert len(used) <= MOST_METRICS
    assert {name for _, name, _ in used} == set(costs.METRIC_HOURS)


def test_each_further_plan_adds_as_many_metrics_as_the_page_says(series: set[emitted.Series]) -> None:
    by_plan = {name for _, name, dimensions in series if "plan" in dict(dimensions)}
    assert by_plan == {"InstancesOverdue", "RecoveryPointAgeMax", "CopyAgeMax", "EmptySelections"}
    assert {name for _, name, _ in series if of_copies(name)} == {"CopyAgeMax", "CopiesAvailable", "CopiesFailed"}


def test_metrics_have_no_dimensions_but_the_plan(series: set[emitted.Series]) -> None:
    assert {key for _, _, dimensions in series for key, _ in dimensions} == {"service", "plan"}


def watched_metrics(alarm: dict[str, Any]) -> int:
    """Count what CloudWatch bills: each metric of an alarm, but no expression."""
    return sum("MetricStat" in one for one in alarm.get("Metrics", [{"MetricStat": 1}]))


def test_counts_are_those_of_the_stack(template: Synthesized) -> None:
    alarms = template.of_type("AWS::CloudWatch::Alarm").values()
    assert sum(map(watched_metrics, alarms)) == costs.ALARM_METRICS
    assert len(template.of_type("AWS::CloudWatch::Dashboard")) == costs.DASHBOARDS
    assert len(template.of_type("AWS::KMS::Key")) == costs.KEYS
    assert all(key["EnableKeyRotation"] for key in template.of_type("AWS::KMS::Key").values())
    assert len(template.of_type("AWS::Lambda::EventSourceMapping")) == costs.QUEUES_POLLED


def test_page_has_the_table_of_these_counts() -> None:
    text = costs.PAGE.read_text(encoding="utf-8")
    assert costs.with_tables(text) == text, "run `python -m benchmarks.costs`"


def rounded(amount: float) -> str:
    return f"${round(amount, 1):.2f}"


def test_readme_says_the_same() -> None:
    items = {name: (price.usd * units, price.usd * max(units - price.free, 0)) for name, price, units in costs.usage(1)}
    monitoring = [
        sum(paid[after_free] for name, paid in items.items() if name.startswith(("alarms", "dash", "metrics", "key")))
        for after_free in (False, True)
    ]
    _, _, section = README.partition("\n## What it costs each month\n")
    for amount in (costs.total(1), costs.total(1, after_free=True), items["snapshots"][0], *monitoring):
        assert rounded(amount) in section
    assert f"hold about {costs.storage(1)} GB" in section
    others = sum(
        price.usd * units for name, price, units in costs.usage(200) if name.startswith(("Lambda", "SQS", "Ev"))
    )
    assert others < 1
