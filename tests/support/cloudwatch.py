"""CloudWatch's metrics and alarms, as far as the template uses them, on a clock of the caller's."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Series = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name and dimensions of a metric."""

_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {"Sum": sum, "Maximum": max, "Minimum": min}
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}
_EXPRESSIONS: Mapping[str, Callable[[Mapping[str, float | None]], float | None]] = {
    # In a sum, a series without data counts as 0 if the other one has some.
    "IF(waiting > 0 AND (received + 0 * waiting) == 0, waiting, 0)": lambda values: (
        None if values["waiting"] is None else 0 if values["received"] else values["waiting"]
    ),
}
"""The metric math of the template, each expression by hand."""


@dataclass
class Metrics:
    """All data points, in the order of their times."""

    _points: dict[Series, tuple[list[datetime], list[float]]] = field(default_factory=lambda: defaultdict(_no_points))

    def add(self, series: Series, value: float, now: datetime) -> None:
        times, values = self._points[series]
        times.append(now)
        values.append(value)

    def statistic(self, series: Series, name: str, start: datetime, end: datetime) -> float | None:
        """Return a statistic of the points after `start`, up to `end`; None if there are none."""
        times, values = self._points[series]
        found = values[bisect_right(times, start) : bisect_right(times, end)]
        return _STATISTICS[name](found) if found else None

    def has_any_since(self, series: Series, start: datetime) -> bool:
        times, _ = self._points[series]
        return bisect_left(times, start) < len(times)


def _no_points() -> tuple[list[datetime], list[float]]:
    return [], []


class Alarm:
    """One alarm of the template. Its periods end when it is evaluated, which CloudWatch does at least as often."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.definition = definition
        self.name: str = definition["AlarmName"]
        self.state = "INSUFFICIENT_DATA"
        self._expression = ""
        self._watched: dict[str, tuple[Series, str, timedelta]] = {}
        """What it reads, by the name in its metric math."""
        for each in definition.get("Metrics", []):
            self._expression = self._expression or each.get("Expression", "")
            if stat := each.get("MetricStat"):
                self._watched |= _watched(each["Id"], stat["Metric"], stat["Stat"], stat["Period"])
        if not self._watched:
            self._watched = _watched("metric", definition, definition["Statistic"], definition["Period"])

    def evaluate(self, metrics: Metrics, now: datetime) -> bool:
        """Take the state that the metrics give; return whether it changed."""
        before, self.state = self.state, self._next_state(metrics, now)
        return self.state != before

    def _next_state(self, metrics: Metrics, now: datetime) -> str:
        values = [self._value(metrics, now, number) for number in range(self.definition["EvaluationPeriods"])]
        missing = self.definition["TreatMissingData"]
        if missing == "ignore" and None in values:
            return self.state
        compare = _COMPARISONS[self.definition["ComparisonOperator"]]
        wrong = [
            missing == "breaching" if value is None else compare(value, self.definition["Threshold"])
            for value in values
        ]
        return "ALARM" if all(wrong) else "OK"

    def _value(self, metrics: Metrics, now: datetime, number: int) -> float | None:
        """Return what the alarm compares, `number` periods ago."""
        values = {
            name: metrics.statistic(series, statistic, now - (number + 1) * period, now - number * period)
            for name, (series, statistic, period) in self._watched.items()
        }
        return _EXPRESSIONS[self._expression](values) if self._expression else values["metric"]


def _watched(name: str, metric: Mapping[str, Any], statistic: str, period: int) -> dict[str, Any]:
    dimensions = frozenset((each["Name"], each["Value"]) for each in metric.get("Dimensions", []))
    return {name: ((metric["Namespace"], metric["MetricName"], dimensions), statistic, timedelta(seconds=period))}
