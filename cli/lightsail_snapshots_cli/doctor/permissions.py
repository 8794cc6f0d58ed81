"""What a person needs to run `doctor`: to make what carries its tag, and to delete nothing else."""

from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.naming import MANAGED_BY_KEY
from lightsail_snapshots_cli.doctor.names import ROLE, TAGS
from lightsail_snapshots_cli.permissions import (
    BUS,
    LIST_INSTANCES,
    LIST_SNAPSHOTS,
    LOG_GROUPS,
    READ_INSTANCE,
    READ_SNAPSHOT,
    SNAPSHOTS,
    STACK,
    Conditions,
    Permission,
)

_INSTANCES = "arn:aws:lightsail:*:*:Instance/*"
_ROLE_ARN = f"arn:aws:iam::*:role/{ROLE}"
_OWNER = TAGS[MANAGED_BY_KEY]
_GIVEN: Conditions = {"StringEquals": {f"aws:RequestTag/{MANAGED_BY_KEY}": _OWNER}}
_OURS: Conditions = {"StringEquals": {f"aws:ResourceTag/{MANAGED_BY_KEY}": _OWNER}}
_TAGGING: Conditions = {**_GIVEN, "StringEqualsIfExists": _OURS["StringEquals"]}
_READS = (
    "GetBlueprints",
    "GetBundles",
    "GetInstanceMetricData",
    "GetOperations",
    "GetOperationsForResource",
    "GetRegions",
)
PERMISSIONS = {
    "doctor": (
        LIST_INSTANCES,
        LIST_SNAPSHOTS,
        READ_INSTANCE,
        READ_SNAPSHOT,
        *(Permission(f"lightsail:{each}") for each in _READS),
        Permission("lightsail:CreateInstances", "*", _GIVEN),  # it has no resource types
        Permission("lightsail:CreateInstanceSnapshot", _INSTANCES, _GIVEN),
        Permission("lightsail:CreateInstancesFromSnapshot", SNAPSHOTS, _GIVEN),
        Permission("lightsail:CopySnapshot"),  # it has no conditions either
        Permission("lightsail:TagResource", SNAPSHOTS, _TAGGING),
        Permission("lightsail:CloseInstancePublicPorts", _INSTANCES, _OURS),
        Permission("lightsail:StopInstance", _INSTANCES, _OURS),
        Permission("lightsail:DeleteInstance", _INSTANCES, _OURS),
        Permission("lightsail:DeleteInstanceSnapshot", SNAPSHOTS, _OURS),
        *(
            Permission(f"iam:{each}", _ROLE_ARN)
            for each in ("CreateRole", "DeleteRole", "DeleteRolePolicy", "GetRole", "PutRolePolicy", "TagRole")
        ),
        Permission("sts:AssumeRole", _ROLE_ARN),
        Permission("cloudformation:ListStackResources", STACK),
        Permission("events:PutEvents", BUS, {"ForAllValues:StringEquals": {"events:source": SOURCE}}),
        Permission("cloudwatch:ListMetrics"),
        Permission("logs:FilterLogEvents", LOG_GROUPS),
    )
}
