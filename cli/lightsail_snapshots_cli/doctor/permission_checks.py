"""Checks of what IAM decides, with the sessions of a role that each may do one thing only."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from lightsail_snapshots.naming import MANAGED_BY_KEY
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.doctor.attempt import SECONDS_BETWEEN_ATTEMPTS, Attempt, attempt
from lightsail_snapshots_cli.doctor.belief import AS_ASSUMED, DIFFERS, HANDLED, NOT_CHECKED
from lightsail_snapshots_cli.doctor.calls import INSTANCE, SNAPSHOT, NotYetError, Resource, api_tags
from lightsail_snapshots_cli.doctor.instance_checks import close_ports
from lightsail_snapshots_cli.doctor.names import TAGS
from lightsail_snapshots_cli.doctor.role import INSTANCES, SNAPSHOTS, allow
from lightsail_snapshots_cli.doctor.snapshot_checks import SECONDS_IN_TURN
from lightsail_snapshots_cli.doctor.walk import Walk
from lightsail_snapshots_cli.errors import missing_action

_REQUEST_KEY, _RESOURCE_KEY = (f"aws:{whose}Tag/{MANAGED_BY_KEY}" for whose in ("Request", "Resource"))
_OURS = TAGS[MANAGED_BY_KEY]
_OTHERS = "somebody-else"
_MOST_DENIALS = 4
_DENIAL = re.compile(r"not authorized to perform: lightsail:[A-Za-z]+")


def check_permissions(walk: Walk) -> None:
    """Make the role, try what each session of it can do, and delete it."""
    walk.need_snapshot()
    walk.role.open()
    _check_create(walk)
    _check_delete(walk)
    _check_tagging(walk)
    _check_key_case(walk)
    _check_restore(walk)
    _check_instance_tag(walk)
    walk.role.close()


def _check_create(walk: Walk) -> None:
    """Create with and without the tag that the session must give; it may not call TagResource."""
    client = walk.role.session(allow("CreateInstanceSnapshot", INSTANCES, StringEquals={_REQUEST_KEY: _OURS}))
    tagged = _spread(lambda: _create(walk, client, "role-tagged", tags=api_tags()))
    needs_tagging = tagged.is_denied and _missing(tagged) == "lightsail:TagResource"
    verdict = AS_ASSUMED if tagged.is_accepted else HANDLED if needs_tagging else DIFFERS
    walk.settle("iam-create-tags", verdict, tagged)
    untagged = _create(walk, client, "role-untagged")
    is_decided = untagged.is_denied and (tagged.is_accepted or needs_tagging)
    walk.settle("iam-request-tag", AS_ASSUMED if is_decided else DIFFERS, f"without the tag {untagged}")
    if untagged.is_denied:
        is_named = _DENIAL.search(str(untagged.error)) is not None
        walk.settle("iam-denial", AS_ASSUMED if is_named else HANDLED, untagged)
    else:
        walk.settle("iam-denial", DIFFERS if untagged.error else NOT_CHECKED, untagged)


def _check_instance_tag(walk: Walk) -> None:
    def create(owner: str, what: str) -> Attempt:
        client = walk.role.session(allow("CreateInstanceSnapshot", INSTANCES, StringEquals={_RESOURCE_KEY: owner}))
        return _create(walk, client, what, tags=api_tags())

    others, ours = create(_OTHERS, "role-other"), _spread(lambda: create(_OURS, "role-own"))
    if ours.is_denied and _missing(ours) == "lightsail:TagResource":
        raise NotYetError("it cannot be told, since tags need TagResource here")
    is_decided = others.is_denied and ours.is_accepted
    verdict = AS_ASSUMED if is_decided else HANDLED
    walk.settle("iam-instance-tag", verdict, f"as another's {others}; as ours {ours}")


def _check_delete(walk: Walk) -> None:
    name = walk.name("role-deleted")
    made = walk.home.create_snapshot(name, walk.instance, persist_seconds=SECONDS_IN_TURN)
    if not made.is_accepted:
        raise NotYetError(f"a snapshot was rejected: {made}")

    def delete(owner: str) -> Attempt:
        client = walk.role.session(allow("DeleteInstanceSnapshot", SNAPSHOTS, StringEquals={_RESOURCE_KEY: owner}))
        return attempt(partial(client.delete_instance_snapshot, instanceSnapshotName=name), may_be_denied=True)

    others, ours = delete(_OTHERS), _spread(lambda: delete(_OURS))
    is_decided = others.is_denied and not ours.is_denied
    walk.settle("iam-delete-tag", AS_ASSUMED if is_decided else DIFFERS, f"as another's {others}; as ours {ours}")
    if ours.is_accepted or others.is_accepted:
        walk.home.made.remove(Resource(SNAPSHOT, walk.home.region, name))


def _check_tagging(walk: Walk) -> None:
    others, ours = _tag(walk, _RESOURCE_KEY, _OTHERS), _spread(lambda: _tag(walk, _RESOURCE_KEY, _OURS))
    is_decided = others.is_denied and ours.is_accepted
    walk.settle("iam-tagging", AS_ASSUMED if is_decided else DIFFERS, f"as another's {others}; as ours {ours}")


def _check_key_case(walk: Walk) -> None:
    made = _spread(lambda: _tag(walk, "aws:ResourceTag/Managed-By", _OURS))
    walk.settle("iam-key-case", AS_ASSUMED if made.is_accepted else HANDLED, made)


def _tag(walk: Walk, key: str, owner: str) -> Attempt:
    """Put our tag once more on the first snapshot, under a condition."""
    client = walk.role.session(allow("TagResource", SNAPSHOTS, StringEquals={key: owner}))
    call = partial(client.tag_resource, resourceName=walk.snapshot, tags=api_tags())
    return attempt(call, may_be_denied=True)


def _check_restore(walk: Walk) -> None:
    name = walk.name("role-restored")
    client = walk.role.session(allow("CreateInstancesFromSnapshot", SNAPSHOTS, StringEquals={_REQUEST_KEY: _OURS}))
    call = partial(
        client.create_instances_from_snapshot,
        instanceNames=[name],
        availabilityZone=walk.size.zone,
        instanceSnapshotName=walk.snapshot,
        bundleId=walk.size.bundle,
        tags=api_tags(),
    )
    made = _spread(lambda: walk.home.create(INSTANCE, name, call, may_be_denied=True))
    if not made.is_accepted and not made.is_denied:
        raise NotYetError(f"the restore was rejected: {made}")
    walk.settle("iam-restore-tags", AS_ASSUMED if made.is_accepted else DIFFERS, made)
    if made.is_accepted:
        close_ports(walk.home, name)
        walk.home.delete(Resource(INSTANCE, walk.home.region, name))


def _create(walk: Walk, client: Any, what: str, **more: Any) -> Attempt:
    """Take a snapshot with a session, and delete it with the person's own credentials."""
    name = walk.name(what)
    call = partial(client.create_instance_snapshot, instanceSnapshotName=name, instanceName=walk.instance, **more)
    made = walk.home.create(SNAPSHOT, name, call, persist_seconds=SECONDS_IN_TURN, may_be_denied=True)
    if made.is_accepted:
        if not more:
            walk.home.tag(name)
        walk.home.delete_snapshot(name)
    return made


def _spread(make: Callable[[], Attempt]) -> Attempt:
    """Try what should be allowed some times if it is denied: not every part of AWS may know the new role yet."""
    for _ in range(_MOST_DENIALS - 1):
        if not (made := make()).is_denied:
            return made
        clock.sleep(SECONDS_BETWEEN_ATTEMPTS)
    return make()


def _missing(made: Attempt) -> str:
    return missing_action(made.error) if made.error else ""
