"""An instance snapshot as Lightsail shows it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from lightsail_snapshots.naming import COPY_OF_KEY, INSTANCE_KEY, MANAGED_BY, MANAGED_BY_KEY, format_utc
from lightsail_snapshots.reader import read_instant

PENDING = "pending"
AVAILABLE = "available"
ERROR = "error"

_COPY_OF = re.compile(r"(?P<region>[a-z0-9-]+) (?P<taken_at>[0-9-]{10}T[0-9:]{8}Z) (?P<instance_arn>arn:\S+)")


class Origin(NamedTuple):
    """Where and when the data of a snapshot was taken, and from which instance: the same for all its copies."""

    region: str
    taken_at: datetime
    instance_arn: str
    """Empty where it is not known."""


@dataclass(frozen=True, kw_only=True)
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
    origin: Origin = field(init=False, repr=False, compare=False)
    """Its own Region, time and instance; those of its source, where it is a copy whose tag can be read."""

    def __post_init__(self) -> None:
        """Read the tag once: retention asks for the origin of each of 100,000 snapshots ten times."""
        object.__setattr__(self, "origin", self._find_origin())

    @property
    def is_ours(self) -> bool:
        """Whether lightsail-snapshots made it: the `managed-by` tag says so, and nothing else."""
        return self.tags.get(MANAGED_BY_KEY) == MANAGED_BY

    @property
    def is_copy(self) -> bool:
        """Whether it is our copy of a snapshot of another Region."""
        return COPY_OF_KEY in self.tags

    @property
    def is_unclear_copy(self) -> bool:
        """Whether it is a copy, and of what cannot be read: how old its data is, is then not known."""
        return self.is_copy and self.origin.region == self.region

    @property
    def has_tags_of_another(self) -> bool:
        """Whether our tags on it were written for something else, by what Lightsail itself says of its instance.

        The console hands tags on: from a snapshot to the instance that is restored from it, and from an instance to a
        snapshot that a person makes of it. Such a snapshot says that it is ours, and nobody but that person made it.
        """
        if self.instance_name and self.instance_name != self.tags.get(INSTANCE_KEY):
            return True
        return self.is_copy and bool(self.instance_arn) and self.instance_arn != self.origin.instance_arn

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

    def _find_origin(self) -> Origin:
        # In UTC: moments of one zone with daylight saving time compare by what its clocks show, which goes back.
        own = Origin(self.region, self.created_at.astimezone(UTC), self.instance_arn)
        source = _COPY_OF.fullmatch(self.tags[COPY_OF_KEY]) if COPY_OF_KEY in self.tags else None
        if source is None:
            return own
        try:
            taken_at = read_instant(source["taken_at"])
        except ValueError:
            return own
        # No copy is older than its source: a tag that says so was written by somebody else.
        return Origin(source["region"], min(taken_at, own.taken_at), source["instance_arn"])
