"""Makes a call that may well fail, and says how it went, without account numbers and names of users."""

import re
from collections.abc import Callable
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from lightsail_snapshots.aws.errors import (
    AccessDeniedError,
    AwsError,
    NameInUseError,
    RetryableError,
    ThrottledError,
    translate_errors,
)
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.doctor.belief import AS_ASSUMED, DIFFERS, HANDLED
from lightsail_snapshots_cli.errors import missing_action

SECONDS_BETWEEN_ATTEMPTS = 5
_MOST_ATTEMPTS = 6
_SERVER_ERRORS = {"ServiceException", "ServiceUnavailable", "InternalFailure"}
_ARN = re.compile(r"\barn:aws[\w-]*:[^\s,;\"')]*")
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")


class DeniedError(Exception):
    """Raised if the person's credentials lack a permission; the text is the action."""


class Attempt(NamedTuple):
    """How a call went."""

    error: AwsError | None = None

    @property
    def is_accepted(self) -> bool:
        return self.error is None

    @property
    def is_curable(self) -> bool:
        """Whether the functions would retry it."""
        return isinstance(self.error, RetryableError)

    @property
    def is_denied(self) -> bool:
        return isinstance(self.error, AccessDeniedError)

    def __str__(self) -> str:
        """Return it as the report has it."""
        return "accepted" if self.error is None else f"rejected: {scrub(str(self.error))}"


def scrub(text: str) -> str:
    """Return a text of AWS without ARNs, which have names of users, and without account numbers."""
    return _ACCOUNT.sub("ACCOUNT", _ARN.sub("ARN", text))


def attempt(call: Callable[[], object], *, may_be_denied: bool = False, is_new: bool = True) -> Attempt:
    """Make a call; repeat it if it was throttled, was not answered, or the server failed.

    If `is_new`, nothing else can have the name that the call gives.

    Raises DeniedError if it is denied, unless a denial is an answer; and AwsError if it is never answered.
    """
    for number in range(1, _MOST_ATTEMPTS + 1):
        try:
            with translate_errors():
                call()
        except AwsError as error:
            if number > 1 and is_new and isinstance(error, NameInUseError):  # the attempt whose answer was lost
                return Attempt()
            if isinstance(error, AccessDeniedError) and not may_be_denied:
                raise DeniedError(missing_action(error)) from error
            if not _is_transient(error):
                return Attempt(error)
            if number == _MOST_ATTEMPTS:
                raise
            clock.sleep(SECONDS_BETWEEN_ATTEMPTS)
        else:
            break
    return Attempt()


def persist(call: Callable[[], object], seconds: float, *, may_be_denied: bool = False) -> Attempt:
    """Make a call, and repeat it as long as it is rejected with an error that a retry may cure."""
    deadline = clock.monotonic() + seconds
    while (made := attempt(call, may_be_denied=may_be_denied)).is_curable and clock.monotonic() < deadline:
        clock.sleep(SECONDS_BETWEEN_ATTEMPTS)
    return made


def judge(made: Attempt, *, accepts: bool) -> str:
    """Return the verdict on a call that is assumed to be accepted, or else to be rejected with a curable error.

    The code works in both of these cases, and in no other.
    """
    if not made.is_accepted and not made.is_curable:
        return DIFFERS
    return AS_ASSUMED if made.is_accepted == accepts else HANDLED


def _is_transient(error: AwsError) -> bool:
    cause = error.__cause__
    is_server_error = isinstance(cause, ClientError) and cause.response["Error"].get("Code") in _SERVER_ERRORS
    return isinstance(error, ThrottledError) or isinstance(cause, BotoCoreError) or is_server_error
