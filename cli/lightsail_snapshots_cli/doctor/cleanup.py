"""Deletes what `doctor` made: what has both its name and its tag, and nothing else."""

from collections.abc import Callable, Iterable, Sequence

from lightsail_snapshots.aws.errors import AwsError
from lightsail_snapshots.snapshot import Snapshot
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.doctor.attempt import SECONDS_BETWEEN_ATTEMPTS, DeniedError, scrub
from lightsail_snapshots_cli.doctor.calls import INSTANCE, SNAPSHOT, Calls, Found, Resource
from lightsail_snapshots_cli.doctor.names import has_our_name, has_our_tag
from lightsail_snapshots_cli.listing import Listing
from lightsail_snapshots_cli.terminal import progress

SECONDS_TO_DELETE = 1800
"""A snapshot or an instance may be busy for long."""
_LOOKS = 3
"""For what was asked for, and is not visible."""


def find_left(listing: Listing) -> list[Resource]:
    """Return what earlier runs may have left, by name; `delete` looks at the tags."""
    instances = [
        Resource(INSTANCE, region, each.name)
        for region, here in listing.instances.items()
        for each in here
        if has_our_name(each.name) and has_our_tag(each.tags)
    ]
    snapshots = [
        Resource(SNAPSHOT, each.region, each.name)
        for each in listing.snapshots
        if has_our_name(each.name) and (has_our_tag(each.tags) or _may_be_our_copy(each))
    ]
    return [*instances, *snapshots]


def _may_be_our_copy(snapshot: Snapshot) -> bool:
    """Whether it may be a copy of ours whose tag is missing, since CopySnapshot takes none."""
    return not snapshot.is_ours and not snapshot.tags


class Cleanup:
    """Deletes resources; `denied` has the actions that the person's credentials lack."""

    def __init__(self, calls: Callable[[str], Calls]) -> None:
        """Take what makes the calls of a Region."""
        self._calls = calls
        self.denied: list[str] = []

    def delete(self, resources: Iterable[Resource], *, is_of_this_run: bool) -> list[Resource]:
        """Delete these, and return those that may still be there.

        What this run has made is ours also if it has no tag yet: Lightsail accepted our own call for this name.
        """
        left = list(dict.fromkeys(resources))
        for look in range(_LOOKS):
            if look and left:
                clock.sleep(SECONDS_BETWEEN_ATTEMPTS)
            left = [each for each in left if not self._is_gone(each, is_of_this_run, is_last=look == _LOOKS - 1)]
        return left

    def _is_gone(self, resource: Resource, is_of_this_run: bool, *, is_last: bool) -> bool:
        """Delete one. What is not visible may become so, except at the last look."""
        calls = self._calls(resource.region)
        try:
            found = calls.find(resource)
            if found is None:
                return is_last or not is_of_this_run
            if not self._has_tag(calls, resource, found, is_of_this_run):
                progress(f"Left {resource} as it is: nothing says that doctor made it.")
                return True
            made = calls.delete(resource, persist_seconds=SECONDS_TO_DELETE)
        except DeniedError as error:
            self.denied.append(str(error))
            return False
        except AwsError as error:
            progress(f"Could not delete {resource}. {scrub(str(error))}")
            return False
        if not made.is_accepted:
            progress(f"Could not delete {resource}: {made}")
            return False
        progress(f"Deleted {resource}.")
        return True

    @staticmethod
    def _has_tag(calls: Calls, resource: Resource, found: Found, is_of_this_run: bool) -> bool:
        """Tell whether it has our name and our tag; put the tag on a copy that is certainly ours."""
        if not has_our_name(resource.name):
            return False
        if has_our_tag(found.tags):
            return True
        if resource.kind != SNAPSHOT or found.tags or not (is_of_this_run or _is_copy_of_ours(calls, resource, found)):
            return False
        return calls.tag(resource.name, persist_seconds=SECONDS_TO_DELETE).is_accepted


def _is_copy_of_ours(calls: Calls, resource: Resource, found: Found) -> bool:
    """Whether Lightsail says that it is a copy of a snapshot of ours, or of a snapshot of an instance of ours."""
    if has_our_name(str(found.raw.get("fromInstanceName") or "")):
        return True
    copies = (each for each in calls.operations(resource.name) if each.get("operationType") == "CopySnapshot")
    sources = [str(each.get("operationDetails", "")).partition(":")[2] for each in copies]
    return any(map(has_our_name, sources))


def describe(resources: Sequence[Resource]) -> str:
    return ", ".join(map(str, resources))
