"""An instance as Lightsail shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lightsail_snapshots.restore_facts import NOTHING_KNOWN, RestoreFacts


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One instance in one Region."""

    name: str
    arn: str
    """Ends in a random id: a new instance of the same name has another."""
    tags: Mapping[str, str]
    """A key-only tag has an empty value."""
    created_at: datetime
    facts: RestoreFacts = NOTHING_KNOWN
    """What its snapshots carry, since Lightsail forgets it."""
