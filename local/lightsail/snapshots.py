"""The operations that create, copy and delete instance snapshots."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from local.lightsail import errors
from local.lightsail.errors import invalid
from local.lightsail.region import Region
from local.lightsail.resources import InstanceSnapshot, Operation, tags_from

# A snapshot's createdAt is later than its request: by 30 and 38 seconds in AWS's sample output.
CREATED_AFTER_SECONDS = 30


def create_instance_snapshot(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Start a snapshot. The answer has an operation on the snapshot and one on the instance, in no fixed order."""
    name = request["instanceSnapshotName"]
    _check_new_name(region, name)
    instance = region.instance(request["instanceName"])
    state = instance.state_at(region.now)
    if state in ("pending", "stopping"):  # whether AWS rejects these is not confirmed
        raise errors.busy("Instance", instance.name, state)
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
            from_blueprint=instance.blueprint,
            from_bundle=instance.bundle,
            from_disks=[disk.describe() for disk in instance.disks],
        )
    )
    on_snapshot = region.record("CreateInstanceSnapshot", snapshot, instance.name, finishes_at, failed)
    on_instance = region.record("CreateInstanceSnapshot", instance, name, finishes_at, failed)
    return {"operations": region.describe(_in_no_fixed_order(on_snapshot, on_instance))}


def delete_instance_snapshot(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a snapshot at once. The answer has one operation, which has finished."""
    snapshot = region.snapshot(request["instanceSnapshotName"])
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
            from_instance=source.from_instance,
            from_instance_arn=source.from_instance_arn,
            from_blueprint=source.from_blueprint,
            from_bundle=source.from_bundle,
            from_disks=source.from_disks,
        )
    )
    operation = region.record("CopySnapshot", copy, f"{source.region}:{source.name}", finishes_at, failed)
    return {"operations": region.describe([operation])}


def _check_new_name(region: Region, name: str) -> None:
    if "." in name and not region.settings.dots_in_snapshot_names:
        raise invalid(f"{name} is not a valid resource name.")
    region.check_free([name])


def _find_source(region: Region, request: dict[str, Any]) -> InstanceSnapshot:
    source_region = region.find_region(request["sourceRegion"])  # the model's enum lists one that does not exist
    if ("sourceSnapshotName" in request) == ("sourceResourceName" in request):
        raise invalid("Give either sourceSnapshotName or sourceResourceName.")
    if "sourceResourceName" in request:
        raise errors.unsupported("The emulator copies manual snapshots only.")
    return source_region.available_snapshot(request["sourceSnapshotName"])


def _in_no_fixed_order(first: Operation, second: Operation) -> Sequence[Operation]:
    """Swap them every other time, so that a client that always takes the first one fails its tests."""
    return (first, second) if first.serial % 2 else (second, first)
