"""The operations that create, change and delete instances."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from local.lightsail import disks, errors, model
from local.lightsail.catalog import BUNDLES, Blueprint, check_fit, find_blueprint, find_bundle
from local.lightsail.errors import invalid
from local.lightsail.firewall import default_rules
from local.lightsail.region import Region
from local.lightsail.resources import (
    DEFAULT_KEY_PAIR,
    Disk,
    Instance,
    InstanceSnapshot,
    KeyPair,
    new_address,
    tags_from,
)

DEFAULT_SNAPSHOT_TIME = "06:00"  # UTC; AWS has a default of its own for each Region


def create_instances(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Create all of the instances, or none."""
    _check_names(region, request["instanceNames"])
    made = _create(region, request, find_blueprint(request["blueprintId"]))
    return _record(region, "CreateInstance", made)


def create_instances_from_snapshot(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Create instances from a snapshot.

    Apart from blueprint and disks, everything comes from the request: the snapshot does not remember the old instance's
    ports, addresses, key pair, add-ons and tags.
    """
    if "instanceSnapshotName" not in request:
        raise errors.unsupported("The emulator restores manual snapshots only.")
    snapshot = region.available_snapshot(request["instanceSnapshotName"])
    bundle = find_bundle(request["bundleId"])
    if bundle.is_smaller_than(BUNDLES[snapshot.from_bundle]):
        raise invalid(f"The bundle {bundle.id} is smaller than the snapshot's bundle, {snapshot.from_bundle}.")
    disk_names = {name: _disk_names(name, snapshot, request) for name in request["instanceNames"]}
    _check_names(region, request["instanceNames"], [disk for named in disk_names.values() for disk in named.values()])
    made = _create(region, request, find_blueprint(snapshot.from_blueprint))
    for instance in made:
        if region.settings.restore_keeps_ports:
            instance.ports = list(snapshot.from_ports)
        _restore_disks(region, instance, snapshot, disk_names[instance.name])
    return _record(region, "CreateInstancesFromSnapshot", made)


def delete_instance(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Delete an instance. Its snapshots, disks and static IP stay; disks and static IP are detached."""
    instance = region.instance(request["instanceName"])
    operations = [each for disk in list(instance.disks) for each in disks.detach(region, disk, instance)]
    if instance.static_ip:
        instance.static_ip.attached_to = None
    region.remove(instance)
    return {"operations": region.describe([*operations, region.record("DeleteInstance", instance)])}


def start_instance(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Start a stopped instance."""
    return _change_state(region, request["instanceName"], "StartInstance", "pending", "running")


def stop_instance(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Stop a running instance."""
    return _change_state(region, request["instanceName"], "StopInstance", "stopping", "stopped")


def _create(region: Region, request: dict[str, Any], blueprint: Blueprint) -> list[Instance]:
    """Create instances whose names are free."""
    ip_address_type = request.get("ipAddressType", "dualstack")
    region.check_zone(request["availabilityZone"])
    check_fit(find_bundle(request["bundleId"]), blueprint, ip_address_type)
    has_default = region.settings.default_key_pair_has_name and request.get("keyPairName") == DEFAULT_KEY_PAIR
    if "keyPairName" in request and not has_default:
        region.find(request["keyPairName"], KeyPair)
    add_ons = [_add_on(one) for one in request.get("addOns", [])]
    now = region.now
    running_at = now + timedelta(seconds=region.settings.instance_seconds)
    return [
        region.add(
            Instance(
                name=name,
                region=region.name,
                account=region.account,
                zone=request["availabilityZone"],
                created_at=now,
                blueprint=blueprint.id,
                bundle=request["bundleId"],
                tags=tags_from(request.get("tags", [])),
                next_state_at=running_at,
                key_pair=request.get("keyPairName", DEFAULT_KEY_PAIR),
                ip_address_type=ip_address_type,
                ports=default_rules(blueprint.default_ports(), ip_address_type),
                add_ons=list(add_ons),
                address=region.settings.public_address or new_address(),
            )
        )
        for name in request["instanceNames"]
    ]


def _record(region: Region, operation: str, made: list[Instance]) -> dict[str, Any]:
    operations = [region.record(operation, instance, finishes_at=instance.next_state_at) for instance in made]
    return {"operations": region.describe(operations)}


def _check_names(region: Region, names: list[str], disk_names: Sequence[str] = ()) -> None:
    problems = [problem for name in names for problem in model.name_problems(name)]
    every = [*names, *disk_names]
    if problems or not names or len(set(every)) < len(every):
        raise invalid(" ".join(problems) or "instanceNames must have at least one name, and each name once.")
    region.check_free(every)


def _disk_names(instance: str, snapshot: InstanceSnapshot, request: dict[str, Any]) -> dict[str, str]:
    """The name of each new disk, by its path. That instances are the keys of the mapping is not confirmed."""
    mapping = request.get("attachedDiskMapping", {})
    if unknown := set(mapping) - set(request["instanceNames"]):
        raise invalid(f"attachedDiskMapping names instances that are not in instanceNames: {', '.join(unknown)}.")
    given = {disk["originalDiskPath"]: disk["newDiskName"] for disk in mapping.get(instance, [])}
    paths = [str(disk["path"]) for disk in snapshot.from_disks]
    if unknown := set(given) - set(paths):
        raise invalid(f"The snapshot {snapshot.name} has no disk at {', '.join(unknown)}.")
    return {path: given.get(path, f"{instance}-disk-{number}") for number, path in enumerate(paths, start=1)}


def _restore_disks(region: Region, instance: Instance, snapshot: InstanceSnapshot, names: dict[str, str]) -> None:
    for disk in snapshot.from_disks:
        restored = Disk(
            name=names[disk["path"]],
            region=region.name,
            account=region.account,
            zone=instance.zone,
            created_at=region.now,
            size=disk["sizeInGb"],
        )
        disks.attach(region.add(restored), instance, disk["path"])


def _change_state(region: Region, name: str, operation: str, through: str, to: str) -> dict[str, Any]:
    instance = region.instance(name)
    now = region.now
    state = instance.state_at(now)
    if state in ("pending", "stopping"):
        raise errors.busy("Instance", name, state)
    if state != to:
        instance.state, instance.next_state = through, to
        instance.next_state_at = now + timedelta(seconds=region.settings.instance_seconds)
        # A stopped instance loses its public address, except for a static IP.
        instance.address = region.settings.public_address or new_address()
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
