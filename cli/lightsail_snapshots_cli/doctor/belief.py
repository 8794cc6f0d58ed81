"""What the code believes about AWS, and what was found."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Certainty = Literal["documented", "secondary", "unknown"]
"""Documented by AWS, but not seen by us in an account; told by others; not documented at all."""

AS_ASSUMED = "as assumed"
HANDLED = "other, handled"
"""Not as assumed, and the code works all the same."""
DIFFERS = "DIFFERS"
NOT_CHECKED = "NOT CHECKED"
NOT_HERE = "not here"
"""It cannot be seen in this account, such as the error of a Region that is not enabled if all are."""
BY_HAND = "by hand"
VERDICTS = (DIFFERS, NOT_CHECKED, HANDLED, AS_ASSUMED, NOT_HERE, BY_HAND)
"""The most urgent first."""


@dataclass(frozen=True, kw_only=True)
class Belief:
    """One belief. If `check` is empty, `by_hand` says why `doctor` does not check it, and how a person can."""

    id: str
    text: str
    certainty: Certainty
    source: str
    """Who says so; empty if nobody does."""
    use: str
    """What relies on it, or what the code does in either case."""
    check: str = ""
    by_hand: str = ""


class Answer(NamedTuple):
    """What was found about one belief."""

    verdict: str
    """One of VERDICTS."""
    found: str
