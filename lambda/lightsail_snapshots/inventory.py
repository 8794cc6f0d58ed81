"""Everything that was listed, in all Regions: what a decision about one instance must know of the rest.

A page of a listing may repeat what an earlier one had: that is one snapshot, unless it changed in between. One that did
is ambiguous: it counts for nothing, and stays.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from lightsail_snapshots.snapshot import AVAILABLE, Origin, Snapshot

InstanceKey = tuple[str, str, str, str]
"""What tells the snapshots of one instance in one Region from all others: the instance's name, the Region, the
instance's ARN (names are used again; empty if it is not known) and Region (another one, if these are copies)."""


_AGE = attrgetter("origin.taken_at", "snapshot.name")


class Listed(NamedTuple):
    """A snapshot, and what is asked of it more than once."""

    snapshot: Snapshot
    origin: Origin
    why_foreign: str
    """Empty if it is ours."""


class Inventory:
    """All snapshots, by Region and name, and by instance."""

    def __init__(self, snapshots: Iterable[Snapshot], now: datetime) -> None:
        """Index the snapshots."""
        self._now = now
        self._by_name: dict[str, dict[str, Listed]] = defaultdict(dict)
        self._ambiguous: dict[tuple[str, str], list[Listed]] = {}
        self.instances: dict[InstanceKey, list[Listed]] = defaultdict(list)
        for snapshot in snapshots:
            origin = snapshot.origin
            listed = Listed(snapshot, origin, snapshot.why_foreign(origin))
            first = self._by_name[snapshot.region].setdefault(snapshot.name, listed)
            if first is listed or self._has_changed(first, listed):
                key = snapshot.snapshot_of, snapshot.region, origin.instance_arn, origin.region
                self.instances[key].append(listed)
        for region, name in self._ambiguous:
            del self._by_name[region][name]
        self._namesakes: dict[str, set[str]] = defaultdict(set)
        for instance_name, _, instance_arn, _ in self.instances:
            if instance_arn:
                self._namesakes[instance_name].add(instance_arn)

    def _has_changed(self, first: Listed, again: Listed) -> bool:
        """Tell whether one that is listed again is another version of it, and remember that."""
        key = first.snapshot.region, first.snapshot.name
        versions = self._ambiguous.get(key, [first])
        if again in versions:
            return False
        self._ambiguous[key] = [*versions, again]
        return True

    def newest_first(self, key: InstanceKey) -> list[Listed]:
        """Return the snapshots of one instance in one Region, by the age of their data."""
        listed = self.instances[key]
        if self._ambiguous:
            listed = sorted(listed, key=repr)  # so that the order of the listing does not matter
        return sorted(listed, key=_AGE, reverse=True)

    def is_ambiguous(self, snapshot: Snapshot) -> bool:
        """Whether it was listed twice, and not the same both times."""
        return (snapshot.region, snapshot.name) in self._ambiguous

    def is_usable(self, listed: Listed) -> bool:
        """Whether an instance could be restored from it, now and as far as is known."""
        return (
            not listed.why_foreign
            and listed.snapshot.state == AVAILABLE
            and listed.origin.taken_at <= self._now
            and not (self._ambiguous and self.is_ambiguous(listed.snapshot))
        )

    def has_namesakes(self, instance_name: str) -> bool:
        """Whether several instances had this name, one after the other or in several Regions."""
        return len(self._namesakes[instance_name]) > 1

    def find_copy(self, region: str, source: Listed) -> Snapshot | None:
        """Return our copy of a snapshot in another Region: it has the same name, and names its source in a tag."""
        copy = self._by_name[region].get(source.snapshot.name)
        if copy is None or copy.why_foreign:
            return None
        # Its time too, which the tag has in seconds: a name that was used again may have a copy of the earlier one.
        here, there = source.origin, copy.origin
        taken_at = here.taken_at.replace(microsecond=0) if here.taken_at.microsecond else here.taken_at
        is_copy = there == (here.region, taken_at, here.instance_arn)
        return copy.snapshot if is_copy else None

    def has_usable_copy(self, region: str, source: Listed) -> bool:
        """Whether an instance could be restored from the copy in another Region."""
        copy = self.find_copy(region, source)
        return copy is not None and copy.state == AVAILABLE
