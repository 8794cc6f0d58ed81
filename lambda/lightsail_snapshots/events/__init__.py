"""Every event of this project: its source and detail-types. The modules here read and write the details."""

SOURCE = "lightsail-snapshots"
INSTANCE_SNAPSHOT_REQUESTED = "Instance Snapshot Requested"
FLEET_SNAPSHOT_REQUESTED = "Fleet Snapshot Requested"
PRUNE_REQUESTED = "Prune Requested"
AUDIT_REQUESTED = "Audit Requested"
INSTANCE_SNAPSHOT_AVAILABLE = "Instance Snapshot Available"
INSTANCE_SNAPSHOT_COPIED = "Instance Snapshot Copied"
INSTANCE_SNAPSHOT_FAILED = "Instance Snapshot Failed"
INSTANCE_SNAPSHOT_DELETED = "Instance Snapshot Deleted"
PRUNE_REFUSED = "Prune Refused"
REQUEST_REJECTED = "Request Rejected"
RECOVERY_POINT_OVERDUE = "Recovery Point Overdue"
INSTANCES_UNPROTECTED = "Instances Unprotected"
AUDIT_COMPLETED = "Audit Completed"
RESTORE_DRILL_REQUESTED = "Restore Drill Requested"
RESTORE_DRILL_PASSED = "Restore Drill Passed"
RESTORE_DRILL_FAILED = "Restore Drill Failed"
RESTORE_PROOF_OVERDUE = "Restore Proof Overdue"

FROM_ANYONE = (INSTANCE_SNAPSHOT_REQUESTED, FLEET_SNAPSHOT_REQUESTED)
"""What anyone may put on the bus and get an answer to."""
DETAIL_TYPES = (
    *FROM_ANYONE,
    PRUNE_REQUESTED,
    AUDIT_REQUESTED,
    INSTANCE_SNAPSHOT_AVAILABLE,
    INSTANCE_SNAPSHOT_COPIED,
    INSTANCE_SNAPSHOT_FAILED,
    INSTANCE_SNAPSHOT_DELETED,
    PRUNE_REFUSED,
    REQUEST_REJECTED,
    RECOVERY_POINT_OVERDUE,
    INSTANCES_UNPROTECTED,
    AUDIT_COMPLETED,
    RESTORE_DRILL_REQUESTED,
    RESTORE_DRILL_PASSED,
    RESTORE_DRILL_FAILED,
    RESTORE_PROOF_OVERDUE,
)
"""All of them."""
