"""Checks of snapshots, their names, tags and operations."""

from datetime import timedelta
from functools import partial

from lightsail_snapshots.aws.errors import NameInUseError, RejectedError
from lightsail_snapshots.snapshot import AVAILABLE, ERROR, PENDING
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.doctor.attempt import SECONDS_BETWEEN_ATTEMPTS, Attempt, attempt, judge
from lightsail_snapshots_cli.doctor.belief import AS_ASSUMED, DIFFERS, HANDLED, NOT_CHECKED
from lightsail_snapshots_cli.doctor.calls import SNAPSHOT, NotYetError, Resource, api_tags
from lightsail_snapshots_cli.doctor.walk import Walk
from lightsail_snapshots_cli.terminal import progress

SECONDS_TO_BE_VISIBLE = 600
SECONDS_TO_BE_USABLE = 1800
SECONDS_TO_BE_FREE = 120
SECONDS_IN_TURN = 600
"""If Lightsail takes only one snapshot of an instance at a time, the next waits for the one before."""
NOTE = {"key": "doctor-note", "value": "is it on the copy too"}
"""A tag of the first snapshot."""
EARLIEST = timedelta(minutes=-5)


def take_first(walk: Walk) -> None:
    """Request the snapshot that most other checks use."""
    walk.need_instance()
    asked_at, walk.asked_at = clock.now(), clock.monotonic()
    made = walk.home.create_snapshot(walk.snapshot, walk.instance, [NOTE], persist_seconds=SECONDS_IN_TURN)
    if not made.is_accepted:
        raise NotYetError(f"a snapshot was rejected: {made}")
    seconds = walk.home.wait(partial(_is_visible, walk), SECONDS_TO_BE_VISIBLE, "the snapshot was not visible")
    found = "visible at once" if seconds == 0 else f"visible after {seconds:.0f} seconds"
    walk.settle("visible", AS_ASSUMED, found)
    snapshot = walk.home.find_snapshot(walk.snapshot)
    if snapshot is not None:
        lag = snapshot.raw["createdAt"] - asked_at
        verdict = AS_ASSUMED if lag >= EARLIEST else DIFFERS
        walk.settle("created-at", verdict, f"{lag.total_seconds():.0f} seconds after the request")


def _is_visible(walk: Walk) -> bool:
    return walk.home.find_snapshot(walk.snapshot) is not None


def check_names(walk: Walk) -> None:
    """Ask for names that are in use or invalid."""
    walk.need_instance()
    made = _ask_for(walk, walk.snapshot)
    walk.settle("name-in-use", AS_ASSUMED if isinstance(made.error, NameInUseError) else DIFFERS, made)
    made = _ask_for(walk, walk.instance)
    verdict = AS_ASSUMED if isinstance(made.error, NameInUseError) else HANDLED if made.is_accepted else DIFFERS
    walk.settle("one-namespace", verdict, made)
    made = _ask_for(walk, walk.name("bad name"))
    walk.settle("bad-name", AS_ASSUMED if isinstance(made.error, RejectedError) else DIFFERS, made)
    made = _ask_for(walk, walk.name("bad-tag"), {"key": "bad", "value": "a!"})
    verdict = AS_ASSUMED if isinstance(made.error, RejectedError) else HANDLED if made.is_accepted else DIFFERS
    walk.settle("bad-tag", verdict, made)


def _ask_for(walk: Walk, name: str, *tags: dict[str, str]) -> Attempt:
    """Ask for a snapshot that cannot be had."""
    request = partial(walk.home.client.create_instance_snapshot, instanceName=walk.instance, tags=[*api_tags(), *tags])
    made = attempt(partial(request, instanceSnapshotName=name), is_new=False)
    if made.is_accepted:
        walk.home.made.append(Resource(SNAPSHOT, walk.home.region, name))
    return made


def check_second(walk: Walk) -> None:
    """Take another snapshot while the first is being made."""
    walk.need_instance()
    name = walk.name("second")
    made = walk.home.create_snapshot(name, walk.instance)
    if _state(walk, walk.snapshot) != PENDING:
        walk.settle("second-snapshot", NOT_CHECKED, "the first snapshot was usable already")
    else:
        walk.settle("second-snapshot", judge(made, accepts=True), made)
    if made.is_accepted:
        walk.home.delete_snapshot(name)


