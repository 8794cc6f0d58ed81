"""What the role of `copy` may do and what it must never do, in the stack `with_copies`."""

from tests.infra.simulation import QUEUE_FUNCTION_ACTIONS, Case, bus_arn, events, in_region, lightsail_arn, tagging
from tests.infra.synthesized import ACCOUNT

OURS = tagging(managed_by="lightsail-snapshots", copy_of="eu-central-1 2026-11-23T03:15:00Z arn:aws:lightsail")
IS_OURS = {"aws:ResourceTag/managed-by": "lightsail-snapshots"}
IS_THEIRS = {"aws:ResourceTag/managed-by": "terraform"}
COPIED = ("lightsail-snapshots", "Instance Snapshot Copied")
FAILED = ("lightsail-snapshots", "Instance Snapshot Failed")
SNAPSHOT = lightsail_arn("InstanceSnapshot", "eu-west-1")
COPY, TAG = "lightsail:CopySnapshot", "lightsail:TagResource"

ACTIONS = QUEUE_FUNCTION_ACTIONS | {
    "lightsail:CopySnapshot",
    "lightsail:GetInstanceSnapshot",
    "lightsail:GetOperationsForResource",
    "lightsail:TagResource",
}

ALLOWED: dict[str, Case] = {
    "copy into a destination": (COPY, "*", in_region("eu-west-1")),
    "copy into the other destination": (COPY, "*", in_region("us-east-1")),
    "tag a copy that has no tags yet": (TAG, SNAPSHOT, OURS),
    "tag a copy in the other destination": (TAG, lightsail_arn("InstanceSnapshot", "us-east-1"), OURS),
    "tag a copy that carries other tags": (TAG, SNAPSHOT, OURS | {"aws:ResourceTag/env": "prod"}),
    "tag a copy that carries our tag already": (TAG, SNAPSHOT, OURS | IS_OURS),
    "read a copy": ("lightsail:GetInstanceSnapshot", "*", in_region("eu-west-1")),
    "read the source in its Region": ("lightsail:GetInstanceSnapshot", "*", in_region("eu-central-1")),
    "read in a Region that is no destination any more": ("lightsail:GetInstanceSnapshot", "*", in_region("eu-west-2")),
    "read the operations that made a copy": ("lightsail:GetOperationsForResource", "*", in_region("us-east-1")),
    "publish that a copy is usable": ("events:PutEvents", bus_arn("BUS"), events(COPIED)),
    "publish several outcomes at once": ("events:PutEvents", bus_arn("BUS"), events(COPIED, FAILED)),
}

DENIED: dict[str, Case] = {
    "copy into the Region of the instances": (COPY, "*", in_region("eu-central-1")),
    "copy into a Region that is no destination": (COPY, "*", in_region("eu-west-2")),
    "tag what carries another owner's tag": (TAG, SNAPSHOT, OURS | IS_THEIRS),
    "tag a copy without our tag": (TAG, SNAPSHOT, tagging(env="prod")),
    "give a copy of ours to another owner": (TAG, SNAPSHOT, tagging(managed_by="terraform") | IS_OURS),
    "tag a snapshot in the Region of the instances": (TAG, lightsail_arn("InstanceSnapshot", "eu-central-1"), OURS),
    "tag a snapshot of another account": (
        TAG,
        lightsail_arn("InstanceSnapshot", "eu-west-1", "999999999999"),
        OURS,
    ),
    "tag an instance": (TAG, lightsail_arn("Instance", "eu-west-1"), OURS),
    "tag a disk": (TAG, lightsail_arn("Disk", "eu-west-1"), OURS),
    "untag a copy": ("lightsail:UntagResource", SNAPSHOT, {"aws:TagKeys": ["managed-by"]} | IS_OURS),
    "delete a copy": ("lightsail:DeleteInstanceSnapshot", SNAPSHOT, IS_OURS),
    "create a snapshot": ("lightsail:CreateInstanceSnapshot", lightsail_arn("Instance", "eu-west-1"), OURS),
    "restore an instance from a copy": ("lightsail:CreateInstancesFromSnapshot", SNAPSHOT, OURS),
    "export a copy": ("lightsail:ExportSnapshot", SNAPSHOT, {}),
    "read in a Region without Lightsail": ("lightsail:GetInstanceSnapshot", "*", in_region("us-west-1")),
    "list snapshots": ("lightsail:GetInstanceSnapshots", "*", in_region("eu-west-1")),
    "publish on the default bus": ("events:PutEvents", bus_arn("default"), events(COPIED)),
    "trigger another copy": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(("lightsail-snapshots", "Instance Snapshot Available")),
    ),
    "hide a request among outcomes": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(COPIED, ("lightsail-snapshots", "Instance Snapshot Requested")),
    ),
    "send to another queue": ("sqs:SendMessage", f"arn:aws:sqs:eu-central-1:{ACCOUNT}:other", {}),
}
