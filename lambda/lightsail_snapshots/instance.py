"""An instance as Lightsail shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One instance in one Region."""

    name: str
    arn: str
    """Ends in a random id: a new instance of the same name has another."""
    tags: Mapping[str, str]
    """A key-only tag has an empty value."""
    created_at: datetime
