"""`Recovery Point Overdue`: tells people which instances of a plan could not be restored."""

from datetime import datetime, timedelta
from typing import Any

from lightsail_snapshots.events.audit_requested import AuditRequest
from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.recovery_points import InstanceStatus, PlanReport
from lightsail_snapshots.text import clean

MOST_LISTED = 100
"""Entries in `instances`: an event has room for a thousand, and nobody reads them."""
MOST_NAMED = 5
"""Instances in `message`, which people read on a phone."""


def should_notify(report: PlanReport, request: AuditRequest) -> bool:
    """Whether to publish the event: an instance became overdue since the last audit, or this is the daily report.

    This needs no memory: each instance is overdue since a known time, and the request says when the last audit was.
    """
    overdue = report.overdue
    return bool(overdue) and (
        request.report
        or any(each.overdue_since and request.is_new_since_last_audit(each.overdue_since) for each in overdue)
    )


def overdue_detail(report: PlanReport, request: AuditRequest, runbook: str) -> dict[str, Any]:
    """Build the detail of `Recovery Point Overdue` for a plan with overdue instances."""
    return {
        "requestId": request.request_id,
        "plan": report.plan.name,
        **({"maxAgeHours": hours(report.plan.max_age)} if report.plan.max_age else {}),
        "auditedAt": format_utc(request.now),
        "instancesOverdue": report.instances_overdue,
        "instances": [_entry(status) for status in report.overdue[:MOST_LISTED]],
        "message": clean(_message(report, runbook)),
    }


def hours(length: timedelta) -> float:
    """Write a length of time as hours, to a tenth."""
    return round(length / timedelta(hours=1), 1)


def _entry(status: InstanceStatus) -> dict[str, Any]:
    taken_at, copy_region, since = status.recovery_point_at, status.copy_region, status.overdue_since
    return {
        "instanceName": status.instance.name,
        "instanceArn": status.instance.arn,
        "region": status.region,
        **({"copyRegion": copy_region} if copy_region else {}),
        **({"overdueSince": format_utc(since)} if since else {}),
        **({"recoveryPointAt": format_utc(taken_at)} if taken_at else {}),
        "ageHours": hours(status.age),
    }


def _message(report: PlanReport, runbook: str) -> str:
    """Write one line without quotation marks: see `one_line`."""
    count, overdue = report.instances_overdue, report.overdue
    what = "1 instance" if count == 1 else f"{count} instances"
    verb = "has" if count == 1 else "have"
    age = f"{hours(report.plan.max_age):g} hours" if report.plan.max_age else ""
    left = len(overdue) - MOST_NAMED
    return (
        f"Recovery point overdue: {what} of plan {report.plan.name} {verb} no usable snapshot or copy"
        f" younger than {age}."
        f" {' '.join(_sentence(status) for status in overdue[:MOST_NAMED])}"
        f"{f' And {left} more.' if left > 0 else ''}"
        f" What to do: find out why in the logs, then ask for a snapshot now. Step by step: {runbook}#overdue"
    )


def _sentence(status: InstanceStatus) -> str:
    since = f" overdue since {_read(status.overdue_since)}," if status.overdue_since else ""
    what = f"copy in {status.copy_region}" if status.copy_region else "snapshot"
    taken_at = status.recovery_point_at
    newest = f"the newest usable {what} has data of {_read(taken_at)}" if taken_at else f"there is no usable {what}"
    return f"{status.instance.name} in {status.region}:{since} {newest}."


def _read(moment: datetime) -> str:
    return f"{format_utc(moment)[:16].replace('T', ' ')} UTC"
