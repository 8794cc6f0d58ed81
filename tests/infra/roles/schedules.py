"""What the role of the schedules may do and what it must never do, in the stack `with_copies`."""

from tests.infra.simulation import Case, bus_arn, events
from tests.infra.synthesized import ACCOUNT, REGION

PUT = "events:PutEvents"
FLEET, PRUNE, AUDIT = (("lightsail-snapshots", f"{what} Requested") for what in ("Fleet Snapshot", "Prune", "Audit"))

ACTIONS = {"events:PutEvents", "sqs:SendMessage"}

ALLOWED: dict[str, Case] = {
    "run a plan": (PUT, bus_arn("BUS"), events(FLEET)),
    "run prune": (PUT, bus_arn("BUS"), events(PRUNE)),
    "run an audit": (PUT, bus_arn("BUS"), events(AUDIT)),
}

DENIED: dict[str, Case] = {
    "run a plan with another source": (PUT, bus_arn("BUS"), events(("my.ci", "Fleet Snapshot Requested"))),
    "request one snapshot": (PUT, bus_arn("BUS"), events(("lightsail-snapshots", "Instance Snapshot Requested"))),
    "report a usable snapshot": (
        PUT,
        bus_arn("BUS"),
        events(("lightsail-snapshots", "Instance Snapshot Available")),
    ),
    "put events on the default bus": (PUT, bus_arn("default"), events(FLEET)),
    "list instances": ("lightsail:GetInstances", "*", {"aws:RequestedRegion": REGION}),
    "invoke a function": ("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:any", {}),
    "send to another queue": ("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:other", {}),
}
