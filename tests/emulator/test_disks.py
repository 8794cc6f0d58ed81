"""Block storage disks."""

from tests.emulator.builders import error_from, make_instance
from tests.emulator.endpoints import Lightsail


def make_disk(lightsail: Lightsail, name: str = "data", zone: str = "eu-central-1a") -> None:
    """Create a disk of 32 GB."""
    lightsail.create_disk(diskName=name, availabilityZone=zone, sizeInGb=32, tags=[{"key": "env"}])


def test_disk_is_attached_and_detached(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    make_disk(lightsail)
    free = lightsail.get_disk(diskName="data")["disk"]
    assert (free["state"], free["isAttached"], free["tags"]) == ("available", False, [{"key": "env"}])
    lightsail.attach_disk(diskName="data", instanceName="web-1", diskPath="/dev/xvdf")
    used = lightsail.get_disk(diskName="data")["disk"]
    assert (used["state"], used["attachedTo"], used["path"]) == ("in-use", "web-1", "/dev/xvdf")
    assert error_from(lightsail.detach_disk, diskName="data")["name"] == "OperationFailureException"
    lightsail.stop_instance(instanceName="web-1")
    lightsail.detach_disk(diskName="data")
    lightsail.delete_disk(diskName="data")
    assert lightsail.get_disks()["disks"] == []


def test_disk_stays_when_its_instance_is_deleted(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    make_disk(lightsail)
    lightsail.attach_disk(diskName="data", instanceName="web-1", diskPath="/dev/xvdf")
    operations = lightsail.delete_instance(instanceName="web-1")["operations"]
    assert [one["operationType"] for one in operations] == ["DetachDisk", "DetachDisk", "DeleteInstance"]
    assert [one["isAttached"] for one in lightsail.get_disks()["disks"]] == [False]


def test_wrong_disk_calls_are_rejected(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    for name, zone in (("data", "eu-central-1a"), ("logs", "eu-central-1a"), ("far", "eu-central-1b")):
        make_disk(lightsail, name, zone)
    lightsail.attach_disk(diskName="data", instanceName="web-1", diskPath="/dev/xvdf")
    texts = {
        "data": "The disk data is already attached to web-1.",
        "logs": "The instance web-1 already has a disk at /dev/xvdf.",
        "far": "The disk far is in eu-central-1b, and web-1 in eu-central-1a.",
    }
    for name, text in texts.items():
        error = error_from(lightsail.attach_disk, diskName=name, instanceName="web-1", diskPath="/dev/xvdf")
        assert error["message"] == text
    assert "not attached" in error_from(lightsail.detach_disk, diskName="logs")["message"]
    assert "attached to web-1" in error_from(lightsail.delete_disk, diskName="data")["message"]
    assert error_from(make_disk, lightsail=lightsail, name="x1", zone="us-east-1a")["name"] == "InvalidInputException"
