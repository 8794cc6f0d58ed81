"""What `fan_out`, `prune` and `audit` have in common: one event is one invocation, which Lambda tries again."""

import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.events import INSTANCE_SNAPSHOT_FAILED
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.instance_snapshot_outcomes import Reason, invalid_detail

logger = Logger(use_rfc3339=True)  # else Lambda takes every line for INFO: "Log-level filtering" in its guide
metrics = Metrics()


class RegionsFailedError(Exception):
    """Raised when all else is done and some Region failed, so that Lambda tries it all again."""

    def __init__(self, failures: Mapping[str, str]) -> None:
        """Say what went wrong, by Region."""
        super().__init__("; ".join(f"{region}: {error}" for region, error in failures.items()))


def refuse(event_bus: EventBus, event: object, invocation_id: str, error: InvalidRequestError) -> dict[str, Any]:
    """End what is not a valid request: nothing was done for it, and nothing is tried again."""
    request_id = error.request_id or invocation_id
    detail = invalid_detail(request_id, error, event)
    event_bus.put(INSTANCE_SNAPSHOT_FAILED, detail)
    metrics.add_metric("SnapshotsFailed", MetricUnit.Count, 1)
    logger.error(
        "Refused the request: %s",
        error,
        correlation_id=request_id,
        state="failed",
        reason=Reason.INVALID_REQUEST,
        request=json.dumps(detail["request"]),
    )
    return {"state": "failed", "reason": Reason.INVALID_REQUEST, "message": str(error)}
