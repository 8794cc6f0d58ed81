"""How long an unfinished request waits for its next delivery, in seconds: pure functions."""

import random

MIN_BACKOFF = 2.0
MAX_DELAY = 180.0


def until_next_look(passed: float, first: float) -> float:
    """Return the delay of a request that somebody waits for, `passed` seconds after its first delivery.

    The first look comes after `first` seconds, each later one after a sixth of the time that has passed. So people hear
    of a snapshot at most a sixth of its time later. A quarter would save a third of the looks, and be late by up to 50
    seconds for a snapshot that takes 200.
    """
    return min(MAX_DELAY, max(first - passed, passed / 6, 1.0))


def backoff(passed: float) -> float:
    """Return a random delay after an error, `passed` seconds after the first delivery.

    The longest possible delay is the time that has passed, so it doubles from retry to retry: exponential, with full
    jitter. A request that failed after a long wait is not retried as if it had failed often.
    """
    return random.uniform(MIN_BACKOFF, min(MAX_DELAY, max(2 * MIN_BACKOFF, passed)))  # noqa: S311 - no secret
