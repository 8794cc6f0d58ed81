"""`Restore Proof Overdue`: tells people which instances of a plan were not seen to be restored for too long."""

from typing import Any

from lightsail_snapshots.events.audit_requested import AuditRequest
from lightsail_snapshots.events.recovery_point_overdue import MOST_LISTED, hours
from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.restore_proofs import ProofReport, ProofStatus


def should_notify_of_proofs(report: ProofReport, request: AuditRequest) -> bool:
    """Whether to publish the event: a proof became overdue since the last audit, or this is the daily report."""
    overdue = [each.overdue_since for each in report.overdue if each.overdue_since]
    return bool(overdue) and (request.report or any(map(request.is_new_since_last_audit, overdue)))


def proof_overdue_detail(report: ProofReport, request: AuditRequest) -> dict[str, Any]:
    """Build the detail of `Restore Proof Overdue`."""
    return {
        "requestId": request.request_id,
        "plan": report.plan.name,
        "maxAgeHours": hours(report.max_age),
        "auditedAt": format_utc(request.now),
        "instancesOverdue": len(report.overdue),
        "instances": [_entry(each) for each in report.overdue[:MOST_LISTED]],
    }


def _entry(status: ProofStatus) -> dict[str, Any]:
    return {
        "instanceName": status.instance.name,
        "instanceArn": status.instance.arn,
        "region": status.region,
        **({"overdueSince": format_utc(status.overdue_since)} if status.overdue_since else {}),
        **({"provenAt": format_utc(status.proven_at)} if status.proven_at else {}),
    }
