"""What a function has written into its own log."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from lightsail_snapshots.aws.clients import make_client
from lightsail_snapshots.aws.errors import translate_errors


def read_own_log(group: str, region: str, text: str, since: datetime) -> Iterator[dict[str, Any]]:
    """Yield the structured lines of a log group that contain a text, oldest first; raise an AwsError."""
    client = make_client("logs", region)
    # A term in quotation marks is searched in the whole line: CloudWatch Logs user guide, "Filter pattern syntax".
    wanted: dict[str, Any] = {
        "logGroupName": group,
        "filterPattern": f'"{text}"',
        "startTime": round(since.timestamp() * 1000),
    }
    while True:
        with translate_errors():
            page = client.filter_log_events(**wanted)
        for event in page["events"]:
            if event["message"].startswith("{"):  # Lambda itself also writes lines of text
                yield json.loads(event["message"])
        token = page.get("nextToken")
        if not token or token == wanted.get("nextToken"):
            return
        wanted["nextToken"] = token
