"""The operations that create, change and delete instances."""

import re
from datetime import timedelta
from typing import Any

from local.lightsail import errors, model
from local.lightsail.errors import invalid
from local.lightsail.region import Region
from local.lightsail.resources import DISK_SIZES, Instance, bundle_size, tags_from

DEFAULT_SNAPSHOT_TIME = "06:00"  # UTC; AWS has a default of its own for each Region


def create_instances(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Create all of the instances, or none."""
    made = _create(region, request, request["blueprintId"])
    operations = [region.record("CreateInstance", one, finishes_at=one.next_state_at) for one in made]
    return {"operations": region.describe(operations)}


def create_instances_from_snapshot(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Create instances from a snapshot. They have new ARNs and none of the old instance's tags."""
    if "instanceSnapshotName" not in request:
        raise errors.unsupported("The emulator restores manual snapshots only.")
    snapshot = region.snapshot(request["instanceSnapshotName"])
    state = snapshot.state_at(region.now)
    if state != "available":
        raise errors.busy("InstanceSnapshot", snapshot.name, state)
    sizes = list(DISK_SIZES)
    if sizes.index(bundle_size(request["bundleId"])) < sizes.index(bundle_size(snapshot.from_bundle)):
        raise invalid(f"The bundle must be at least as large as {snapshot.from_bundle}.")
    made = _create(region, request, snapshot.from_blueprint)
    operations = [region.record("CreateInstancesFromSnapshot", one, finishes_at=one.next_state_at) for one in made]
    return {"operations": region.describe(operations)}


def delete_instance(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Delete an instance and keep its snapshots."""
    instance = region.instance(request["instanceName"])
    region.remove(instance)
    return {"operations": region.describe([region.record("DeleteInstance", instance)])}


def start_instance(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Start a stopped instance."""
    return _change_state(region, request["instanceName"], "StartInstance", "pending", "running")


def stop_instance(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Stop a running instance."""
    return _change_state(region, request["instanceName"], "StopInstance", "stopping", "stopped")


def _create(region: Region, request: dict[str, Any], blueprint: str) -> list[Instance]:
    names, zone = request["instanceNames"], request["availabilityZone"]
    _check_names(region, names)
    if not re.fullmatch(rf"{region.name}[a-f]", zone):
        raise invalid(f"{zone} is not an Availability Zone of {region.name}.")
    now = region.now
    running_at = now + timedelta(seconds=region.settings.instance_seconds)
    return [
        region.add(
            Instance(
                name=name,
                region=region.name,
                account=region.account,
                zone=zone,
                created_at=now,
                blueprint=blueprint,
                bundle=request["bundleId"],
                tags=tags_from(request.get("tags", [])),
                next_state_at=running_at,
                add_ons=[_add_on(one) for one in request.get("addOns", [])],
            )
        )
        for name in names
    ]


def _check_names(region: Region, names: list[str]) -> None:
    problems = [problem for name in names for problem in model.name_problems(name)]
    if problems or not names or len(set(names)) < len(names):
        raise invalid(" ".join(problems) or "instanceNames must have at least one name, and each name once.")
    region.check_free(names)


def _change_state(region: Region, name: str, operation: str, through: str, to: str) -> dict[str, Any]:
    instance = region.instance(name)
    now = region.now
    state = instance.state_at(now)
    if state in ("pending", "stopping"):
        raise errors.busy("Instance", name, state)
    if state != to:
        instance.state, instance.next_state = through, to
        instance.next_state_at = now + timedelta(seconds=region.settings.instance_seconds)
    record = region.record(operation, instance, finishes_at=instance.next_state_at)
    return {"operations": region.describe([record])}


def _add_on(request: dict[str, Any]) -> dict[str, Any]:
    """An add-on as GetInstance returns it. The emulator keeps it and does nothing with it."""
    time = request.get("autoSnapshotAddOnRequest", {}).get("snapshotTimeOfDay", DEFAULT_SNAPSHOT_TIME)
    if not time.endswith(":00"):
        raise invalid("snapshotTimeOfDay must be a full hour, such as 06:00.")
    if request["addOnType"] != "AutoSnapshot":
        raise errors.unsupported(f"The emulator does not have the add-on {request['addOnType']}.")
    return {"name": "AutoSnapshot", "status": "Enabled", "snapshotTimeOfDay": time, "nextSnapshotTimeOfDay": time}
