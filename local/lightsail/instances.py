"""The operations that make, change and delete instances."""

import re
from datetime import timedelta
from typing import Any

from local.lightsail import errors, model
from local.lightsail.automatic import DEFAULT_HOURS
from local.lightsail.errors import invalid
from local.lightsail.region import Region
from local.lightsail.resources import DISK_SIZES, Instance, bundle_size, tags_from


def create_instances(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Make instances: all of them, or none."""
    made = _make(region, request, request["blueprintId"])
    operations = [region.record("CreateInstance", one, finishes_at=one.settles_at) for one in made]
    return {"operations": region.describe(operations)}


def create_instances_from_snapshot(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Make instances out of a snapshot: new ones, with ARNs of their own, and none of the old one's tags."""
    if "instanceSnapshotName" not in request:
        raise invalid("The emulator restores from manual snapshots only.", code="UnsupportedOperation")
    snapshot = region.snapshot(request["instanceSnapshotName"])
    state = snapshot.state_at(region.now)
    if state != "available":
        raise errors.busy("InstanceSnapshot", snapshot.name, state)
    sizes = list(DISK_SIZES)
    if sizes.index(bundle_size(request["bundleId"])) < sizes.index(bundle_size(snapshot.from_bundle)):
        raise invalid(f"The bundle must be at least as large as {snapshot.from_bundle}.")
    made = _make(region, request, snapshot.from_blueprint)
    operations = [region.record("CreateInstancesFromSnapshot", one, finishes_at=one.settles_at) for one in made]
    return {"operations": region.describe(operations)}


def delete_instance(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Delete an instance. Its manual snapshots stay; its automatic ones go with it."""
    instance = region.instance(request["instanceName"])
    region.remove(instance)
    return {"operations": region.describe([region.record("DeleteInstance", instance)])}


def start_instance(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Start a stopped instance."""
    return _move(region, request["instanceName"], "StartInstance", "pending", "running")


def stop_instance(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Stop a running instance."""
    return _move(region, request["instanceName"], "StopInstance", "stopping", "stopped")


def enable_add_on(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Switch automatic snapshots on, or change their time."""
    instance = region.instance(request["resourceName"])
    _enable(region, instance, request["addOnRequest"])
    return {"operations": region.describe([region.record("EnableAddOn", instance)])}


def disable_add_on(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Switch automatic snapshots off; those that were taken stay."""
    _check_add_on(request["addOnType"])
    instance = region.instance(request["resourceName"])
    instance.automatic.disable(region.now)
    return {"operations": region.describe([region.record("DisableAddOn", instance)])}


def _make(region: Region, request: dict[str, Any], blueprint: str) -> list[Instance]:
    names, zone = request["instanceNames"], request["availabilityZone"]
    _check_names(region, names)
    if not re.fullmatch(rf"{region.name}[a-f]", zone):
        raise invalid(f"{zone} is not an Availability Zone of {region.name}.")
    for add_on in request.get("addOns", []):
        _check_add_on(add_on["addOnType"])
    return [_make_one(region, request, name, blueprint) for name in names]


def _make_one(region: Region, request: dict[str, Any], name: str, blueprint: str) -> Instance:
    now = region.now
    instance = Instance(
        name=name,
        region=region.name,
        account=region.account.id,
        zone=request["availabilityZone"],
        created_at=now,
        blueprint=blueprint,
        bundle=request["bundleId"],
        tags=tags_from(request.get("tags", [])),
        settles_at=now + timedelta(seconds=region.account.settings.instance_seconds),
    )
    for add_on in request.get("addOns", []):
        _enable(region, instance, add_on)
    return region.add(instance)


def _check_names(region: Region, names: list[str]) -> None:
    problems = [problem for name in names for problem in model.name_problems(name)]
    if problems or not names or len(set(names)) < len(names):
        raise invalid(" ".join(problems) or "instanceNames must name instances, and each once.")
    region.check_free(names)


def _move(region: Region, name: str, operation: str, through: str, to: str) -> dict[str, Any]:
    instance = region.instance(name)
    now = region.now
    state = instance.state_at(now)
    if state in ("pending", "stopping"):
        raise errors.busy("Instance", name, state)
    if state != to:
        instance.state, instance.settles_to = through, to
        instance.settles_at = now + timedelta(seconds=region.account.settings.instance_seconds)
    record = region.record(operation, instance, finishes_at=instance.settles_at)
    return {"operations": region.describe([record])}


def _check_add_on(kind: str) -> None:
    if kind != "AutoSnapshot":
        raise invalid(f"The emulator does not have the add-on {kind}.", code="UnsupportedOperation")


def _enable(region: Region, instance: Instance, add_on: dict[str, Any]) -> None:
    _check_add_on(add_on["addOnType"])
    default = DEFAULT_HOURS.get(region.name, "06:00")
    time_of_day = add_on.get("autoSnapshotAddOnRequest", {}).get("snapshotTimeOfDay", default)
    if not time_of_day.endswith(":00"):
        raise invalid("snapshotTimeOfDay must be a full hour, such as 06:00.")
    instance.automatic.enable(time_of_day, region.now)
