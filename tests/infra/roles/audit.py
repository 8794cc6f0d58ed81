"""What the role of `audit` may do and what it must never do, in the stack `with_copies`."""

from tests.infra.simulation import OF_EVERY_FUNCTION, Case, bus_arn, events, in_region, lightsail_arn, tagging

OVERDUE = ("lightsail-snapshots", "Recovery Point Overdue")
UNPROTECTED = ("lightsail-snapshots", "Instances Unprotected")
COMPLETED = ("lightsail-snapshots", "Audit Completed")
SNAPSHOT = lightsail_arn("InstanceSnapshot")
IS_OURS = {"aws:ResourceTag/managed-by": "lightsail-snapshots"}

ALARM = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:lightsail-snapshots-overdue-daily"

ACTIONS = OF_EVERY_FUNCTION | {
    "cloudwatch:DescribeAlarms",
    "lightsail:GetInstances",
    "lightsail:GetInstanceSnapshots",
}

ALLOWED: dict[str, Case] = {
    "list instances": ("lightsail:GetInstances", "*", in_region("eu-central-1")),
    "list instances of the other Region": ("lightsail:GetInstances", "*", in_region("us-west-2")),
    "list snapshots": ("lightsail:GetInstanceSnapshots", "*", in_region("eu-central-1")),
    "list copies": ("lightsail:GetInstanceSnapshots", "*", in_region("eu-west-1")),
    "list instances of a Region that is not configured": ("lightsail:GetInstances", "*", in_region("eu-west-2")),
    "list snapshots of a Region that is not configured": (
        "lightsail:GetInstanceSnapshots",
        "*",
        in_region("eu-west-2"),
    ),
    "report an overdue instance": ("events:PutEvents", bus_arn("BUS"), events(OVERDUE)),
    "report unprotected instances": ("events:PutEvents", bus_arn("BUS"), events(UNPROTECTED)),
    "report that it is done": ("events:PutEvents", bus_arn("BUS"), events(COMPLETED)),
    "see whether an alarm has gone off": ("cloudwatch:DescribeAlarms", "*", in_region("eu-central-1")),
    "report a bad request": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(("lightsail-snapshots", "Request Rejected")),
    ),
}

DENIED: dict[str, Case] = {
    "list instances of a Region without Lightsail": ("lightsail:GetInstances", "*", in_region("us-west-1")),
    "create a snapshot": (
        "lightsail:CreateInstanceSnapshot",
        lightsail_arn("Instance"),
        tagging(managed_by="lightsail-snapshots"),
    ),
    "delete a snapshot of ours": ("lightsail:DeleteInstanceSnapshot", SNAPSHOT, IS_OURS),
    "delete an instance": ("lightsail:DeleteInstance", lightsail_arn("Instance"), {}),
    "copy a snapshot": ("lightsail:CopySnapshot", "*", in_region("eu-central-1")),
    "tag a snapshot": ("lightsail:TagResource", SNAPSHOT, tagging(managed_by="lightsail-snapshots")),
    "restore an instance": ("lightsail:CreateInstancesFromSnapshot", SNAPSHOT, IS_OURS),
    "fetch keys to an instance": (
        "lightsail:GetInstanceAccessDetails",
        lightsail_arn("Instance"),
        in_region("eu-central-1"),
    ),
    "report a usable snapshot": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(("lightsail-snapshots", "Instance Snapshot Available")),
    ),
    "hide a request among its events": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(OVERDUE, ("lightsail-snapshots", "Prune Requested")),
    ),
    "publish on the default bus": ("events:PutEvents", bus_arn("default"), events(OVERDUE)),
    "set an alarm to OK": ("cloudwatch:SetAlarmState", ALARM, {}),
    "silence an alarm": ("cloudwatch:DisableAlarmActions", ALARM, {}),
    "see the alarms of another Region": ("cloudwatch:DescribeAlarms", "*", in_region("us-east-1")),
    "publish to the topic": ("sns:Publish", "arn:aws:sns:eu-central-1:123456789012:x", {}),
}
