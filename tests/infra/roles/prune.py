"""What the role of `prune` may do and what it must never do, in the stack `with_copies`."""

from lightsail_snapshots.naming import MANAGED_BY, MANAGED_BY_KEY
from tests.infra.simulation import OF_EVERY_FUNCTION, Case, bus_arn, events, in_region, lightsail_arn, tagging

IS_OURS = {f"aws:ResourceTag/{MANAGED_BY_KEY}": MANAGED_BY}
IS_THEIRS = {"aws:ResourceTag/managed-by": "terraform"}
DELETED = ("lightsail-snapshots", "Instance Snapshot Deleted")
REFUSED = ("lightsail-snapshots", "Prune Refused")
REJECTED = ("lightsail-snapshots", "Request Rejected")
FAILED = ("lightsail-snapshots", "Instance Snapshot Failed")
SNAPSHOT = lightsail_arn("InstanceSnapshot")
DELETE = "lightsail:DeleteInstanceSnapshot"

ACTIONS = OF_EVERY_FUNCTION | {
    "lightsail:DeleteInstanceSnapshot",
    "lightsail:GetInstanceSnapshot",
    "lightsail:GetInstanceSnapshots",
    "lightsail:GetInstances",
    "logs:FilterLogEvents",
}

ALLOWED: dict[str, Case] = {
    "delete a snapshot of ours": (DELETE, SNAPSHOT, IS_OURS),
    "delete one of ours with other tags": (DELETE, SNAPSHOT, IS_OURS | {"aws:ResourceTag/env": "prod"}),
    "delete one of ours in the other Region": (DELETE, lightsail_arn("InstanceSnapshot", "us-west-2"), IS_OURS),
    "delete a copy of ours": (DELETE, lightsail_arn("InstanceSnapshot", "eu-west-1"), IS_OURS),
    "list snapshots": ("lightsail:GetInstanceSnapshots", "*", in_region("eu-central-1")),
    "list copies": ("lightsail:GetInstanceSnapshots", "*", in_region("us-east-1")),
    "list snapshots of a Region that is not configured": (
        "lightsail:GetInstanceSnapshots",
        "*",
        in_region("eu-west-2"),
    ),
    "list instances": ("lightsail:GetInstances", "*", in_region("eu-central-1")),
    "list instances of a Region that is not configured": ("lightsail:GetInstances", "*", in_region("eu-west-2")),
    "read a snapshot": ("lightsail:GetInstanceSnapshot", "*", in_region("eu-central-1")),
    "publish that a snapshot is deleted": ("events:PutEvents", bus_arn("BUS"), events(DELETED)),
    "publish a refusal": ("events:PutEvents", bus_arn("BUS"), events(REFUSED)),
    "publish that a request was rejected": ("events:PutEvents", bus_arn("BUS"), events(REJECTED)),
}

DENIED: dict[str, Case] = {
    "delete another owner's snapshot": (DELETE, SNAPSHOT, IS_THEIRS),
    "delete an untagged snapshot": (DELETE, SNAPSHOT, {}),
    "delete one of ours that is on hold": (DELETE, SNAPSHOT, IS_OURS | {"aws:ResourceTag/snapshot-hold": ""}),
    "delete a snapshot with other tags only": (DELETE, SNAPSHOT, {"aws:ResourceTag/env": "prod"}),
    "delete a snapshot by a tag in the request": (DELETE, SNAPSHOT, tagging(managed_by=MANAGED_BY)),
    "delete one with our tag in another case": (
        DELETE,
        SNAPSHOT,
        {"aws:ResourceTag/managed-by": "Lightsail-Snapshots"},
    ),
    "delete in a Region that is not deployed": (DELETE, lightsail_arn("InstanceSnapshot", "eu-west-2"), IS_OURS),
    "delete in another account": (DELETE, lightsail_arn("InstanceSnapshot", account="999999999999"), IS_OURS),
    "delete an instance": ("lightsail:DeleteInstance", lightsail_arn("Instance"), IS_OURS),
    "delete a disk": ("lightsail:DeleteDisk", lightsail_arn("Disk"), IS_OURS),
    "delete a disk's snapshot": ("lightsail:DeleteDiskSnapshot", lightsail_arn("DiskSnapshot"), IS_OURS),
    "delete a database's snapshot": (
        "lightsail:DeleteRelationalDatabaseSnapshot",
        lightsail_arn("RelationalDatabaseSnapshot"),
        IS_OURS,
    ),
    "delete automatic snapshots": ("lightsail:DeleteAutoSnapshot", "*", in_region("eu-central-1") | IS_OURS),
    "create a snapshot": (
        "lightsail:CreateInstanceSnapshot",
        lightsail_arn("Instance"),
        IS_OURS | tagging(managed_by=MANAGED_BY),
    ),
    "restore an instance from a snapshot": ("lightsail:CreateInstancesFromSnapshot", SNAPSHOT, IS_OURS),
    "copy a snapshot": ("lightsail:CopySnapshot", "*", in_region("eu-west-1")),
    "tag another owner's snapshot as ours": ("lightsail:TagResource", SNAPSHOT, tagging(managed_by=MANAGED_BY)),
    "tag one of ours": ("lightsail:TagResource", SNAPSHOT, IS_OURS | tagging(managed_by=MANAGED_BY)),
    "remove a hold": ("lightsail:UntagResource", SNAPSHOT, IS_OURS | {"aws:TagKeys": ["snapshot-hold"]}),
    "export a snapshot": ("lightsail:ExportSnapshot", SNAPSHOT, IS_OURS),
    "list snapshots of a Region without Lightsail": ("lightsail:GetInstanceSnapshots", "*", in_region("us-west-1")),
    "fetch keys to an instance": (
        "lightsail:GetInstanceAccessDetails",
        lightsail_arn("Instance"),
        in_region("eu-central-1"),
    ),
    "publish that a snapshot failed": ("events:PutEvents", bus_arn("BUS"), events(FAILED)),
    "publish on the default bus": ("events:PutEvents", bus_arn("default"), events(DELETED)),
    "request a snapshot": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(("lightsail-snapshots", "Instance Snapshot Requested")),
    ),
    "request another prune": ("events:PutEvents", bus_arn("BUS"), events(("lightsail-snapshots", "Prune Requested"))),
    "hide a request among outcomes": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(DELETED, ("lightsail-snapshots", "Prune Requested")),
    ),
}
