"""Builders and readers for the contract tests."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.emulator.endpoints import REGION, Lightsail

CREATE = {"instanceName": "web-1", "instanceSnapshotName": "snap-1"}
"""The request that creates snap-1 of web-1."""


def make_instance(lightsail: Lightsail, name: str = "web-1", **request: Any) -> dict[str, Any]:
    """Create an instance, and return it as GetInstance does."""
    zone = f"{lightsail.meta.region_name or REGION}a"
    defaults = {"availabilityZone": zone, "blueprintId": "ubuntu_24_04", "bundleId": "small_3_0"}
    lightsail.create_instances(**{"instanceNames": [name], **defaults, **request})
    return dict(lightsail.get_instance(instanceName=name)["instance"])


def make_snapshot(
    lightsail: Lightsail, name: str = "snap-1", instance: str = "web-1", **request: Any
) -> dict[str, Any]:
    """Create a snapshot of an existing instance, and return it as GetInstanceSnapshot does."""
    lightsail.create_instance_snapshot(instanceName=instance, instanceSnapshotName=name, **request)
    return snapshot(lightsail, name)


def snapshot(lightsail: Lightsail, name: str = "snap-1") -> dict[str, Any]:
    """An instance snapshot, by name."""
    return dict(lightsail.get_instance_snapshot(instanceSnapshotName=name)["instanceSnapshot"])


def snapshot_names(lightsail: Lightsail) -> list[str]:
    """The names of all instance snapshots in the client's Region, from all pages."""
    pages = lightsail.get_paginator("get_instance_snapshots").paginate()
    return [one["name"] for page in pages for one in page["instanceSnapshots"]]


def error_from(call: Callable[..., object], **request: Any) -> dict[str, Any]:
    """The error of a call that must fail: name, sub-code, message and status."""
    try:
        call(**request)
    except ClientError as error:
        response: Any = error.response
        return {
            "name": response["Error"]["Code"],
            "message": response["Error"]["Message"],
            "code": response.get("code"),
            "status": response["ResponseMetadata"]["HTTPStatusCode"],
        }
    raise AssertionError("the call succeeded")
