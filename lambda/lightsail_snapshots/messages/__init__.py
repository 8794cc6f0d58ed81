"""Every message that people get, by the detail-type of the event that it is about: pure functions of the event."""

from collections.abc import Callable, Mapping
from typing import Any

from lightsail_snapshots.events import (
    INSTANCE_SNAPSHOT_FAILED,
    INSTANCES_UNPROTECTED,
    PRUNE_REFUSED,
    RECOVERY_POINT_OVERDUE,
    REQUEST_REJECTED,
    RESTORE_DRILL_FAILED,
    RESTORE_PROOF_OVERDUE,
)
from lightsail_snapshots.messages.alarm import alarm_changed
from lightsail_snapshots.messages.drill import drill_failed, proof_overdue
from lightsail_snapshots.messages.failed import snapshot_failed
from lightsail_snapshots.messages.message import Message, text_at
from lightsail_snapshots.messages.overdue import recovery_point_overdue
from lightsail_snapshots.messages.prune_refused import prune_refused
from lightsail_snapshots.messages.rejected import near_miss, request_rejected
from lightsail_snapshots.messages.unprotected import instances_unprotected

ALARM_STATE_CHANGE = "CloudWatch Alarm State Change"
"""Of CloudWatch, on the account's default bus."""

MESSAGES: Mapping[str, Callable[[Mapping[str, Any], str], Message]] = {
    INSTANCE_SNAPSHOT_FAILED: snapshot_failed,
    RECOVERY_POINT_OVERDUE: recovery_point_overdue,
    INSTANCES_UNPROTECTED: instances_unprotected,
    PRUNE_REFUSED: prune_refused,
    REQUEST_REJECTED: request_rejected,
    RESTORE_DRILL_FAILED: drill_failed,
    RESTORE_PROOF_OVERDUE: proof_overdue,
}
"""Our own events that people get a message about. The rule in infra/notify.py has the same detail-types."""


def compose(event: Mapping[str, Any], runbook: str) -> Message | None:
    """Write the message about an event; None if it is none that people care about."""
    detail_type = text_at(event, "detail-type")
    if detail_type == ALARM_STATE_CHANGE:
        return alarm_changed(event, runbook)
    return MESSAGES.get(detail_type, near_miss)(event, runbook)
