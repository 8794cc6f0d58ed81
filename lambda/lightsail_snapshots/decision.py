"""What `retention` decides on a snapshot."""

from enum import StrEnum
from typing import Literal, NamedTuple

from lightsail_snapshots.snapshot import Snapshot


class KeptBecause(StrEnum):
    """Why a snapshot stays: the first class that applies, in this order. The table is in docs/retention.md."""

    FOREIGN = "foreign"
    UNKNOWN_PLAN = "unknown_plan"
    REGION_NOT_CONFIGURED = "region_not_configured"
    HOLD = "hold"
    PENDING = "pending"
    NEWEST = "newest"
    PROVEN = "proven"
    RULE = "rule"
    RULES_TIGHTENED = "rules_tightened"
    EXPIRES = "expires"
    NOT_COPIED = "not_copied"
    INCOMPLETE_LISTING = "incomplete_listing"


_STAYS_FOREVER = (KeptBecause.UNKNOWN_PLAN, KeptBecause.REGION_NOT_CONFIGURED, KeptBecause.RULES_TIGHTENED)


class Kept(NamedTuple):
    """Why one snapshot stays."""

    because: KeptBecause
    reason: str
    older_rules: str = ""


class Decision(NamedTuple):
    """What is to become of one snapshot, and why."""

    snapshot: Snapshot
    kept_because: KeptBecause | None
    """None: it is to be deleted."""
    reason: str
    """A part of a sentence, for a table that a person reads: "daily 3 of 7"."""
    older_rules: str
    """Of a held one: the rules of a snapshot of its list that keep it, as `format_keep_tag` writes them; else empty."""
    instance_gone: bool
    """Whether its instance no longer exists, as far as is known."""
    dry_run: bool
    """Its plan has `dry_run`: a deletion is reported, and not done."""
    relies_on: tuple[Snapshot, ...] = ()
    """What justifies the deletion and must still be there: the newest usable snapshot, the newest usable copies."""

    @property
    def action(self) -> Literal["keep", "delete"]:
        """What prune does with it."""
        return "keep" if self.kept_because else "delete"

    @property
    def is_held(self) -> bool:
        """Whether only older rules keep it: a person should look."""
        return self.kept_because == KeptBecause.RULES_TIGHTENED

    @property
    def needs_review(self) -> bool:
        """Whether it is ours and stays until a person acts: nothing else will ever delete it."""
        if self.kept_because in (None, KeptBecause.FOREIGN, KeptBecause.HOLD):
            return False
        return self.instance_gone or self.kept_because in _STAYS_FOREVER
