"""What IAM must be asked before a call is let in: the action, the resource's ARN, and the condition keys.

From the service authorization reference: only the operations below are about a resource; every other one is about
`*`, and a policy that names resources does not allow it. An operation that is in neither list cannot be authorised.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.lightsail.emulator import Call
from local.lightsail.region import Region

# operation: the member of the request that names the resource, and the resource's type where it can be but one
ABOUT: Mapping[str, tuple[str, str | None]] = {
    "CreateInstanceSnapshot": ("instanceName", "Instance"),
    "CreateInstancesFromSnapshot": ("instanceSnapshotName", "InstanceSnapshot"),
    "DeleteInstance": ("instanceName", "Instance"),
    "DeleteInstanceSnapshot": ("instanceSnapshotName", "InstanceSnapshot"),
    "StartInstance": ("instanceName", "Instance"),
    "StopInstance": ("instanceName", "Instance"),
    "TagResource": ("resourceName", None),
    "UntagResource": ("resourceName", None),
}
ABOUT_EVERYTHING = frozenset(
    {
        "CopySnapshot",
        "CreateInstances",
        "DisableAddOn",
        "EnableAddOn",
        "GetActiveNames",
        "GetAutoSnapshots",
        "GetInstance",
        "GetInstanceSnapshot",
        "GetInstanceSnapshots",
        "GetInstanceState",
        "GetInstances",
        "GetOperation",
        "GetOperations",
        "GetOperationsForResource",
        "GetRegions",
    }
)


@dataclass(frozen=True)
class Question:
    """`context` has the condition keys, with a list where a key has several values."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]]


def question(region: Region, call: Call) -> Question | None:
    """What to ask about a call, or None where nobody knows what to ask: then it must be denied."""
    parameters = call.parameters if isinstance(call.parameters, dict) else {}
    action = f"lightsail:{call.operation}"
    requested = _request_tags(parameters)
    if call.operation in ABOUT_EVERYTHING:
        return Question(action, "*", requested)
    if call.operation not in ABOUT:
        return None
    member, kind = ABOUT[call.operation]
    resource = region.names.get(str(parameters.get(member)))
    if resource is None or kind not in (None, resource.kind):
        # What does not exist has no id and no tags: a policy on all of that type allows the call, which then ends
        # in NotFoundException; a policy on one ARN, or on a tag, does not.
        return Question(action, f"arn:aws:lightsail:{region.name}:{region.account.id}:{kind or '*'}/*", requested)
    tags = ((key, value or "") for key, value in resource.tags.items())
    return Question(action, resource.arn, {**requested, **_by_key("aws:ResourceTag", tags)})


def _request_tags(parameters: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """aws:RequestTag/* and aws:TagKeys. Malformed tags count as none: the call is refused for them later."""
    listed = parameters.get("tags")
    tags = [tag for tag in listed if isinstance(tag, dict)] if isinstance(listed, list) else []
    pairs = [(str(tag.get("key", "")), str(tag.get("value", ""))) for tag in tags]
    removed = parameters.get("tagKeys")
    keys = [key for key, _ in pairs] + ([str(key) for key in removed] if isinstance(removed, list) else [])
    return _by_key("aws:RequestTag", pairs) | ({"aws:TagKeys": keys} if keys else {})


def _by_key(prefix: str, tags: Iterable[tuple[str, str]]) -> dict[str, str | list[str]]:
    """Condition keys know no case and tags do, so one condition key may stand for several tags."""
    values: dict[str, list[str]] = {}
    for key, value in tags:
        values.setdefault(f"{prefix}/{key}".lower(), []).append(value)
    return {key: found[0] if len(found) == 1 else found for key, found in values.items()}
