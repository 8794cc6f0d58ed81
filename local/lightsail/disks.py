"""The operations on block storage disks, which work at once here."""

from typing import Any

from local.lightsail import errors
from local.lightsail.errors import invalid
from local.lightsail.region import Region
from local.lightsail.resources import Disk, Instance, Operation, tags_from


def create_disk(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Create a disk, attached to nothing."""
    name = request["diskName"]
    region.check_free([name])
    region.check_zone(request["availabilityZone"])
    disk = region.add(
        Disk(
            name=name,
            region=region.name,
            account=region.account,
            zone=request["availabilityZone"],
            created_at=region.now,
            size=request["sizeInGb"],
            tags=tags_from(request.get("tags", [])),
        )
    )
    return {"operations": region.describe([region.record("CreateDisk", disk)])}


def attach_disk(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Attach a disk to an instance of its zone."""
    disk, instance = region.find(request["diskName"], Disk), region.instance(request["instanceName"])
    if disk.attached_to:
        raise invalid(f"The disk {disk.name} is already attached to {disk.attached_to}.")
    if disk.zone != instance.zone:
        raise invalid(f"The disk {disk.name} is in {disk.zone}, and {instance.name} in {instance.zone}.")
    if request["diskPath"] in [other.path for other in instance.disks]:
        raise invalid(f"The instance {instance.name} already has a disk at {request['diskPath']}.")
    attach(disk, instance, request["diskPath"])
    return {"operations": region.describe(region.record_on_both("AttachDisk", disk, instance))}


def detach_disk(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Detach a disk from its instance, which must be stopped (the API reference)."""
    disk = region.find(request["diskName"], Disk)
    if disk.attached_to is None:
        raise invalid(f"The disk {disk.name} is not attached.")
    instance = region.instance(disk.attached_to)
    state = instance.state_at(region.now)
    if state != "stopped":
        raise errors.busy("Instance", instance.name, state)
    return {"operations": region.describe(detach(region, disk, instance))}


def delete_disk(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a disk that is not attached."""
    disk = region.find(request["diskName"], Disk)
    if disk.attached_to:
        raise invalid(f"The disk {disk.name} is attached to {disk.attached_to}.")
    region.remove(disk)
    return {"operations": region.describe([region.record("DeleteDisk", disk)])}


def get_disk(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """One disk, by name."""
    return {"disk": region.find(request["diskName"], Disk).describe()}


def get_disks(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """A page of the Region's disks, without system disks."""
    page, token = region.page(region.resources_of_type(Disk), request.get("pageToken"))
    return {"disks": [disk.describe() for disk in page], **token}


def attach(disk: Disk, instance: Instance, path: str) -> None:
    """Connect a disk and an instance."""
    disk.attached_to, disk.path = instance.name, path
    instance.disks.append(disk)


def detach(region: Region, disk: Disk, instance: Instance) -> list[Operation]:
    """Disconnect a disk and an instance, and record it on both."""
    disk.attached_to, disk.path = None, None
    instance.disks.remove(disk)
    return region.record_on_both("DetachDisk", disk, instance)
