"""What the role of `fan_out` may do and what it must never do, in the stack `two_regions`."""

from tests.infra.simulation import OF_EVERY_FUNCTION, Case, bus_arn, events, in_region, lightsail_arn
from tests.infra.synthesized import ACCOUNT

REQUESTED = ("lightsail-snapshots", "Instance Snapshot Requested")
REJECTED = ("lightsail-snapshots", "Request Rejected")
PUT, LIST = "events:PutEvents", "lightsail:GetInstances"

ACTIONS = OF_EVERY_FUNCTION | {"lightsail:GetInstances"}

ALLOWED: dict[str, Case] = {
    "list instances": (LIST, "*", in_region("eu-central-1")),
    "list instances in the other Region": (LIST, "*", in_region("us-east-1")),
    "request snapshots": (PUT, bus_arn("BUS"), events(*[REQUESTED] * 10)),
    "report a bad request": (PUT, bus_arn("BUS"), events(REJECTED)),
}

DENIED: dict[str, Case] = {
    "list instances in a Region without Lightsail": (LIST, "*", in_region("us-west-1")),
    "read an instance": ("lightsail:GetInstance", "*", in_region("eu-central-1")),
    "take a snapshot": (
        "lightsail:CreateInstanceSnapshot",
        lightsail_arn("Instance"),
        {"aws:RequestTag/managed-by": "lightsail-snapshots"},
    ),
    "delete a snapshot": (
        "lightsail:DeleteInstanceSnapshot",
        lightsail_arn("InstanceSnapshot"),
        {"aws:ResourceTag/managed-by": "lightsail-snapshots"},
    ),
    "request another fleet, and so trigger itself": (
        PUT,
        bus_arn("BUS"),
        events(("lightsail-snapshots", "Fleet Snapshot Requested")),
    ),
    "report a usable snapshot": (
        PUT,
        bus_arn("BUS"),
        events(("lightsail-snapshots", "Instance Snapshot Available")),
    ),
    "request snapshots with another source": (PUT, bus_arn("BUS"), events(("my.ci", "Instance Snapshot Requested"))),
    "request snapshots on the default bus": (PUT, bus_arn("default"), events(REQUESTED)),
    "send to another queue": ("sqs:SendMessage", f"arn:aws:sqs:eu-central-1:{ACCOUNT}:other", {}),
}
