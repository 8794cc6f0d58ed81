"""Calls that are repeated for half a minute, since networks and AWS have short outages."""

from collections.abc import Callable
from typing import TypeVar

from lightsail_snapshots.aws.errors import RetryableError
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.errors import FAILED, explain

T = TypeVar("T")

SECONDS_BETWEEN_LOOKS = 5
MOST_ATTEMPTS = 6


def patiently(call: Callable[[], T]) -> T:
    """Make a call, and repeat it for half a minute if that may help. Raises AwsError."""
    for _ in range(MOST_ATTEMPTS - 1):
        try:
            return call()
        except RetryableError as error:
            if explain(error).exit_code != FAILED:
                raise
            clock.sleep(SECONDS_BETWEEN_LOOKS)
    return call()
