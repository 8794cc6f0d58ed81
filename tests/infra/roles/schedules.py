"""What the role of the schedules may do and what it must never do, in the stack `two_regions`."""

from tests.infra.simulation import Case, bus_arn, events
from tests.infra.synthesized import ACCOUNT, REGION

PUT = "events:PutEvents"
FLEET = ("lightsail-snapshots", "Fleet Snapshot Requested")

ACTIONS = {"events:PutEvents", "sqs:SendMessage"}

ALLOWED: dict[str, Case] = {"start a plan": (PUT, bus_arn("BUS"), events(FLEET))}

DENIED: dict[str, Case] = {
    "start a plan in the name of another": (PUT, bus_arn("BUS"), events(("my.ci", "Fleet Snapshot Requested"))),
    "ask for a single snapshot": (PUT, bus_arn("BUS"), events(("lightsail-snapshots", "Instance Snapshot Requested"))),
    "say that a snapshot is usable": (
        PUT,
        bus_arn("BUS"),
        events(("lightsail-snapshots", "Instance Snapshot Available")),
    ),
    "put events on the default bus": (PUT, bus_arn("default"), events(FLEET)),
    "list instances": ("lightsail:GetInstances", "*", {"aws:RequestedRegion": REGION}),
    "invoke a function": ("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:any", {}),
    "send to a queue of somebody else": ("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:other", {}),
}
