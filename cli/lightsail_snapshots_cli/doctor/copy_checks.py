"""Checks of copies in another Region, and of instances that are restored."""

from functools import partial

from lightsail_snapshots_cli.doctor.attempt import Attempt
from lightsail_snapshots_cli.doctor.belief import AS_ASSUMED, DIFFERS, HANDLED
from lightsail_snapshots_cli.doctor.calls import INSTANCE, SNAPSHOT, NotYetError, Resource, api_tags
from lightsail_snapshots_cli.doctor.instance_checks import close_ports, open_ports
from lightsail_snapshots_cli.doctor.names import has_our_tag
from lightsail_snapshots_cli.doctor.snapshot_checks import NOTE
from lightsail_snapshots_cli.doctor.walk import Walk

SECONDS_TO_BE_VISIBLE = 60
SECONDS_TO_TAG = 60
_DEFAULT_KEY_PAIR = "LightsailDefaultKeyPair"


def check_copy_pending(walk: Walk) -> None:
    """Copy the first snapshot while it is being made."""
    walk.need_instance()
    source = walk.home.find_snapshot(walk.snapshot)
    if source is None or source.state != "pending":
        raise NotYetError("there is no pending snapshot to copy")
    name = walk.name("copy-of-pending")
    made = _copy(walk, name)
    # `copy` retries after any rejection.
    walk.settle("copy-pending", HANDLED if made.is_accepted else AS_ASSUMED, made)
    if made.is_accepted:
        _tag_and_delete(walk, name)


def check_copy(walk: Walk) -> None:
    """Copy the first snapshot, see what the copy says, and delete it."""
    walk.need_snapshot()
    name = walk.name("copy")
    made = _copy(walk, name)
    if not made.is_accepted:
        raise NotYetError(f"the copy was rejected: {made}")
    tagged = walk.away.tag(name)
    walk.settle("copy-tagging", AS_ASSUMED if tagged.is_accepted else HANDLED, tagged)
    _read_copy(walk, name)
    _tag_and_delete(walk, name)


def _read_copy(walk: Walk, name: str) -> None:
    walk.away.wait(lambda: walk.away.find_snapshot(name) is not None, SECONDS_TO_BE_VISIBLE, "the copy was not visible")
    copy = walk.away.find_snapshot(name)
    if copy is None:
        raise NotYetError("the copy is gone")
    is_told = copy.raw.get("fromInstanceName") == walk.instance and copy.raw.get("fromInstanceArn")
    walk.settle("copy-instance", AS_ASSUMED if is_told else HANDLED, "both" if is_told else "not both")
    details = {each.get("operationDetails", "") for each in walk.away.operations(name) if _is_copy(each)}
    expected = f"{walk.home.region}:{walk.snapshot}"
    found = ", ".join(sorted(filter(None, details))) or "no operation CopySnapshot with details"
    walk.settle("copy-operation", AS_ASSUMED if expected in details else DIFFERS, found)
    carried = NOTE["key"] in copy.tags
    walk.settle("copy-tags", HANDLED if carried else AS_ASSUMED, "it has them" if carried else "it has none of them")


def _is_copy(operation: dict[str, object]) -> bool:
    return operation.get("operationType") == "CopySnapshot"


def _copy(walk: Walk, name: str) -> Attempt:
    call = partial(
        walk.away.client.copy_snapshot,
        sourceRegion=walk.home.region,
        sourceSnapshotName=walk.snapshot,
        targetSnapshotName=name,
    )
    return walk.away.create(SNAPSHOT, name, call)


def _tag_and_delete(walk: Walk, name: str) -> None:
    copy = walk.away.find_snapshot(name)
    if copy is None or not has_our_tag(copy.tags):
        walk.away.tag(name, persist_seconds=SECONDS_TO_TAG)
    walk.away.delete_snapshot(name)


def check_restore(walk: Walk) -> None:
    """Make an instance out of the first snapshot, close its ports at once, and delete it."""
    walk.need_snapshot()
    name = walk.name("restored")
    made = _restore(walk, name, keyPairName=_DEFAULT_KEY_PAIR)
    walk.settle("default-key-pair", HANDLED if made.is_accepted else AS_ASSUMED, made)
    if not made.is_accepted:
        made = _restore(walk, name)
    if not made.is_accepted:
        raise NotYetError(f"the restore was rejected: {made}")
    walk.home.wait(lambda: walk.home.find_instance(name) is not None, SECONDS_TO_BE_VISIBLE, "it was not visible")
    ports = sorted({str(port.first) for port in open_ports(walk.home, name)}, key=int)
    found = f"open: {', '.join(ports)}" if ports else "all closed, as on the old instance"
    walk.settle("restore-ports", AS_ASSUMED if ports else HANDLED, found)
    close_ports(walk.home, name)
    walk.home.delete(Resource(INSTANCE, walk.home.region, name))


def _restore(walk: Walk, name: str, **more: str) -> Attempt:
    call = partial(
        walk.home.client.create_instances_from_snapshot,
        instanceNames=[name],
        availabilityZone=walk.size.zone,
        instanceSnapshotName=walk.snapshot,
        bundleId=walk.size.bundle,
        tags=api_tags(),
        **more,
    )
    return walk.home.create(INSTANCE, name, call)
