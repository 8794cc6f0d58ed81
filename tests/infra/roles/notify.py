"""What the role of `notify` may do and what it must never do, in the stack `everything`, which has a chat."""

from tests.infra.simulation import OF_EVERY_FUNCTION, Case, bus_arn, events, in_region, lightsail_arn, tagging
from tests.infra.synthesized import ACCOUNT, REGION

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:TopicBFC7AF6E"
PARAMETER = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/lightsail-snapshots/chat"
OURS = {"aws:ResourceTag/managed-by": "lightsail-snapshots"}

ACTIONS = (OF_EVERY_FUNCTION - {"events:PutEvents"}) | {
    "sns:Publish",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "ssm:GetParameter",
}

ALLOWED: dict[str, Case] = {
    "publish to the topic": ("sns:Publish", TOPIC, {}),
    "read the address of the chat": ("ssm:GetParameter", PARAMETER, {}),
}

DENIED: dict[str, Case] = {
    "publish to another topic": ("sns:Publish", f"{TOPIC}2", {}),
    "subscribe somebody": ("sns:Subscribe", TOPIC, {}),
    "read another parameter": ("ssm:GetParameter", f"{PARAMETER}2", {}),
    "read all parameters of a path": ("ssm:GetParametersByPath", PARAMETER.rpartition("/")[0], {}),
    "change the address of the chat": ("ssm:PutParameter", PARAMETER, {}),
    "publish an outcome": ("events:PutEvents", bus_arn("BUS"), events(("lightsail-snapshots", "Prune Refused"))),
    "request a snapshot": ("events:PutEvents", bus_arn("BUS"), events(("notify", "Instance Snapshot Requested"))),
    "list instances": ("lightsail:GetInstances", "*", in_region(REGION)),
    "create a snapshot": (
        "lightsail:CreateInstanceSnapshot",
        lightsail_arn("Instance"),
        tagging(managed_by="lightsail-snapshots"),
    ),
    "delete a snapshot of ours": ("lightsail:DeleteInstanceSnapshot", lightsail_arn("InstanceSnapshot"), OURS),
    "set an alarm to OK": ("cloudwatch:SetAlarmState", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:x", {}),
}
