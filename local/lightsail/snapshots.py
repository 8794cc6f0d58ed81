"""The operations that make, copy and delete instance snapshots."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from local.lightsail import errors
from local.lightsail.errors import invalid
from local.lightsail.region import Region
from local.lightsail.resources import Instance, InstanceSnapshot, Operation, tags_from

# A snapshot's createdAt is later than the request was: 30 and 38 seconds in AWS's sample output.
CREATED_AFTER_SECONDS = 30


def create_instance_snapshot(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Begin a snapshot. Two operations come back, about the snapshot and about the instance, in no fixed order."""
    name = request["instanceSnapshotName"]
    _check_new_name(region, name)
    instance = region.instance(request["instanceName"])
    _check_not_busy(region, instance)
    tags = tags_from(request.get("tags", []))
    snapshot, failed = _begin(region, "CreateInstanceSnapshot", name, instance)
    snapshot.tags = tags
    end = snapshot.finishes_at
    of_snapshot = region.record("CreateInstanceSnapshot", snapshot, instance.name, end, failed)
    of_instance = region.record("CreateInstanceSnapshot", instance, name, end, failed)
    return {"operations": region.describe(_in_no_fixed_order(of_snapshot, of_instance))}


def delete_instance_snapshot(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a snapshot, for good and at once: the one operation that comes back is over already."""
    snapshot = region.snapshot(request["instanceSnapshotName"])
    region.remove(snapshot)
    return {"operations": region.describe([region.record("DeleteInstanceSnapshot", snapshot)])}


def copy_snapshot(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Copy a manual or an automatic snapshot into this Region. There is no way to give the copy tags here."""
    name = request["targetSnapshotName"]
    _check_new_name(region, name)
    # The enum of the model has a Region more than there is, so it is no proof.
    source_region = region.account.region(request["sourceRegion"])
    _check_one_source(request)
    if "sourceSnapshotName" in request:
        original = request["sourceSnapshotName"]
        copy, failed = _copy_manual(region, source_region, original, name)
    else:
        original = request["sourceResourceName"]
        copy, failed = _copy_automatic(region, source_region, request, name)
    details = f"{source_region.name}:{original}"
    operation = region.record("CopySnapshot", copy, details, copy.finishes_at, failed)
    return {"operations": region.describe([operation])}


def _check_new_name(region: Region, name: str) -> None:
    if "." in name and not region.account.settings.dots_in_snapshot_names:
        raise invalid(f"{name} is not a valid resource name.")
    region.check_free([name])


def _check_not_busy(region: Region, instance: Instance) -> None:
    """A stopped instance is not busy. That an instance on its way is refused is not confirmed."""
    now = region.now
    if instance.automatic.running(now):
        raise invalid("You cannot create manual snapshots when an automatic snapshot is being created.")
    state = instance.state_at(now)
    if state in ("pending", "stopping"):
        raise errors.busy("Instance", instance.name, state)


def _begin(region: Region, operation: str, name: str, instance: Instance) -> tuple[InstanceSnapshot, bool]:
    finishes_at, failed = region.snapshot_ends(operation, [name, instance.name])
    lag = min(CREATED_AFTER_SECONDS, region.account.settings.snapshot_seconds / 2)
    snapshot = InstanceSnapshot(
        name=name,
        region=region.name,
        account=region.account.id,
        created_at=region.now + timedelta(seconds=lag),
        finishes_at=finishes_at,
        failed=failed,
        from_instance=instance.name,
        from_instance_arn=instance.arn,
        from_blueprint=instance.blueprint,
        from_bundle=instance.bundle,
    )
    return region.add(snapshot), failed


def _copy_manual(region: Region, source_region: Region, source_name: str, name: str) -> tuple[InstanceSnapshot, bool]:
    source = source_region.snapshot(source_name)
    state = source.state_at(region.now)
    if state != "available":
        raise errors.busy("InstanceSnapshot", source.name, state)
    finishes_at, failed = region.snapshot_ends("CopySnapshot", [name, source.name])
    copy = InstanceSnapshot(
        name=name,
        region=region.name,
        account=region.account.id,
        created_at=region.now,
        finishes_at=finishes_at,
        failed=failed,
        tags=dict(source.tags) if region.account.settings.copy_carries_tags else {},
        from_instance=source.from_instance,
        from_instance_arn=source.from_instance_arn,
        from_blueprint=source.from_blueprint,
        from_bundle=source.from_bundle,
        from_automatic=source.from_automatic,
    )
    return region.add(copy), failed


def _copy_automatic(
    region: Region, source_region: Region, request: dict[str, Any], name: str
) -> tuple[InstanceSnapshot, bool]:
    instance = source_region.instance(request["sourceResourceName"])
    now = region.now
    usable = [
        f"{start:%Y-%m-%d}"
        for start in instance.automatic.taken(now)
        if instance.automatic.status(start, now) == "Success"
    ]
    date = request.get("restoreDate", usable[0] if usable else "latest")
    if date not in usable:
        raise errors.not_found("AutoSnapshot", f"{instance.name} {date}")
    copy, failed = _begin(region, "CopySnapshot", name, instance)
    copy.from_automatic = True
    return copy, failed


def _check_one_source(request: dict[str, Any]) -> None:
    manual = "sourceSnapshotName" in request
    automatic = "sourceResourceName" in request
    dated = "restoreDate" in request
    latest = request.get("useLatestRestorableAutoSnapshot", False)
    if manual == automatic:
        raise invalid("Give either sourceSnapshotName or sourceResourceName.")
    if automatic and dated == latest:
        raise invalid("Give either restoreDate or useLatestRestorableAutoSnapshot with sourceResourceName.")
    if dated and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", request["restoreDate"]):
        raise invalid("restoreDate must have the form YYYY-MM-DD.")


def _in_no_fixed_order(first: Operation, second: Operation) -> Sequence[Operation]:
    """Every other time the other way round, so that a client that takes the first one is found out."""
    return (first, second) if first.serial % 2 else (second, first)
