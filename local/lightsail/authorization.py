"""The action, the resource and the condition keys that IAM decides on for each call.

As in the service authorization reference: the operations in `RESOURCES` act on a resource, and a policy can name it.
All others act on `*`, and only a policy on `*` allows them. An operation in neither list is denied.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.lightsail.emulator import Call
from local.lightsail.region import Region

# operation: the request's fields that name a resource, and the resource's type if it can have only one
RESOURCES: Mapping[str, Mapping[str, str | None]] = {
    "AttachDisk": {"diskName": "Disk"},
    "AttachStaticIp": {"instanceName": "Instance", "staticIpName": "StaticIp"},
    "CloseInstancePublicPorts": {"instanceName": "Instance"},
    "CreateInstanceSnapshot": {"instanceName": "Instance"},
    "CreateInstancesFromSnapshot": {"instanceSnapshotName": "InstanceSnapshot"},
    "DeleteDisk": {"diskName": "Disk"},
    "DeleteInstance": {"instanceName": "Instance"},
    "DeleteInstanceSnapshot": {"instanceSnapshotName": "InstanceSnapshot"},
    "DeleteKeyPair": {"keyPairName": "KeyPair"},
    "DeleteRelationalDatabase": {"relationalDatabaseName": "RelationalDatabase"},
    "DetachDisk": {"diskName": "Disk"},
    "DetachStaticIp": {"staticIpName": "StaticIp"},
    "OpenInstancePublicPorts": {"instanceName": "Instance"},
    "PutInstancePublicPorts": {"instanceName": "Instance"},
    "ReleaseStaticIp": {"staticIpName": "StaticIp"},
    "StartInstance": {"instanceName": "Instance"},
    "StopInstance": {"instanceName": "Instance"},
    "TagResource": {"resourceName": None},
    "UntagResource": {"resourceName": None},
}
WITHOUT_RESOURCE = frozenset(
    {
        "AllocateStaticIp",
        "CopySnapshot",
        "CreateDisk",
        "CreateInstances",
        "CreateKeyPair",
        "CreateRelationalDatabase",
        "GetActiveNames",
        "GetBlueprints",
        "GetBundles",
        "GetDisk",
        "GetDisks",
        "GetInstance",
        "GetInstanceMetricData",
        "GetInstancePortStates",
        "GetInstanceSnapshot",
        "GetInstanceSnapshots",
        "GetInstanceState",
        "GetInstances",
        "GetKeyPair",
        "GetKeyPairs",
        "GetOperation",
        "GetOperations",
        "GetOperationsForResource",
        "GetRegions",
        "GetRelationalDatabase",
        "GetRelationalDatabases",
        "GetStaticIp",
        "GetStaticIps",
    }
)


@dataclass(frozen=True)
class Authorization:
    """`context` has the condition keys in lower case, with a list if a key has several values or none."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]]


def authorizations(region: Region, call: Call) -> list[Authorization]:
    """Everything that IAM must allow for a call. The list is empty if the operation is in neither list."""
    parameters = call.parameters if isinstance(call.parameters, dict) else {}
    action = f"lightsail:{call.operation}"
    requested = _request_tags(parameters)
    if call.operation in WITHOUT_RESOURCE:
        return [Authorization(action, "*", requested)]
    knows_tags = region.settings.instance_tags_decide or call.operation != "CreateInstanceSnapshot"
    needed = [
        Authorization(action, arn, {**requested, **(tags if knows_tags else {})})
        for field, kind in RESOURCES.get(call.operation, {}).items()
        for arn, tags in [_resource(region, str(parameters.get(field)), kind)]
    ]
    made = _tagged_when_made(region, call.operation) if parameters.get("tags") else None
    arn = f"arn:aws:lightsail:{region.name}:{region.account}:{made}/*"
    return [*needed, Authorization("lightsail:TagResource", arn, requested)] if made else needed


def _tagged_when_made(region: Region, operation: str) -> str | None:
    """The type of what the operation makes, if tags on it need TagResource."""
    if operation == "CreateInstanceSnapshot" and region.settings.create_needs_tag_resource:
        return "InstanceSnapshot"
    if operation == "CreateInstancesFromSnapshot" and region.settings.restore_needs_tag_resource:
        return "Instance"
    return None


def _resource(region: Region, name: str, kind: str | None) -> tuple[str, dict[str, str | list[str]]]:
    """The ARN of a resource and the condition keys of its tags."""
    resource = region.names.get(name)
    if resource is None or kind not in (None, resource.kind):
        # A missing resource has no id and no tags: a policy on all resources of the type allows the call, which then
        # ends in NotFoundException. A policy on one ARN or on a tag denies it.
        return f"arn:aws:lightsail:{region.name}:{region.account}:{kind or '*'}/*", {}
    tags = ((key, value or "") for key, value in resource.tags.items())
    return resource.arn, _by_key("aws:ResourceTag", tags)


def _request_tags(parameters: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """aws:RequestTag/* and aws:TagKeys. Malformed tags are left out here, and the request is rejected later."""
    listed = parameters.get("tags")
    tags = [tag for tag in listed if isinstance(tag, dict)] if isinstance(listed, list) else []
    pairs = [(str(tag.get("key", "")), str(tag.get("value", ""))) for tag in tags]
    removed = parameters.get("tagKeys")
    keys = [key for key, _ in pairs] + ([str(key) for key in removed] if isinstance(removed, list) else [])
    return _by_key("aws:RequestTag", pairs) | ({"aws:TagKeys": keys} if keys else {})


def _by_key(prefix: str, tags: Iterable[tuple[str, str]]) -> dict[str, str | list[str]]:
    """A condition key ignores case, and matches a tag in either case "but not both" (IAM's guide on tags).

    If two keys differ only by case, the condition key gets no value, so that no condition on it is met.
    """
    values: dict[str, list[str]] = {}
    for key, value in tags:
        values.setdefault(f"{prefix}/{key}".lower(), []).append(value)
    return {key: found[0] if len(found) == 1 else [] for key, found in values.items()}
