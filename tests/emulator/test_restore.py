"""CreateInstancesFromSnapshot: what an instance gets back from its snapshot, and what it does not."""

from typing import Any

import pytest

from tests.emulator.builders import error_from, make_instance, make_snapshot, snapshot, snapshot_names
from tests.emulator.endpoints import Endpoint, Lightsail, client

RESTORE = {
    "instanceNames": ["web-2"],
    "availabilityZone": "eu-central-1b",
    "instanceSnapshotName": "snap-1",
    "bundleId": "small_3_0",
}
"""The request that restores snap-1 as web-2."""


@pytest.fixture
def available(endpoint: Endpoint, lightsail: Lightsail) -> dict[str, Any]:
    """web-1, with much that a snapshot does not remember, and its available snapshot snap-1."""
    lightsail.create_key_pair(keyPairName="ops")
    add_on = {"addOnType": "AutoSnapshot", "autoSnapshotAddOnRequest": {"snapshotTimeOfDay": "04:00"}}
    tags = [{"key": "env", "value": "prod"}]
    make_instance(lightsail, keyPairName="ops", ipAddressType="ipv4", addOns=[add_on], tags=tags)
    lightsail.put_instance_public_ports(instanceName="web-1", portInfos=[{"protocol": "all"}])
    lightsail.allocate_static_ip(staticIpName="ip-1")
    lightsail.attach_static_ip(staticIpName="ip-1", instanceName="web-1")
    make_snapshot(lightsail)
    endpoint.control("clock", advance=60)
    return dict(lightsail.get_instance(instanceName="web-1")["instance"])


def restore(lightsail: Lightsail, **request: Any) -> dict[str, Any]:
    """Restore snap-1, and return the new instance as GetInstance does."""
    lightsail.create_instances_from_snapshot(**RESTORE | request)
    return dict(lightsail.get_instance(instanceName="web-2")["instance"])


def test_restore_brings_back_only_blueprint_and_disk(lightsail: Lightsail, available: dict[str, Any]) -> None:
    restored = restore(lightsail)
    assert restored["arn"] != available["arn"]
    assert restored["blueprintId"] == "ubuntu_24_04"
    assert [rule["fromPort"] for rule in restored["networking"]["ports"]] == [80, 22]
    assert restored["publicIpAddress"] != available["publicIpAddress"]
    assert restored["isStaticIp"] is False
    assert restored["sshKeyName"] == "LightsailDefaultKeyPair"
    assert restored["ipAddressType"] == "dualstack"
    assert (restored["addOns"], restored["tags"]) == ([], [])
    assert snapshot_names(lightsail) == ["snap-1"]


def test_restore_takes_the_settings_of_its_request(lightsail: Lightsail, available: dict[str, Any]) -> None:
    add_on = {"addOnType": "AutoSnapshot", "autoSnapshotAddOnRequest": {"snapshotTimeOfDay": "04:00"}}
    settings = {"keyPairName": "ops", "ipAddressType": "ipv4", "addOns": [add_on], "tags": available["tags"]}
    restored = restore(lightsail, bundleId="medium_3_0", **settings)
    same = ("sshKeyName", "ipAddressType", "addOns", "tags")
    assert {field: restored[field] for field in same} == {field: available[field] for field in same}
    assert restored["bundleId"] == "medium_3_0"
    assert restored["location"]["availabilityZone"] == "eu-central-1b"
    assert "ipv6Addresses" not in restored


def test_restore_works_from_a_copy_after_the_instance_is_gone(endpoint: Endpoint, available: dict[str, Any]) -> None:
    client(endpoint).delete_instance(instanceName="web-1")
    there = client(endpoint, "eu-west-1")
    there.copy_snapshot(sourceSnapshotName="snap-1", sourceRegion="eu-central-1", targetSnapshotName="snap-1")
    endpoint.control("clock", advance=60)
    assert snapshot(there)["location"]["availabilityZone"] == "all"
    assert restore(there, availabilityZone="eu-west-1a")["blueprintId"] == available["blueprintId"]


