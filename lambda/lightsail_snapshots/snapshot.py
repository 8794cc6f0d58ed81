"""An instance snapshot as Lightsail shows it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from sys import intern
from typing import NamedTuple, Self

from lightsail_snapshots.naming import (
    COPY_OF_KEY,
    INSTANCE_KEY,
    MANAGED_BY,
    MANAGED_BY_KEY,
    NAME_KEY,
    OUR_KEYS,
    format_utc,
    is_hold,
)
from lightsail_snapshots.reader import read_instant

PENDING = "pending"
AVAILABLE = "available"
ERROR = "error"

_COPY_OF = re.compile(r"(?P<region>[a-z0-9-]+) (?P<taken_at>[0-9-]{10}T[0-9:]{8}Z) (?P<instance_arn>arn:\S+)")


class Origin(NamedTuple):
    """Where and when the data of a snapshot was taken, and from which instance: the same for all its copies."""

    region: str
    taken_at: datetime
    """In UTC: moments of a zone with daylight saving time compare by what its clocks show, which goes back."""
    instance_arn: str
    """Empty if it is not known."""


class AttachedDisk(NamedTuple):
    """A block storage disk that was attached to the instance; the snapshot has its data too."""

    name: str
    path: str
    """Such as `/dev/xvdf`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """One instance snapshot in one Region."""

    name: str
    arn: str
    region: str
    state: str
    """`pending`, `available` or `error`; a state that is not known here is never taken for a good or a bad one."""
    created_at: datetime
    """Lags the request by about half a minute (samples of the AWS CLI): never match by it."""
    instance_name: str
    """The name of the instance it was made from: names are used again, `instance_arn` tells instances apart."""
    instance_arn: str
    tags: Mapping[str, str]
    bundle: str = ""
    """Of the instance; a restored one can have no smaller one."""
    disks: tuple[AttachedDisk, ...] = ()
    size_in_gb: int = 0
    """Of the instance's disks. What is billed is less: only the data, and of a later snapshot only the changes."""

    @property
    def is_ours(self) -> bool:
        """Whether lightsail-snapshots made it: the `managed-by` tag says so, and nothing else."""
        return self.tags.get(MANAGED_BY_KEY) == MANAGED_BY

    @property
    def is_copy(self) -> bool:
        """Whether it is our copy of a snapshot of another Region."""
        return COPY_OF_KEY in self.tags

    @property
    def snapshot_of(self) -> str:
        """The name of the instance, from our tag: whether Lightsail tells it of a copy is not known."""
        return self.tags.get(INSTANCE_KEY) or self.instance_name

    @property
    def copy_of(self) -> str:
        """What the tag `copy-of` of its copies says, such as `eu-central-1 2026-12-01T03:15:00Z arn:...:Instance/...`.

        A copy is made later than its source, perhaps out of order, and Lightsail may forget its instance: without this
        an old copy could pass for the newest.
        """
        return f"{self.region} {format_utc(self.created_at)} {self.instance_arn}".rstrip()

    @property
    def origin(self) -> Origin:
        """Its own Region, time and instance; those of its source, if it is a copy whose tag can be read.

        Reads the tag each time: ask once.
        """
        created_at = self.created_at.astimezone(UTC)
        copy_of = self.tags.get(COPY_OF_KEY)
        try:
            if copy_of is not None and (source := _COPY_OF.fullmatch(copy_of)):
                region, text, instance_arn = source.groups()
                # No copy is older than its source: a tag that says so was written by somebody else.
                return Origin(region, min(read_instant(text), created_at), intern(instance_arn))
        except ValueError:  # such as the 99th of a month
            pass
        return Origin(self.region, created_at, self.instance_arn)

    def why_foreign(self, origin: Origin) -> str:
        """Say why it is somebody else's, even if it has our tags; empty if it is ours. `origin` is its own.

        The console hands tags on: from a snapshot to the instance that is restored from it, and from an instance to a
        snapshot that a person makes of it. Such a snapshot says that it is ours, and nobody but that person made it.
        """
        tags = self.tags
        if tags.get(MANAGED_BY_KEY) != MANAGED_BY:
            return "not managed by lightsail-snapshots"
        if tags.get(NAME_KEY) != self.name:
            return f"made by somebody else: its tag {NAME_KEY} is not its name"
        if self.instance_name and self.instance_name != tags.get(INSTANCE_KEY):
            return f"made by somebody else, of {self.instance_name}: our tags on it were handed on to it"
        return self._why_foreign_copy(origin) if COPY_OF_KEY in tags else ""

    def _why_foreign_copy(self, origin: Origin) -> str:
        if origin.region == self.region:
            return f"a copy, and its tag {COPY_OF_KEY} does not say of what"
        if self.instance_arn and self.instance_arn != origin.instance_arn:
            return f"made by somebody else, of another {self.snapshot_of}: our tags on it were handed on to it"
        return ""

    def compact(self) -> Self:
        """Return it without the tags that decide nothing, and with the texts that many snapshots share stored once."""
        tags = {
            intern(key): self.name if value == self.name else value if key == COPY_OF_KEY else intern(value)
            for key, value in self.tags.items()
            if key in OUR_KEYS or is_hold(key)
        }
        return replace(
            self,
            region=intern(self.region),
            state=intern(self.state),
            created_at=self.created_at.astimezone(UTC),
            instance_name=intern(self.instance_name),
            instance_arn=intern(self.instance_arn),
            bundle=intern(self.bundle),
            tags=tags,
        )
