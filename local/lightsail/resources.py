"""The resources of a Region and its operations. Each describes itself as the API returns it."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.lightsail.clock import NEVER

Tags = dict[str, str | None]  # None: a tag without a value
Description = dict[str, Any]

STATE_CODES = {"pending": 0, "running": 16, "stopping": 64, "stopped": 80}  # only 16 is confirmed; the others are EC2's
DISK_SIZES = {  # in GB, of today's Linux bundles, smallest first: a restore takes the same size or a larger one
    "nano": 20,
    "micro": 40,
    "small": 60,
    "medium": 80,
    "large": 160,
    "xlarge": 320,
    "2xlarge": 640,
    "4xlarge": 1280,
}


def bundle_size(bundle: str) -> str:
    """`nano` of `nano_3_0`; an unknown bundle counts as `medium`."""
    size = bundle.split("_", maxsplit=1)[0]
    return size if size in DISK_SIZES else "medium"


def tags_from(listed: list[dict[str, str]]) -> Tags:
    """Tags by key, from the API's list."""
    return {tag["key"]: tag.get("value") for tag in listed}


def tags_to(tags: Tags) -> list[dict[str, str]]:
    """The API's list. It is empty if there are no tags, and a tag without a value has no `value`."""
    return [{"key": key} if value is None else {"key": key, "value": value} for key, value in tags.items()]


@dataclass(kw_only=True)
class Resource:
    """Anything with a name in a Region. `serial` numbers resources and operations in creation order."""

    name: str
    region: str
    account: str
    zone: str
    created_at: datetime
    kind: str
    serial: int = 0
    tags: Tags = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def arn(self) -> str:
        """It holds a UUID, so a policy cannot name a resource by its name."""
        return f"arn:aws:lightsail:{self.region}:{self.account}:{self.kind}/{self.id}"

    def common(self) -> Description:
        """The members that every resource has."""
        return {
            "name": self.name,
            "arn": self.arn,
            "supportCode": f"{self.account}/{'i' if self.kind == 'Instance' else 'ami'}-{self.id[-17:]}",
            "createdAt": self.created_at,
            "location": {"availabilityZone": self.zone, "regionName": self.region},
            "resourceType": self.kind,
            "tags": tags_to(self.tags),
        }


@dataclass(kw_only=True)
class Instance(Resource):
    """An instance is in `state` until `next_state_at`, and in `next_state` from then on."""

    kind: str = "Instance"
    blueprint: str
    bundle: str
    state: str = "pending"
    next_state_at: datetime = NEVER
    next_state: str = "running"
    add_ons: list[Description] = field(default_factory=list)

    def state_at(self, now: datetime) -> str:
        """One of `STATE_CODES`."""
        return self.next_state if now >= self.next_state_at else self.state

    def state_description(self, now: datetime) -> Description:
        """As GetInstanceState returns it."""
        state = self.state_at(now)
        return {"code": STATE_CODES[state], "name": state}

    def describe(self, now: datetime) -> Description:
        """As GetInstance returns it."""
        low, high = divmod(self.serial % 65536, 256)
        return self.common() | {
            "blueprintId": self.blueprint,
            "blueprintName": self.blueprint.replace("_", " ").title(),
            "bundleId": self.bundle,
            "addOns": self.add_ons,
            "isStaticIp": False,
            "privateIpAddress": f"172.26.{low}.{high}",
            "publicIpAddress": f"198.18.{low}.{high}",  # RFC 2544: reserved for tests
            "ipAddressType": "dualstack",
            "hardware": {"cpuCount": 2, "ramSizeInGb": 1.0, "disks": []},
            "networking": {"monthlyTransfer": {"gbPerMonthAllocated": 2048}, "ports": []},
            "state": self.state_description(now),
            "username": "ubuntu",
            "sshKeyName": "LightsailDefaultKeyPair",
        }


@dataclass(kw_only=True)
class InstanceSnapshot(Resource):
    """A snapshot is pending until `finishes_at`, and then available, or in error if `failed`."""

    kind: str = "InstanceSnapshot"
    zone: str = "all"
    finishes_at: datetime
    failed: bool = False
    from_instance: str
    from_instance_arn: str
    from_blueprint: str
    from_bundle: str

    def state_at(self, now: datetime) -> str:
        """pending, available or error."""
        if now < self.finishes_at:
            return "pending"
        return "error" if self.failed else "available"

    def describe(self, now: datetime) -> Description:
        """As GetInstanceSnapshot returns it. Instance snapshots have no `progress`; only disk snapshots do."""
        return self.common() | {
            "state": self.state_at(now),
            "fromAttachedDisks": [],
            "fromInstanceName": self.from_instance,
            "fromInstanceArn": self.from_instance_arn,
            "fromBlueprintId": self.from_blueprint,
            "fromBundleId": self.from_bundle,
            "isFromAutoSnapshot": False,
            "sizeInGb": DISK_SIZES[bundle_size(self.from_bundle)],
        }


@dataclass(kw_only=True)
class Operation:
    """One operation on one resource; Started until `finishes_at`."""

    type: str
    kind: str
    resource: str
    details: str
    zone: str
    region: str
    created_at: datetime
    finishes_at: datetime
    failed: bool = False
    serial: int = 0
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def describe(self, now: datetime) -> Description:
        """As GetOperation returns it."""
        done = now >= self.finishes_at
        end = "Failed" if self.failed else "Succeeded"
        described: Description = {
            "id": self.id,
            "resourceName": self.resource,
            "resourceType": self.kind,
            "createdAt": self.created_at,
            "location": {"availabilityZone": self.zone, "regionName": self.region},
            "isTerminal": done,
            "operationType": self.type,
            "status": end if done else "Started",
            "statusChangedAt": self.finishes_at if done else self.created_at,
        }
        if self.details:
            described["operationDetails"] = self.details
        if done and self.failed:
            described |= {"errorCode": "SnapshotFailed", "errorDetails": "The fault snapshot-fails was set."}
        return described
