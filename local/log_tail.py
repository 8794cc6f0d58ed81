"""Reads a function's structured logs as they are written, and makes each line short enough for a terminal."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.aws import LocalAws

KEY_FIELDS = ("attempt", "state", "reason", "dropped_tags", "why")
"""What a line shows beside its message: the names that a request has are in the message itself."""

EARLIEST = datetime.fromtimestamp(0, UTC)
PAUSE = 0.25
"""Seconds between two looks at the log."""


@dataclass(frozen=True)
class LogLine:
    """One line of a function's log: what it said, or the metrics that it reported."""

    time: datetime
    level: str
    """Powertools' level, or METRIC for a line in CloudWatch's embedded metric format."""
    message: str
    fields: Mapping[str, Any]
    request_id: str | None
    """The correlation id: the id of the event that the line is about."""


def read(timestamp: int, text: str) -> LogLine | None:
    """Reads one log event (milliseconds since 1970, and its text); None for what Lambda itself writes."""
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
    """Yields the lines of a function's log as they come, for so many seconds.

    The local AWS gives log events no id, so a line is known again by all that it has.
    """
    logs = aws.client("logs")
    group = aws.client("lambda").get_function_configuration(FunctionName=function)["LoggingConfig"]["LogGroup"]
    seen: set[tuple[str, int, str]] = set()
    start = int(since.timestamp() * 1000)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for event in logs.filter_log_events(logGroupName=group, startTime=start)["events"]:
            known = (event["logStreamName"], event["timestamp"], event["message"])
            line = None if known in seen else read(event["timestamp"], event["message"])
            seen.add(known)
            if line:
                yield line
        time.sleep(PAUSE)


def _metrics(record: Mapping[str, Any]) -> str:
    """Writes a line of the embedded metric format as `SnapshotsFailed 1 (reason InvalidRequest), ...`, zeros left out.

    One metric may have several values in one line, since a function reports once per batch: counts are added up.
    """
    shown = []
    for directive in record["_aws"]["CloudWatchMetrics"]:
        names = {name for dimensions in directive["Dimensions"] for name in dimensions if name != "service"}
        where = ", ".join(f"{name} {record[name]}" for name in sorted(names))
        for metric in directive["Metrics"]:
            value = record[metric["Name"]]
            values = value if isinstance(value, list) else [value]
            if any(values):
                said = _said(values, metric["Unit"])
                shown.append(f"{metric['Name']} {said}" + (f" ({where})" if where else ""))
    return ", ".join(shown)


def _said(values: Sequence[float], unit: str) -> str:
    """Writes counts as their sum, and all else one by one, such as `7 and 8 seconds`."""
    if unit == "Count":
        return f"{sum(values):g}"
    return f"{' and '.join(f'{value:g}' for value in values)} {unit.lower()}"
