"""The demo's view of a function's log."""

import json

from local.log_tail import read

NOW = 1_795_452_223_548


def test_read_keeps_level_message_and_key_fields() -> None:
    line = read(
        NOW,
        json.dumps(
            {"level": "INFO", "message": "Snapshot is usable", "attempt": 3, "cold_start": True, "correlation_id": "e1"}
        ),
    )

    assert line is not None
    assert (line.level, line.message, line.fields, line.request_id) == (
        "INFO",
        "Snapshot is usable",
        {"attempt": 3},
        "e1",
    )
    assert line.time.isoformat() == "2026-11-23T16:43:43.548000+00:00"


def test_read_sums_metrics_and_omits_those_that_are_zero() -> None:
    metrics = [
        {"Name": "SnapshotsFailed", "Unit": "Count"},
        {"Name": "TimeToAvailable", "Unit": "Seconds"},
        {"Name": "SnapshotsRequested", "Unit": "Count"},
    ]
    record = {
        "_aws": {"CloudWatchMetrics": [{"Dimensions": [["reason", "service"]], "Metrics": metrics}]},
        "reason": "TimedOut",
        "service": "lightsail-snapshots",
        "SnapshotsFailed": [0.0, 1.0, 1.0],
        "TimeToAvailable": [7.0, 8.0],
        "SnapshotsRequested": [0.0],
    }

    line = read(NOW, json.dumps(record))

    assert line is not None
    assert line.level == "METRIC"
    assert line.message == "SnapshotsFailed 2 (reason TimedOut), TimeToAvailable 7 and 8 seconds (reason TimedOut)"


def test_read_returns_nothing_when_lambda_wrote_the_line() -> None:
    assert read(NOW, "START RequestId: 8bed8d2e Version: $LATEST") is None
    assert read(NOW, '{"type": "platform.start", "record": {}}') is None
