"""Every metric that the functions emit, read from what they write when they are run against the Lightsail emulator."""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from datetime import timedelta
from typing import Any

import tests.support.environment  # noqa: F401 - the functions read it when they are imported

# isort: split
from lightsail_snapshots import audit, copy, create, drill, fan_out, notify, prune
from lightsail_snapshots.aws.errors import AwsError
from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.naming import format_utc
from tests.support.copies import THERE, available, to
from tests.support.drills import DRILL, drill_request, finish, take_snapshot
from tests.support.events import example, requested
from tests.support.fake_aws import Context, FakeAws, fake_aws
from tests.support.pruning import nights, report_requested

Series = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name, and dimensions with their values."""

BROKEN = {"id": "broken", "time": "2026-11-23T03:15:00Z", "detail": {}}


def series() -> set[Series]:
    """Run every function, also into its failures, and return all that it emitted; plans are named `daily`."""
    written = io.StringIO()
    with redirect_stdout(written):
        _create()
        _copy()
        _drill()
        _direct()
    return _all(written)


def series_of_chat() -> set[Series]:
    """Post to a chat whose parameter is missing, about an event that the topic does not take."""
    with redirect_stdout(io.StringIO()) as written, fake_aws(create.handler), suppress(AwsError):
        notify.handler(example("Recovery Point Overdue"), Context())
    return _all(written)


def _all(written: io.StringIO) -> set[Series]:
    return {one for line in written.getvalue().splitlines() for one in _read(json.loads(line))}


def _create() -> None:
    with fake_aws(create.handler) as aws:
        event = requested({"instanceName": "web-1"})
        aws.request(event)
        aws.emulator.clock.advance(60)
        assert aws.request(event, attempt=2)
        aws.request(requested({"instanceName": "nobody"}))


def _copy() -> None:
    with fake_aws(copy.handler) as aws:
        wanted = to(THERE, available(aws, plan="daily"))
        aws.request(wanted)
        aws.emulator.clock.advance(60)
        assert aws.request(wanted, attempt=2)
        aws.request(BROKEN)


def _drill() -> None:
    with fake_aws(drill.handler) as aws:
        take_snapshot(aws)
        finish(aws, drill_request())
        aws.request(BROKEN)


def _direct() -> None:
    with fake_aws(prune.handler, at=None) as aws:
        nights(aws, 3)
        prune.handler(report_requested(), Context(900))
        fan_out.handler(requested({"select": {"all": True}, "plan": "daily"}, source=SOURCE), Context())
        _audit(aws)


def _audit(aws: FakeAws) -> None:
    now = aws.emulator.clock.now() + timedelta(days=2)
    plan = {"name": "daily", "select": {"all": True}, "maxAge": "PT26H", "copyTo": ["eu-west-1"], "drill": DRILL}
    detail = {"plans": [plan], "scheduledTime": format_utc(now), "report": True}
    audit.handler(requested(detail, source=SOURCE), Context())


def _read(record: dict[str, Any]) -> Iterator[Series]:
    for directive in record["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, record[name]) for name in names)
            for metric in directive["Metrics"]:
                yield directive["Namespace"], metric["Name"], dimensions
