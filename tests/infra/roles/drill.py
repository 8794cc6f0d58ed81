"""What the role of `drill` may do and what it must never do, in the stack `with_drill`."""

from tests.infra.simulation import QUEUE_FUNCTION_ACTIONS, Case, bus_arn, events, in_region, lightsail_arn, tagging

DRILL = {"aws:ResourceTag/managed-by": "lightsail-snapshots-drill"}
OURS = {"aws:ResourceTag/managed-by": "lightsail-snapshots"}
CLONE = tagging(managed_by="lightsail-snapshots-drill", drill_of="web-1", drill_until="2026-11-29T05:45:00Z")
VERDICT = tagging(proven_at="2026-11-29T05:04:00Z", proven_seconds="240", drill_result="Passed")
INSTANCE, SNAPSHOT = lightsail_arn("Instance"), lightsail_arn("InstanceSnapshot")
COPY = lightsail_arn("InstanceSnapshot", "eu-west-1")
MAKE, TAG = "lightsail:CreateInstancesFromSnapshot", "lightsail:TagResource"
ON_CLONES = ("lightsail:DeleteInstance", "lightsail:OpenInstancePublicPorts", "lightsail:CloseInstancePublicPorts")
READS = {
    "lightsail:GetBundles",
    "lightsail:GetInstance",
    "lightsail:GetInstanceMetricData",
    "lightsail:GetInstanceSnapshot",
    "lightsail:GetInstanceSnapshots",
    "lightsail:GetInstances",
    "lightsail:GetOperationsForResource",
}
PASSED = ("lightsail-snapshots", "Restore Drill Passed")
REQUESTED = ("lightsail-snapshots", "Restore Drill Requested")

ACTIONS = QUEUE_FUNCTION_ACTIONS | READS | {MAKE, TAG, *ON_CLONES}

ALLOWED: dict[str, Case] = {
    "make a clone of our snapshot": (MAKE, SNAPSHOT, CLONE | OURS),
    "make a clone of our copy": (MAKE, COPY, CLONE | OURS),
    "write a verdict on our snapshot": (TAG, SNAPSHOT, VERDICT | OURS),
    **{f"{action} of a clone": (action, INSTANCE, DRILL) for action in ON_CLONES},
    **{
        f"{action} of a clone of a copy": (action, lightsail_arn("Instance", "eu-west-1"), DRILL)
        for action in ON_CLONES
    },
    **{f"{action}": (action, "*", in_region("eu-west-1")) for action in READS},
    "publish that a drill passed": ("events:PutEvents", bus_arn("BUS"), events(PASSED)),
    "request the drills of a run": ("events:PutEvents", bus_arn("BUS"), events(REQUESTED)),
}

OTHERS = {
    "without tags": {},
    "with our tag": OURS,
    "with the tag in another case": {"aws:ResourceTag/managed-by": "Lightsail-Snapshots-Drill"},
    "that only says of what it is": {"aws:ResourceTag/drill-of": "web-1", "aws:ResourceTag/Name": "drill-web-1"},
    "that the request calls a clone": CLONE,
}
"""Instances that are none of our clones, with any name: IAM does not see names."""

DENIED: dict[str, Case] = {
    **{f"{action} of one {what}": (action, INSTANCE, tags) for action in ON_CLONES for what, tags in OTHERS.items()},
    "delete a clone in another Region": ("lightsail:DeleteInstance", lightsail_arn("Instance", "us-east-1"), DRILL),
    "make an instance of somebody's snapshot": (MAKE, SNAPSHOT, CLONE),
    "make an instance without the clone's tag": (MAKE, SNAPSHOT, OURS),
    "make an instance with our own tag": (MAKE, SNAPSHOT, tagging(managed_by="lightsail-snapshots") | OURS),
    "make a new instance": ("lightsail:CreateInstances", "*", CLONE | in_region("eu-central-1")),
    "turn an instance into a clone": (TAG, INSTANCE, CLONE),
    "turn an instance of ours into a clone": (TAG, INSTANCE, CLONE | OURS),
    "tag a clone": (TAG, INSTANCE, VERDICT | DRILL),
    "write a verdict on somebody's snapshot": (TAG, SNAPSHOT, VERDICT),
    "take over a snapshot of ours": (TAG, SNAPSHOT, tagging(managed_by="other-tool") | OURS),
    "change when a snapshot expires": (TAG, SNAPSHOT, tagging(expires_at="2026-11-29T05:45:00Z") | OURS),
    "delete a snapshot": ("lightsail:DeleteInstanceSnapshot", SNAPSHOT, OURS),
    "open all ports of a clone": ("lightsail:PutInstancePublicPorts", INSTANCE, DRILL),
    "stop a clone": ("lightsail:StopInstance", INSTANCE, DRILL),
    "fetch keys to a clone": ("lightsail:GetInstanceAccessDetails", INSTANCE, DRILL | in_region("eu-central-1")),
    "publish that a snapshot is available": (
        "events:PutEvents",
        bus_arn("BUS"),
        events(("lightsail-snapshots", "Instance Snapshot Available")),
    ),
}
