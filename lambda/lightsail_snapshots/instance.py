"""An instance as Lightsail shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One instance in one Region."""

    name: str
    arn: str
    """Ends in a random id: a new instance of the same name has another one."""
    tags: Mapping[str, str]
    """A tag that is a key only has an empty value."""
    created_at: datetime
