"""The resources of a Region and its operations. Each describes itself as the API returns it."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from itertools import count
from typing import Any

from local.lightsail.catalog import BLUEPRINTS, BUNDLES
from local.lightsail.clock import NEVER
from local.lightsail.firewall import Rule, describe_access

Tags = dict[str, str | None]  # None: a tag without a value
Description = dict[str, Any]

DEFAULT_KEY_PAIR = "LightsailDefaultKeyPair"
STATE_CODES = {"pending": 0, "running": 16, "stopping": 64, "stopped": 80}  # only 16 is confirmed; the others are EC2's
SUPPORT_CODES = {"Instance": "i", "InstanceSnapshot": "ami", "Disk": "vol", "RelationalDatabase": "rdb"}

_addresses = count(1)


def new_address() -> str:
    """A public address that nobody had before, from those reserved for tests (RFC 2544)."""
    return str(IPv4Address("198.18.0.0") + next(_addresses) % 2**17)


def new_ipv6_address() -> str:
    """An address that nobody had before, from those reserved for documentation (RFC 3849)."""
    return str(IPv6Address("2001:db8::") + next(_addresses))


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

    def support_code(self) -> str:
        """The code that identifies the resource to AWS's support."""
        return f"{self.account}/{SUPPORT_CODES[self.kind]}-{self.id[-17:]}"

    def common(self) -> Description:
        """The members that every resource has."""
        return {
            "name": self.name,
            "arn": self.arn,
            "supportCode": self.support_code(),
            "createdAt": self.created_at,
            "location": {"availabilityZone": self.zone, "regionName": self.region},
            "resourceType": self.kind,
            "tags": tags_to(self.tags),
        }


@dataclass(kw_only=True)
class StaticIp(Resource):
    """A public address that stays in the account; `attached_to` names an instance."""

    kind: str = "StaticIp"
    zone: str = "all"
    address: str = field(default_factory=new_address)
    attached_to: str | None = None

    def support_code(self) -> str:
        return f"{self.account}/{self.address}"

    def describe(self) -> Description:
        """As GetStaticIp returns it. A static IP has no tags."""
        described = self.common() | {"ipAddress": self.address, "isAttached": self.attached_to is not None}
        del described["tags"]
        return described | ({"attachedTo": self.attached_to} if self.attached_to else {})


@dataclass(kw_only=True)
class KeyPair(Resource):
    """The name of a key pair: the emulator makes no keys."""

    kind: str = "KeyPair"
    zone: str = "all"

    def support_code(self) -> str:
        return f"{self.account}/{self.name}"

    def describe(self) -> Description:
        """As GetKeyPair returns it."""
        digits = self.id.replace("-", "")
        return self.common() | {"fingerprint": ":".join(digits[at : at + 2] for at in range(0, 32, 2))}


@dataclass(kw_only=True)
class Disk(Resource):
    """A block storage disk, which may be attached to an instance at `path`."""

    kind: str = "Disk"
    size: int
    path: str | None = None
    attached_to: str | None = None

    def describe(self) -> Description:
        """As GetDisk returns it."""
        described = self.common() | {
            "sizeInGb": self.size,
            "isSystemDisk": False,
            "iops": 100,
            "state": "in-use" if self.attached_to else "available",
            "isAttached": self.attached_to is not None,
            "attachmentState": "attached" if self.attached_to else "detached",
        }
        return described | ({"path": self.path, "attachedTo": self.attached_to} if self.attached_to else {})


@dataclass(kw_only=True)
class RelationalDatabase(Resource):
    """A managed database."""

    kind: str = "RelationalDatabase"
    blueprint: str
    bundle: str
    engine: str
    version: str
    main_database: str
    user: str

    def describe(self) -> Description:
        """As GetRelationalDatabase returns it."""
        return self.common() | {
            "relationalDatabaseBlueprintId": self.blueprint,
            "relationalDatabaseBundleId": self.bundle,
            "masterDatabaseName": self.main_database,
            "masterUsername": self.user,
            "engine": self.engine,
            "engineVersion": self.version,
            "state": "available",
            "backupRetentionEnabled": True,
            "publiclyAccessible": False,
        }


