"""Deletes snapshots of ours, each only if it is as it was shown."""

from collections.abc import Iterable

from lightsail_snapshots.aws.errors import AwsError, RejectedError
from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots.naming import HOLD_KEY, is_hold
from lightsail_snapshots.snapshot import AVAILABLE, ERROR, Snapshot
from lightsail_snapshots_cli.terminal import progress


def why_it_stays(snapshot: Snapshot) -> str:
    """Say why a snapshot is never deleted by a command; empty if it may be."""
    if foreign := snapshot.why_foreign(snapshot.origin):
        return foreign
    if any(map(is_hold, snapshot.tags)):
        return f"on hold ({HOLD_KEY})"
    return "" if snapshot.state in (AVAILABLE, ERROR) else f"its state is {snapshot.state}"


def delete_snapshots(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Delete these snapshots, as they were listed, oldest first; return those that were deleted.

    Each is read again. One that has changed stays, and so does one that Lightsail refuses to delete. Raises AwsError on
    any other error: a repetition continues.
    """
    deleted = []
    for snapshot in sorted(snapshots, key=lambda each: each.created_at):
        name = f"{snapshot.name} in {snapshot.region}"
        try:
            if problem := _delete(snapshot):
                progress(f"Kept {name}: {problem}.")
            else:
                progress(f"Deleted {name}.")
                deleted.append(snapshot)
        except RejectedError as error:
            progress(f"Kept {name}: Lightsail refused to delete it. {error}")
    return deleted


def _delete(listed: Snapshot) -> str:
    """Delete a snapshot, or say why not."""
    region = lightsail(listed.region)
    found = region.find_snapshot(listed.name)
    if found is None:
        return "somebody else has deleted it"
    if (found.arn, found.state, found.compact().tags) != (listed.arn, listed.state, listed.compact().tags):
        return "it has changed since it was listed"
    if problem := why_it_stays(found):
        return problem
    try:
        region.delete_snapshot(listed.name)
    except AwsError:
        # If an answer is lost, the SDK's second attempt finds nothing, or is denied: what is gone has no tag.
        if region.find_snapshot(listed.name) is not None:
            raise
    return ""
