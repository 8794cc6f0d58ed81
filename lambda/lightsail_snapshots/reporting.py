"""Reports failures: publishes the event, counts it and logs it."""

import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.events import INSTANCE_SNAPSHOT_FAILED, REQUEST_REJECTED
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.instance_snapshot_outcomes import invalid_detail
from lightsail_snapshots.observability import logger, metrics
from lightsail_snapshots.reader import truncate

FAILED = "failed"
"""The state of a request that no retry can help, in logs and answers."""

SNAPSHOTS_FAILED = "SnapshotsFailed"

LONGEST_LOGGED = 50_000
"""Characters of a request in a log line; the event has more. CloudWatch Logs splits lines of more than 256 KB."""


class RegionsFailedError(Exception):
    """Raised at the end if some Regions failed, so that Lambda retries the event. The other Regions are done."""

    def __init__(self, failures: Mapping[str, str]) -> None:
        """Say what went wrong, by Region."""
        super().__init__("; ".join(f"{region}: {error}" for region, error in failures.items()))


def report_failure(bus: EventBus, detail: Mapping[str, Any], text: str, metric: str) -> None:
    """Publish an `Instance Snapshot Failed`, count it as `metric`, and log `text`."""
    bus.put(INSTANCE_SNAPSHOT_FAILED, detail)
    metrics.add_metric(metric, MetricUnit.Count, 1)
    logger.error(
        text,
        correlation_id=detail["requestId"],
        state=FAILED,
        reason=detail["reason"],
        request=truncate(json.dumps(detail["request"]), LONGEST_LOGGED),
    )


def reject_request(
    bus: EventBus, event: object, invocation_id: str, error: InvalidRequestError, metric: str = SNAPSHOTS_FAILED
) -> dict[str, Any]:
    """Report that an event is not a valid request, and return the function's answer. A retry would not help.

    An event without an id is reported under the id of its message or invocation.
    """
    detail = invalid_detail(error.request_id or invocation_id, error, event)
    report_failure(bus, detail, f"Rejected the request: {detail['message']}", metric)
    return {"state": FAILED, "reason": detail["reason"], "message": str(error)}


def reject_event(bus: EventBus, event: object, invocation_id: str, error: InvalidRequestError) -> dict[str, Any]:
    """Reject an event that is about no single instance: publish `Request Rejected`, and return the answer."""
    detail = invalid_detail(error.request_id or invocation_id, error, event)
    del detail["reason"]
    bus.put(REQUEST_REJECTED, detail)
    logger.error(
        "Rejected the event",
        correlation_id=detail["requestId"],
        state=FAILED,
        problems=detail["problems"],
        request=truncate(json.dumps(detail["request"]), LONGEST_LOGGED),
    )
    return {"state": FAILED, "message": str(error)}