def wait_for_first(walk: Walk) -> None:
    walk.need_instance()
    if _state(walk, walk.snapshot) == "":
        raise NotYetError("there is no snapshot to wait for")
    walk.home.wait(partial(_is_done, walk), SECONDS_TO_BE_USABLE, "the snapshot was not usable")
    if _state(walk, walk.snapshot) == ERROR:
        raise NotYetError("the snapshot ended in error")
    walk.is_usable = True
    walk.settle(
        "duration", AS_ASSUMED, f"usable about {clock.monotonic() - walk.asked_at:.0f} seconds after the request"
    )


def _is_done(walk: Walk) -> bool:
    state = _state(walk, walk.snapshot)
    if state == PENDING:
        progress("The snapshot is pending.")
    return state in {AVAILABLE, ERROR}


def _state(walk: Walk, name: str) -> str:
    found = walk.home.find_snapshot(name)
    return found.state if found else ""


def check_delete_pending(walk: Walk) -> None:
    walk.need_instance()
    name = walk.name("pending-one")
    made = walk.home.create_snapshot(name, walk.instance, persist_seconds=SECONDS_IN_TURN)
    if not made.is_accepted:
        raise NotYetError(f"a snapshot was rejected: {made}")
    state = _state(walk, name)
    deleted = walk.home.delete_snapshot(name)
    if state not in {PENDING, ""}:
        walk.settle("delete-pending", NOT_CHECKED, f"the snapshot was {state} already")
    else:
        walk.settle("delete-pending", AS_ASSUMED if deleted.is_accepted else HANDLED, deleted)


def check_dots(walk: Walk) -> None:
    _try_once(walk, "dots", walk.name("dotted.name"))


def check_key_only_tags(walk: Walk) -> None:
    _try_once(walk, "key-only-tags", walk.name("key-only"), {"key": "key-only"})


def _try_once(walk: Walk, belief: str, name: str, *tags: dict[str, str]) -> None:
    """Ask for a snapshot that Lightsail may reject for good; delete it at once."""
    walk.need_instance()
    made = walk.home.create_snapshot(name, walk.instance, tags, persist_seconds=SECONDS_IN_TURN)
    if made.is_curable:
        raise NotYetError(f"Lightsail was busy: {made}")
    verdict = AS_ASSUMED if made.is_accepted else HANDLED if isinstance(made.error, RejectedError) else DIFFERS
    walk.settle(belief, verdict, made)
    if made.is_accepted:
        walk.home.delete_snapshot(name)


def check_name_free(walk: Walk) -> None:
    """Delete the first snapshot, and use its name again."""
    walk.need_snapshot()
    walk.is_usable = False
    deleted = walk.home.delete(Resource(SNAPSHOT, walk.home.region, walk.snapshot), persist_seconds=SECONDS_IN_TURN)
    if not deleted.is_accepted:
        raise NotYetError(f"the first snapshot could not be deleted: {deleted}")
    types = {each.get("operationType", "") for each in walk.home.operations(walk.snapshot)}
    verdict = AS_ASSUMED if "CreateInstanceSnapshot" in types else HANDLED
    walk.settle("operations", verdict, f"listed: {', '.join(sorted(types)) or 'none'}")
    start = clock.monotonic()
    made = _ask_again(walk)
    while isinstance(made.error, NameInUseError) and clock.monotonic() < start + SECONDS_TO_BE_FREE:
        clock.sleep(SECONDS_BETWEEN_ATTEMPTS)
        made = _ask_again(walk)
    seconds = round(clock.monotonic() - start)
    if made.is_accepted:
        walk.home.delete_snapshot(walk.snapshot)
        walk.settle("name-free", HANDLED if seconds else AS_ASSUMED, f"after {seconds} seconds")
    elif isinstance(made.error, NameInUseError):
        walk.settle("name-free", HANDLED, f"not after {seconds} seconds: {made}")
    else:
        raise NotYetError(f"the name could not be used again: {made}")


def _ask_again(walk: Walk) -> Attempt:
    return walk.home.create_snapshot(walk.snapshot, walk.instance, persist_seconds=SECONDS_IN_TURN)
