"""`Audit Completed`: the figures of one audit, for other systems."""

from collections.abc import Sequence
from typing import Any

from lightsail_snapshots.events.audit_requested import AuditRequest
from lightsail_snapshots.events.recovery_point_overdue import hours
from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.recovery_points import PlanReport


def completed_detail(
    reports: Sequence[PlanReport], request: AuditRequest, instances_unprotected: int | None
) -> dict[str, Any]:
    """Build the detail of `Audit Completed`; only the daily report counts unprotected instances, None otherwise."""
    is_counted = instances_unprotected is not None
    return {
        "requestId": request.request_id,
        "auditedAt": format_utc(request.now),
        "report": request.report,
        "plans": [_figures(each) for each in reports],
        **({"instancesUnprotected": instances_unprotected} if is_counted else {}),
    }


def _figures(report: PlanReport) -> dict[str, Any]:
    oldest, oldest_copy = report.oldest, report.oldest_copy
    return {
        "plan": report.plan.name,
        "instances": report.instances,
        "instancesProtected": report.instances_protected,
        **({"instancesOverdue": report.instances_overdue} if report.plan.max_age else {}),
        **({} if oldest is None else {"oldestHours": hours(oldest)}),
        **({} if oldest_copy is None else {"oldestCopyHours": hours(oldest_copy)}),
    }
