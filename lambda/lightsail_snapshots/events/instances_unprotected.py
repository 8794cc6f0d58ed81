"""`Instances Unprotected`: in the daily report, tells people which instances no plan selects."""

from collections.abc import Sequence
from typing import Any

from lightsail_snapshots.events.audit_requested import AuditRequest
from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.unprotected import UnprotectedInstance

MOST_LISTED = 100
"""Entries in `instances`, of at most 2 KB each, with the longest names too: an event may have 256 KB."""


def unprotected_detail(found: Sequence[UnprotectedInstance], request: AuditRequest) -> dict[str, Any]:
    """Build the detail of `Instances Unprotected` from one or more instances."""
    return {
        "requestId": request.request_id,
        "auditedAt": format_utc(request.now),
        "instancesUnprotected": len(found),
        "instances": [_entry(each) for each in found[:MOST_LISTED]],
    }


def _entry(found: UnprotectedInstance) -> dict[str, Any]:
    spelling = found.spelling
    return {
        "instanceName": found.instance.name,
        "instanceArn": found.instance.arn,
        "region": found.region,
        "because": found.because,
        **({"plan": found.plan} if found.plan else {}),
        **({"tag": spelling.tag, "meant": spelling.meant} if spelling else {}),
        **({"newestSnapshotAt": format_utc(found.snapshot_at)} if found.snapshot_at else {}),
    }
