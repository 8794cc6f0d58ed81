"""The log lines of the deployment's functions."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3

from lightsail_snapshots.aws import CONFIG
from lightsail_snapshots.aws.errors import translate_errors
from lightsail_snapshots_cli.deployment import Deployment

_LOG_GROUP = "AWS::Logs::LogGroup"


@dataclass(frozen=True)
class LogLine:
    """One structured line."""

    time: datetime
    capability: str
    """Whose function wrote it, such as `FanOut`."""
    fields: Mapping[str, Any]


def read_lines(deployment: Deployment, text: str, since: datetime, *, only: str = "") -> list[LogLine]:
    """Return the lines of all functions, or of one, that contain a text, oldest first.

    The text may not have quotation marks. Raises AwsError.
    """
    groups = deployment.resources_of_type(_LOG_GROUP)
    groups = {name: group for name, group in groups.items() if only in {"", name.removesuffix("Logs")}}
    client = boto3.client("logs", region_name=deployment.region, config=CONFIG)

    def read(item: tuple[str, str]) -> list[LogLine]:
        name, group = item
        events = _events(client, group, text, since)
        return [LogLine(time, name.removesuffix("Logs"), fields) for time, fields in events]

    with translate_errors(), ThreadPoolExecutor() as threads:
        lines = [line for found in threads.map(read, groups.items()) for line in found]
    return sorted(lines, key=lambda line: line.time)


def _events(client: Any, group: str, text: str, since: datetime) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Return the JSON lines of a log group that contain the text."""
    # A term in quotation marks is searched in the whole line, in any format.
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=group, filterPattern=f'"{text}"', startTime=round(since.timestamp() * 1000)
    )
    for page in pages:
        for event in page["events"]:
            if fields := _parse(event["message"]):
                yield datetime.fromtimestamp(event["timestamp"] / 1000, UTC), fields


def _parse(message: str) -> dict[str, Any] | None:
    """Read a line; Lambda itself and a crash also write lines that are no JSON objects."""
    try:
        fields = json.loads(message)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None
