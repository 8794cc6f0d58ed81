"""What ends a command early: each error has an exit status and one sentence that says what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import click
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from lightsail_snapshots.aws.errors import AccessDeniedError, AwsError, translate_errors

FAILED = 1
USAGE = 2
OVERDUE = 3
PENDING = 4
NOT_FOUND = 5
NOT_SIGNED_IN = 6
ACCESS_DENIED = 7
NO_DEPLOYMENT = 10
INTERRUPTED = 130

_BAD_CREDENTIALS = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnauthenticatedException",
    "UnrecognizedClientException",
}
_NOT_ENABLED = {"OptInRequired", "OptInRequiredException", "InvalidClientTokenId", "UnrecognizedClientException"}
"""A Region that the account has not enabled rejects credentials that are valid elsewhere; AWS does not document how."""
_ACTION = re.compile(r"not authorized to perform: (?P<action>[a-z0-9-]+:[A-Za-z0-9]+)")


class CommandError(click.ClickException):
    """Raised to end a command with a sentence on stderr and an exit status."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click sets it for each class


def explain(error: AwsError, doing: str = "") -> CommandError:
    """Return what to tell a person about an error of AWS; `doing` is the end of "AWS failed ..."."""
    cause = error.__cause__
    if isinstance(cause, NoCredentialsError) or _code(error) in _BAD_CREDENTIALS:
        return CommandError(
            f"AWS rejected your credentials: sign in again (`aws sso login`), or set AWS_PROFILE. {error}",
            NOT_SIGNED_IN,
        )
    while_doing = f" {doing}" if doing else ""
    if isinstance(error, AccessDeniedError):
        lacking = f"your credentials lack {missing_action(error)}"
        return CommandError(
            f"Access denied{while_doing}: {lacking}. Ask for that permission. {error}",
            ACCESS_DENIED,
        )
    if isinstance(cause, BotoCoreError):
        return CommandError(f"AWS could not be reached{while_doing}: check your network and try again. {error}")
    return CommandError(f"AWS answered with an error{while_doing}. {error}")


def missing_action(error: AwsError) -> str:
    """Return the action that was denied, such as `lightsail:GetInstance`; if no text has it, the operation."""
    found = _ACTION.search(str(error))
    return found["action"] if found else _operation(error)


def is_not_enabled(error: AwsError) -> bool:
    """Whether this may be the answer of a Region that the account has not enabled."""
    return _code(error) in _NOT_ENABLED


@contextmanager
def explain_errors(doing: str = "") -> Iterator[None]:
    """Turn the errors of AWS, of botocore and of its wrapper, into a CommandError."""
    try:
        with translate_errors():
            yield
    except AwsError as error:
        raise explain(error, doing) from error


def _code(error: AwsError) -> str:
    cause = error.__cause__
    return str(cause.response["Error"].get("Code", "")) if isinstance(cause, ClientError) else ""


def _operation(error: AwsError) -> str:
    cause = error.__cause__
    return str(cause.operation_name) if isinstance(cause, ClientError) else "a permission"
