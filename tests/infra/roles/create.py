"""What the role of `create` may do and what it must never do, in the stack `two_regions`."""

from tests.infra.simulation import QUEUE_FUNCTION_ACTIONS, Case, bus_arn, events, in_region, lightsail_arn, tagging
from tests.infra.synthesized import ACCOUNT

OURS = tagging(managed_by="lightsail-snapshots", Name="web")
AVAILABLE = ("lightsail-snapshots", "Instance Snapshot Available")
FAILED = ("lightsail-snapshots", "Instance Snapshot Failed")
INSTANCE, SNAPSHOT = lightsail_arn("Instance"), lightsail_arn("InstanceSnapshot")
CREATE, TAG = "lightsail:CreateInstanceSnapshot", "lightsail:TagResource"

ACTIONS = QUEUE_FUNCTION_ACTIONS | {
    "lightsail:CreateInstanceSnapshot",
    "lightsail:GetInstance",
    "lightsail:GetInstanceSnapshot",
    "lightsail:TagResource",  # checked by Lightsail itself, maybe, where a create carries tags
}

ALLOWED: dict[str, Case] = {
    "create a snapshot with our tag": (CREATE, INSTANCE, OURS),
    "create one in the other Region": (CREATE, lightsail_arn("Instance", "us-east-1"), OURS),
    "tag what it creates": (TAG, SNAPSHOT, OURS),
    "tag what carries our tag already": (
        TAG,
        SNAPSHOT,
        OURS | {"aws:ResourceTag/managed-by": "lightsail-snapshots"},
    ),
    "read an instance": ("lightsail:GetInstance", "*", in_region("us-east-1")),
    "read in a Region that is not configured any more": ("lightsail:GetInstance", "*", in_region("eu-west-1")),
    "read a snapshot": ("lightsail:GetInstanceSnapshot", "*", in_region("eu-central-1")),
    "publish that a snapshot is available": ("events:PutEvents", bus_arn("BUS"), events(AVAILABLE)),
    "publish several outcomes at once": ("events:PutEvents", bus_arn("BUS"), events(AVAILABLE, FAILED)),
}

DENIED: dict[str, Case] = {
    "create without tags": (CREATE, INSTANCE, {}),
    "create with other tags only": (CREATE, INSTANCE, tagging(env="prod")),
    "create with another owner's tag": (CREATE, INSTANCE, tagging(managed_by="terraform")),
    "create with our tag in another case": (CREATE, INSTANCE, tagging(managed_by="Lightsail-Snapshots")),
    "create in a Region that is not deployed": (CREATE, lightsail_arn("Instance", "eu-west-1"), OURS),
    "create in another account": (CREATE, lightsail_arn("Instance", account="999999999999"), OURS),
    "tag what carries another owner's tag": (TAG, SNAPSHOT, OURS | {"aws:ResourceTag/managed-by": "other-tool"}),
    "give a snapshot of ours to another owner": (
        TAG,
        SNAPSHOT,
        tagging(managed_by="other-tool") | {"aws:ResourceTag/managed-by": "lightsail-snapshots"},
    ),
    "tag without our tag": (TAG, SNAPSHOT, tagging(env="prod")),
    "tag an instance": (TAG, INSTANCE, OURS),
    "tag a disk": (TAG, lightsail_arn("Disk"), OURS),
    "tag in a Region that is not deployed": (TAG, lightsail_arn("InstanceSnapshot", "eu-west-1"), OURS),
    "untag a snapshot": ("lightsail:UntagResource", SNAPSHOT, {"aws:TagKeys": ["managed-by"]}),
    "delete a snapshot": (
        "lightsail:DeleteInstanceSnapshot",
        SNAPSHOT,
        {"aws:ResourceTag/managed-by": "lightsail-snapshots"},
    ),
    "delete an instance": ("lightsail:DeleteInstance", INSTANCE, {}),
    "delete automatic snapshots": ("lightsail:DeleteAutoSnapshot", "*", in_region("eu-central-1")),
    "restore an instance from a snapshot": ("lightsail:CreateInstancesFromSnapshot", SNAPSHOT, OURS),
    "export a snapshot": ("lightsail:ExportSnapshot", SNAPSHOT, {}),
    "copy a snapshot": ("lightsail:CopySnapshot", "*", in_region("eu-central-1")),
    "read in a Region without Lightsail": ("lightsail:GetInstance", "*", in_region("us-west-1")),
    "list instances": ("lightsail:GetInstances", "*", in_region("eu-central-1")),
    "fetch keys to an instance": ("lightsail:GetInstanceAccessDetails", INSTANCE, in_region("eu-central-1")),
    "publish on the default bus": ("events:PutEvents", bus_arn("default"), events(AVAILABLE)),
    "publish with another source": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(("aws.lightsail", "Instance Snapshot Available")),
    ),
    "request a snapshot": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(("lightsail-snapshots", "Instance Snapshot Requested")),
    ),
    "hide a request among outcomes": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(AVAILABLE, ("lightsail-snapshots", "Instance Snapshot Requested")),
    ),
    "write to another log group": (
        "logs:PutLogEvents",
        f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:other:log-stream:x",
        {},
    ),
    "send to another queue": ("sqs:SendMessage", f"arn:aws:sqs:eu-central-1:{ACCOUNT}:other", {}),
}
