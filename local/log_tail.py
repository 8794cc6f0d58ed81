"""Follows a function's structured log and shortens its lines for a terminal."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.aws import LocalAws

KEY_FIELDS = ("attempt", "state", "reason", "dropped_tags", "why")
"""The fields that are shown beside the message."""

EARLIEST = datetime.fromtimestamp(0, UTC)
POLL_SECONDS = 0.25


@dataclass(frozen=True)
class LogLine:
    """One line of a function's log: a message or metrics."""

    time: datetime
    level: str
    """A log level, or METRIC for a line in CloudWatch's embedded metric format."""
    message: str
    fields: Mapping[str, Any]
    request_id: str | None
    """The correlation id: the id of the event that the function handles."""


def read(timestamp: int, text: str) -> LogLine | None:
    """Read a log event (`timestamp` in milliseconds since 1970); return None if Lambda itself wrote it."""
    try:
        record = json.loads(text)
    except ValueError:
        return None
    when = datetime.fromtimestamp(timestamp / 1000, UTC)
    if "_aws" in record:
        return LogLine(when, "METRIC", _metrics(record), {}, None)
    if "message" not in record:
        return None
    fields = {name: record[name] for name in KEY_FIELDS if name in record}
    return LogLine(when, record["level"], str(record["message"]), fields, record.get("correlation_id"))


def follow(aws: LocalAws, function: str, seconds: float, since: datetime = EARLIEST) -> Iterator[LogLine]:
    """Yield the lines of a function's log for so many seconds.

    The local AWS gives log events no id, so stream, time and text together identify one.
    """
    logs = aws.client("logs")
    group = aws.client("lambda").get_function_configuration(FunctionName=function)["LoggingConfig"]["LogGroup"]
    seen: set[tuple[str, int, str]] = set()
    start = int(since.timestamp() * 1000)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for event in logs.filter_log_events(logGroupName=group, startTime=start)["events"]:
            key = (event["logStreamName"], event["timestamp"], event["message"])
            line = None if key in seen else read(event["timestamp"], event["message"])
            seen.add(key)
            if line:
                yield line
        time.sleep(POLL_SECONDS)


def _metrics(record: Mapping[str, Any]) -> str:
    """Format the metrics that are not zero, such as `SnapshotsFailed 1 (reason InvalidRequest), ...`.

    A function reports once per batch, so a metric can have several values.
    """
    shown = []
    for directive in record["_aws"]["CloudWatchMetrics"]:
        names = {name for group in directive["Dimensions"] for name in group if name != "service"}
        dimensions = ", ".join(f"{name} {record[name]}" for name in sorted(names))
        for metric in directive["Metrics"]:
            value = record[metric["Name"]]
            values = value if isinstance(value, list) else [value]
            if any(values):
                text = _format_values(values, metric["Unit"])
                shown.append(f"{metric['Name']} {text}" + (f" ({dimensions})" if dimensions else ""))
    return ", ".join(shown)


def _format_values(values: Sequence[float], unit: str) -> str:
    """Format counts as their sum, and other values one by one, such as `7 and 8 seconds`."""
    if unit == "Count":
        return f"{sum(values):g}"
    return f"{' and '.join(f'{value:g}' for value in values)} {unit.lower()}"