@dataclass(kw_only=True)
class Instance(Resource):
    """An instance is in `state` until `next_state_at`, and in `next_state` from then on.

    `address` is the public address that it has without a static IP.
    """

    kind: str = "Instance"
    blueprint: str
    bundle: str
    state: str = "pending"
    next_state_at: datetime = NEVER
    next_state: str = "running"
    key_pair: str = DEFAULT_KEY_PAIR
    ip_address_type: str = "dualstack"
    address: str = field(default_factory=new_address)
    ipv6_address: str = field(default_factory=new_ipv6_address)
    static_ip: StaticIp | None = None
    ports: list[Rule] = field(default_factory=list)
    add_ons: list[Description] = field(default_factory=list)
    disks: list[Disk] = field(default_factory=list)

    def state_at(self, now: datetime) -> str:
        """One of `STATE_CODES`."""
        return self.next_state if now >= self.next_state_at else self.state

    def state_description(self, now: datetime) -> Description:
        """As GetInstanceState returns it."""
        state = self.state_at(now)
        return {"code": STATE_CODES[state], "name": state}

    def describe(self, now: datetime) -> Description:
        """As GetInstance returns it."""
        blueprint, bundle = BLUEPRINTS[self.blueprint], BUNDLES[self.bundle]
        return (
            self.common()
            | self._addresses()
            | {
                "blueprintId": blueprint.id,
                "blueprintName": blueprint.name,
                "bundleId": bundle.id,
                "addOns": self.add_ons,
                "hardware": {"cpuCount": bundle.cpus, "ramSizeInGb": bundle.memory, "disks": self._disks()},
                "networking": {
                    "monthlyTransfer": {"gbPerMonthAllocated": bundle.transfer},
                    "ports": [describe_access(rule) for rule in self.ports],
                },
                "state": self.state_description(now),
                "username": blueprint.username,
                "sshKeyName": self.key_pair,
            }
        )

    def _addresses(self) -> Description:
        low, high = divmod(self.serial % 65536, 256)
        described: Description = {
            "isStaticIp": self.static_ip is not None,
            "privateIpAddress": f"172.26.{low}.{high}",
            "ipAddressType": self.ip_address_type,
        }
        if self.ip_address_type != "ipv6":
            described["publicIpAddress"] = self.static_ip.address if self.static_ip else self.address
        if self.ip_address_type != "ipv4":
            described["ipv6Addresses"] = [self.ipv6_address]
        return described

    def _disks(self) -> list[Description]:
        system = {
            "createdAt": self.created_at,
            "sizeInGb": BUNDLES[self.bundle].disk,
            "isSystemDisk": True,
            "path": "/dev/xvda",
            "attachedTo": self.name,
            "attachmentState": "attached",
        }
        return [system, *(disk.describe() for disk in self.disks)]


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
    from_ports: list[Rule] = field(default_factory=list)  # AWS forgets them
    from_disks: list[Description] = field(default_factory=list)

    def state_at(self, now: datetime) -> str:
        """pending, available or error."""
        if now < self.finishes_at:
            return "pending"
        return "error" if self.failed else "available"

    def describe(self, now: datetime) -> Description:
        """As GetInstanceSnapshot returns it. Instance snapshots have no `progress`; only disk snapshots do."""
        return self.common() | {
            "state": self.state_at(now),
            "fromAttachedDisks": self.from_disks,
            "fromInstanceName": self.from_instance,
            "fromInstanceArn": self.from_instance_arn,
            "fromBlueprintId": self.from_blueprint,
            "fromBundleId": self.from_bundle,
            "isFromAutoSnapshot": False,
            "sizeInGb": BUNDLES[self.from_bundle].disk,
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
