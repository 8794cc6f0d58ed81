"""The time, as functions of one module, so that a test can replace all of them."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Return seconds of a clock that nobody sets."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)
