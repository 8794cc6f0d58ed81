"""What `restore` reads and calls in one Region of the account."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore import xform_name
from botocore.config import Config

from lightsail_snapshots.aws.errors import NotFoundError, translate_errors
from lightsail_snapshots.aws.lightsail import Operation, lightsail
from lightsail_snapshots.restore_facts import RestoreFacts, read_instance
from lightsail_snapshots.restore_plan import Bundle, Call, Place, StaticIp

if TYPE_CHECKING:
    from mypy_boto3_lightsail import LightsailClient

_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3})
"""A second attempt after a lost answer is harmless: each step is looked for first when it is repeated."""


class ExistingInstance(NamedTuple):
    """An instance as it is now."""

    state: str
    created_at: datetime
    address: str
    """Public; empty if it has none of IPv4."""
    ipv6_address: str
    tags: dict[str, str]
    facts: RestoreFacts


class RestoreAccount:
    """One Region of the account. Each method raises AwsError."""

    def __init__(self, region: str) -> None:
        """Make the client; this does not call AWS."""
        self.region = region
        self._client: LightsailClient = boto3.client("lightsail", region_name=region, config=_CONFIG)

    def place(self) -> Place:
        """Return what a new instance can have here."""
        with translate_errors():
            regions = self._client.get_regions(includeAvailabilityZones=True)["regions"]
            zones = [zone for each in regions if each.get("name") == self.region for zone in each["availabilityZones"]]
            bundles = [Bundle.of(each) for each in self._pages("get_bundles", "bundles", includeInactive=True)]
            key_pairs = [str(each["name"]) for each in self._pages("get_key_pairs", "keyPairs")]
        return Place(
            zones=tuple(zone["zoneName"] for zone in zones if zone.get("state", "available") == "available"),
            bundles={each.id: each for each in bundles},
            key_pairs=frozenset(key_pairs),
        )

    def instance(self, name: str) -> ExistingInstance | None:
        """Return the instance of this name, or None if there is none."""
        try:
            with translate_errors():
                raw = self._client.get_instance(instanceName=name)["instance"]
        except NotFoundError:
            return None
        return ExistingInstance(
            state=raw.get("state", {}).get("name", ""),
            created_at=raw["createdAt"],
            address=raw.get("publicIpAddress", ""),
            ipv6_address=next(iter(raw.get("ipv6Addresses", [])), ""),
            tags={tag.get("key", ""): tag.get("value", "") for tag in raw.get("tags", [])},
            facts=read_instance(raw),
        )

    def static_ips(self) -> list[StaticIp]:
        """Return all static IPs."""
        with translate_errors():
            return [
                StaticIp(each["name"], each["ipAddress"], each.get("attachedTo", ""))
                for each in self._pages("get_static_ips", "staticIps")
            ]

    def newest_operation(self, resource: str, is_meant: Callable[[Operation], bool]) -> Operation | None:
        """Return the newest of some operations on the resources that have or had this name."""
        found = filter(is_meant, lightsail(self.region).operations(resource))
        return max(found, key=lambda operation: operation.created_at, default=None)

    def run(self, call: Call) -> None:
        """Make a call."""
        method: Any = getattr(self._client, xform_name(call.operation))
        with translate_errors():
            partial(method, **call.arguments)()

    def _pages(self, operation: str, member: str, **arguments: bool) -> Iterator[Any]:
        paginator: Any = self._client.get_paginator(operation)  # type: ignore[call-overload]  # the name is not literal
        for page in paginator.paginate(**arguments):
            yield from page.get(member, [])
