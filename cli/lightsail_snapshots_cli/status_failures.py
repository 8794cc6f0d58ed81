"""Why the last snapshots of instances failed, from the logs of the functions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from lightsail_snapshots.reader import truncate
from lightsail_snapshots_cli.deployment import Deployment
from lightsail_snapshots_cli.logs import LogLine, read_lines
from lightsail_snapshots_cli.status_report import Failure, Row

LOOK_BACK = timedelta(days=14)
_FAILED = "failed"
"""The state in the log line of each failure."""
_LONGEST_TEXT = 300


def with_failures(rows: Sequence[Row], deployment: Deployment, now: datetime) -> list[Row]:
    """Return the rows, each with the last failure since its newest usable snapshot. Raises AwsError."""
    # The last line about an instance wins.
    last = {
        (line.fields.get("instance_name"), line.fields.get("region")): _failure(line)
        for line in read_lines(deployment, _FAILED, now - LOOK_BACK)
        if line.fields.get("state") == _FAILED
    }

    def add(row: Row) -> Row:
        failure = last.get((row.instance.name, row.region))
        is_news = failure and (row.recovery_point_at is None or failure.at > row.recovery_point_at)
        return replace(row, failure=failure) if is_news else row

    return [add(row) for row in rows]


def _failure(line: LogLine) -> Failure:
    destination = line.fields.get("destination")
    what = f"Copy to {destination}: " if destination else ""
    return Failure(line.time, truncate(f"{what}{line.fields.get('message', '')}", _LONGEST_TEXT))
