"""`Restore Drill Passed` and `Restore Drill Failed`: what became of one drill."""

from datetime import timedelta
from enum import StrEnum
from typing import Any

from lightsail_snapshots.drill_result import RESTORE_FAILED, DrillResult
from lightsail_snapshots.events.instance_snapshot_outcomes import one_line
from lightsail_snapshots.events.instance_snapshot_requested import Subject
from lightsail_snapshots.events.restore_drill_requested import DrillRequest, DrillRun
from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.snapshot import Snapshot


def drill_passed_detail(
    request: DrillRequest, snapshot: Snapshot, result: DrillResult, running_seconds: int | None
) -> dict[str, Any]:
    """Build the detail of `Restore Drill Passed`; a clone that is healthy runs, so that is the latest that it ran."""
    origin = snapshot.origin
    age = request.slot - origin.taken_at
    return {
        **_subject(request),
        "instanceSnapshotArn": snapshot.arn,
        "drillInstanceName": request.name,
        "takenAt": format_utc(origin.taken_at),
        "ageHours": round(max(age, timedelta()) / timedelta(hours=1), 1),
        "secondsToRunning": min(
            result.healthy_seconds if running_seconds is None else running_seconds, result.healthy_seconds
        ),
        "secondsToHealthy": result.healthy_seconds,
        "seconds": result.seconds,
        "costUsd": result.cost,
    }


def drill_failed_detail(request: DrillRequest | DrillRun, reason: StrEnum, message: str) -> dict[str, Any]:
    """Build the detail of `Restore Drill Failed`; without an instance, no drill of the plan could be chosen."""
    return {
        **_subject(request),
        **({"drillInstanceName": request.name} if isinstance(request, DrillRequest) else {}),
        "reason": reason,
        "restoreFailed": reason in RESTORE_FAILED,
        "message": one_line(message),
    }


def _subject(request: Subject) -> dict[str, Any]:
    return {
        "requestId": request.request_id,
        **({"plan": request.plan} if request.plan is not None else {}),
        **({"instanceName": request.instance_name} if request.instance_name else {}),
        **({"instanceSnapshotName": request.instance_snapshot_name} if request.instance_snapshot_name else {}),
        "region": request.region,
    }
