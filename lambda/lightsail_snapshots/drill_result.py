"""How a restore drill ended, as the tag `drill-result` of its snapshot says.

    20261129T050000Z-1a2b3c4d Passed 240 180 0.0067
    20261129T050000Z-1a2b3c4d ProbeFailed 2700 180 0.0067 status 500 instead of 200

The first part names the drill. The verdict is on the snapshot before its clone is deleted, so a drill that is
interrupted then is not done again.
"""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, Self

from lightsail_snapshots.naming import (
    DRILL_RESULT_KEY,
    MAX_TAG_VALUE,
    PROVEN_AT_KEY,
    PROVEN_SECONDS_KEY,
    format_utc,
    snapshot_name,
)
from lightsail_snapshots.reader import read_instant
from lightsail_snapshots.snapshot import Snapshot

PASSED = "Passed"
_KEY_LENGTH = len("20261129T050000Z-1a2b3c4d")
_SLOT = "%Y%m%dT%H%M%SZ"
_RESULT = re.compile(
    r"(?P<key>[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}) (?P<outcome>[A-Za-z]+) (?P<seconds>[0-9]+) (?P<healthy>[0-9]+)"
    r" (?P<cost>[0-9.]+)(?: (?P<note>.*))?"
)


class DrillReason(StrEnum):
    """Why a drill failed: stable codes, part of the published events."""

    NOT_RUNNING = "NotRunning"
    NOT_HEALTHY = "NotHealthy"
    PROBE_FAILED = "ProbeFailed"
    INSTANCE_GONE = "InstanceGone"
    SNAPSHOT_GONE = "SnapshotGone"
    NOT_DRILLABLE = "NotDrillable"
    TOO_EXPENSIVE = "TooExpensive"
    NO_CAPACITY = "NoCapacity"
    NAME_IN_USE = "NameInUse"
    REJECTED = "Rejected"
    ACCESS_DENIED = "AccessDenied"
    TIMED_OUT = "TimedOut"


RESTORE_FAILED = frozenset({DrillReason.NOT_RUNNING, DrillReason.NOT_HEALTHY, DrillReason.PROBE_FAILED})
"""The reasons that put the snapshot in doubt; the others say that it was not tried."""


class DrillResult(NamedTuple):
    """The end of one drill."""

    key: str
    """The end of the clone's name: slot and hash."""
    outcome: str
    """PASSED, or a DrillReason."""
    seconds: int = 0
    """From the request of the clone to the verdict."""
    healthy_seconds: int = 0
    """To the first status check that passed; 0: there was none."""
    cost: float = 0
    """USD."""
    note: str = ""

    @property
    def message(self) -> str:
        """Why it failed."""
        return f"After {self.seconds} seconds: {self.note}." if self.outcome in RESTORE_FAILED else self.note

    def as_tags(self, now: datetime) -> dict[str, str]:
        """Return the tags of the snapshot."""
        note = " ".join(re.sub(r"[^\w +\-=.:/@]", " ", self.note).split())
        text = f"{self.key} {self.outcome} {self.seconds} {self.healthy_seconds} {self.cost:.4f} {note}"
        tags = {DRILL_RESULT_KEY: text[:MAX_TAG_VALUE].strip()}
        if self.outcome == PASSED:
            tags |= {PROVEN_AT_KEY: format_utc(now), PROVEN_SECONDS_KEY: str(self.seconds)}
        return tags

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self | None:
        """Read the tag of a snapshot; None if it has none, or one that somebody else wrote."""
        found = _RESULT.fullmatch(snapshot.tags.get(DRILL_RESULT_KEY, ""))
        if found is None:
            return None
        try:
            cost = float(found["cost"])
        except ValueError:
            return None
        return cls(
            found["key"], found["outcome"], int(found["seconds"]), int(found["healthy"]), cost, found["note"] or ""
        )


def drill_name(instance_name: str, slot: datetime, *distinct: str) -> str:
    """Return the name of a clone, `drill-{instance}-{slot}-{8 hex}`: the same for each delivery of a request."""
    return snapshot_name(f"drill-{instance_name}", slot, *distinct)


def drill_key(name: str) -> str:
    """Return the part of a clone's name that tells its drill from all others of the instance."""
    return name[-_KEY_LENGTH:]


def drill_slot(name: str) -> datetime | None:
    """Return the time in the name of a clone; None if it is no such name."""
    return _slot(drill_key(name)[: -len("-1a2b3c4d")])


def proven_at(snapshot: Snapshot) -> datetime | None:
    """Return when an instance was last restored from a snapshot and found to work."""
    return _instant(snapshot.tags.get(PROVEN_AT_KEY, ""))


def tried_at(snapshot: Snapshot) -> datetime | None:
    """Return when a restore from a snapshot was last tried, with any result."""
    result = DrillResult.of(snapshot)
    times = [proven_at(snapshot), drill_slot(result.key) if result else None]
    return max((each for each in times if each), default=None)


def _instant(text: str) -> datetime | None:
    try:
        return read_instant(text)
    except ValueError:
        return None


def _slot(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _SLOT).replace(tzinfo=UTC)
    except ValueError:
        return None