def test_restore_rejects_a_bundle_that_does_not_fit(lightsail: Lightsail, available: dict[str, Any]) -> None:
    texts = {
        "nano_3_0": "The bundle nano_3_0 is smaller than the snapshot's bundle, small_3_0.",
        "small_win_3_0": "The blueprint ubuntu_24_04 needs a bundle for LINUX_UNIX, not small_win_3_0.",
        "small_ipv6_3_0": "The bundle small_ipv6_3_0 does not have the address type dualstack.",
        "huge": "There is no bundle huge.",
    }
    for bundle, text in texts.items():
        error = error_from(restore, lightsail=lightsail, bundleId=bundle)
        assert error["name"] == "InvalidInputException"
        assert error["message"].startswith(text)
    assert available["name"] in lightsail.get_active_names()["activeNames"]
    assert "web-2" not in lightsail.get_active_names()["activeNames"]


def test_restore_is_not_found_when_the_key_pair_does_not_exist(lightsail: Lightsail, available: dict[str, Any]) -> None:
    assert available["sshKeyName"] == "ops"
    lightsail.delete_key_pair(keyPairName="ops")
    assert error_from(restore, lightsail=lightsail, keyPairName="ops")["name"] == "NotFoundException"


def test_restore_fails_when_the_snapshot_is_pending(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    make_snapshot(lightsail)
    assert error_from(restore, lightsail=lightsail)["name"] == "OperationFailureException"


def test_restore_needs_a_manual_snapshot(lightsail: Lightsail) -> None:
    request = {name: value for name, value in RESTORE.items() if name != "instanceSnapshotName"}
    automatic = {"sourceInstanceName": "web-1", "useLatestRestorableAutoSnapshot": True}
    error = error_from(lightsail.create_instances_from_snapshot, **request, **automatic)
    assert error["code"] == "UnsupportedOperation"


def test_restore_creates_new_disks_with_the_names_of_the_mapping(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    for name, path in (("data", "/dev/xvdf"), ("logs", "/dev/xvdg")):
        lightsail.create_disk(diskName=name, availabilityZone="eu-central-1a", sizeInGb=32)
        lightsail.attach_disk(diskName=name, instanceName="web-1", diskPath=path)
    assert [disk["name"] for disk in make_snapshot(lightsail)["fromAttachedDisks"]] == ["data", "logs"]
    endpoint.control("clock", advance=60)
    mapping = {"web-2": [{"originalDiskPath": "/dev/xvdf", "newDiskName": "data-2"}]}
    system, *disks = restore(lightsail, attachedDiskMapping=mapping)["hardware"]["disks"]
    assert (system["isSystemDisk"], system["sizeInGb"]) == (True, 60)
    assert [(disk["name"], disk["path"], disk["sizeInGb"]) for disk in disks] == [
        ("data-2", "/dev/xvdf", 32),
        ("web-2-disk-2", "/dev/xvdg", 32),
    ]
    assert {disk["name"] for disk in lightsail.get_disks()["disks"]} == {"data", "logs", "data-2", "web-2-disk-2"}


def test_restore_rejects_a_disk_mapping_that_does_not_fit(lightsail: Lightsail, available: dict[str, Any]) -> None:
    disk = {"originalDiskPath": "/dev/xvdf", "newDiskName": "data-2"}
    texts = {
        "web-2": "The snapshot snap-1 has no disk at /dev/xvdf.",
        "web-9": "attachedDiskMapping names instances that are not in instanceNames: web-9.",
    }
    for instance, text in texts.items():
        assert error_from(restore, lightsail=lightsail, attachedDiskMapping={instance: [disk]})["message"] == text
    bad_name = {"web-2": [{**disk, "newDiskName": "a b"}]}
    error = error_from(restore, lightsail=lightsail, attachedDiskMapping=bad_name)
    assert "a b is not a valid resource name" in error["message"]
    assert available["name"] == "web-1"
