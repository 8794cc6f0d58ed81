"""The operations that create, copy and delete instance snapshots."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from local.lightsail import errors
from local.lightsail.errors import invalid
from local.lightsail.region import Region
from local.lightsail.resources import Instance, InstanceSnapshot, Operation, tags_from

# A snapshot's createdAt is later than its request: by 30 and 38 seconds in AWS's sample output.
CREATED_AFTER_SECONDS = 30


def create_instance_snapshot(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Start a snapshot. The answer has an operation on the snapshot and one on the instance, in no fixed order."""
    name = request["instanceSnapshotName"]
    _check_new_name(region, name)
    _check_tags(region, request)
    instance = region.instance(request["instanceName"])
    state = instance.state_at(region.now)
    _check_ready(region, instance, state)
    finishes_at, failed = region.plan_snapshot("CreateInstanceSnapshot", [name, instance.name])
    lag = min(CREATED_AFTER_SECONDS, region.settings.snapshot_seconds / 2)
    snapshot = region.add(
        InstanceSnapshot(
            name=name,
            region=region.name,
            account=region.account,
            created_at=region.now + timedelta(seconds=lag),
            finishes_at=finishes_at,
            failed=failed,
            tags=tags_from(request.get("tags", [])),
            from_instance=instance.name,
            from_instance_arn=instance.arn,
            from_ports=list(instance.ports),
            from_blueprint=instance.blueprint,
            from_bundle=instance.bundle,
            from_disks=[disk.describe() for disk in instance.disks],
        )
    )
    on_snapshot = region.record("CreateInstanceSnapshot", snapshot, instance.name, finishes_at, failed)
    on_instance = region.record("CreateInstanceSnapshot", instance, name, finishes_at, failed)
    return {"operations": region.describe(_in_no_fixed_order(on_snapshot, on_instance))}


def _check_ready(region: Region, instance: Instance, state: str) -> None:
    """Reject a snapshot of an instance that is busy; whether AWS does is not confirmed."""
    settings = region.settings
    if state in ("pending", "stopping") and not settings.snapshots_while_changing:
        raise errors.busy("Instance", instance.name, state)
    if state == "stopped" and not settings.snapshots_while_stopped:
        raise invalid(f"The instance {instance.name} is not running.")
    if not settings.several_snapshots_at_once and _has_pending_snapshot(region, instance):
        raise errors.busy("Instance", instance.name, "busy with another snapshot")


def _has_pending_snapshot(region: Region, instance: Instance) -> bool:
    of_it = (each for each in region.resources_of_type(InstanceSnapshot) if each.from_instance_arn == instance.arn)
    return any(each.state_at(region.now) == "pending" for each in of_it)


def delete_instance_snapshot(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a snapshot at once. The answer has one operation, which has finished."""
    snapshot = region.snapshot(request["instanceSnapshotName"])
    state = snapshot.state_at(region.now)
    if state == "pending" and not region.settings.deletes_pending_snapshots:
        raise errors.busy("InstanceSnapshot", snapshot.name, state)
    region.remove(snapshot)
    return {"operations": region.describe([region.record("DeleteInstanceSnapshot", snapshot)])}


def copy_snapshot(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Copy a manual snapshot into this Region. The request cannot carry tags."""
    name = request["targetSnapshotName"]
    _check_new_name(region, name)
    source = _find_source(region, request)
    finishes_at, failed = region.plan_snapshot("CopySnapshot", [name, source.name])
    copy = region.add(
        InstanceSnapshot(
            name=name,
            region=region.name,
            account=region.account,
            created_at=region.now,
            finishes_at=finishes_at,
            failed=failed,
            tags=dict(source.tags) if region.settings.copy_carries_tags else {},
            from_instance=source.from_instance if region.settings.copy_knows_instance else "",
            from_instance_arn=source.from_instance_arn if region.settings.copy_knows_instance else "",
            from_ports=source.from_ports,
            from_blueprint=source.from_blueprint,
            from_bundle=source.from_bundle,
            from_disks=source.from_disks,
        )
    )
    details = f"{source.region}:{source.name}" if region.settings.copy_names_source else ""
    operation = region.record("CopySnapshot", copy, details, finishes_at, failed)
    return {"operations": region.describe([operation])}


def _check_new_name(region: Region, name: str) -> None:
    if "." in name and not region.settings.dots_in_snapshot_names:
        raise invalid(f"{name} is not a valid resource name.")
    region.check_free([name])


def _check_tags(region: Region, request: dict[str, Any]) -> None:
    if not region.settings.key_only_tags and any("value" not in tag for tag in request.get("tags", [])):
        raise invalid("A specified tag has no value.")


def _find_source(region: Region, request: dict[str, Any]) -> InstanceSnapshot:
    source_region = region.find_region(request["sourceRegion"])  # the model's enum lists one that does not exist
    if ("sourceSnapshotName" in request) == ("sourceResourceName" in request):
        raise invalid("Give either sourceSnapshotName or sourceResourceName.")
    if "sourceResourceName" in request:
        raise errors.unsupported("The emulator copies manual snapshots only.")
    name = str(request["sourceSnapshotName"])
    if region.settings.copies_pending_snapshots:
        return source_region.snapshot(name)
    return source_region.available_snapshot(name)


def _in_no_fixed_order(first: Operation, second: Operation) -> Sequence[Operation]:
    """Swap them every other time, so that a client that always takes the first one fails its tests."""
    return (first, second) if first.serial % 2 else (second, first)
