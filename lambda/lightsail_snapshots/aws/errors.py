"""The errors of a call to AWS.

`translate_errors` turns every exception of botocore into one of these:

    AwsError
    ├── NotFoundError              there is no such resource in this Region
    ├── NameInUseError             the name is taken by a resource of any type
    ├── AccessDeniedError          the role may not do this
    ├── RejectedError              the request cannot succeed as it stands
    └── RetryableError             a retry may help: busy, throttled, 5xx, timeout, being set up, or an unknown error
        ├── ThrottledError         too many calls
        └── EntriesRejectedError   the bus rejected some of the events of one call
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError


class AwsError(Exception):
    """Base of all errors here; the text begins with AWS's own error code."""


class NotFoundError(AwsError):
    """Raised when there is no such resource in this Region."""


class NameInUseError(AwsError):
    """Raised when the name is taken by a resource of any type in this Region."""


class AccessDeniedError(AwsError):
    """Raised when the role may not do this."""


class RejectedError(AwsError):
    """Raised when the request cannot succeed as it stands."""


class RetryableError(AwsError):
    """Raised when a retry may help, and for unknown errors, so that no request is lost."""


class ThrottledError(RetryableError):
    """Raised when there were too many calls."""


class EntriesRejectedError(RetryableError):
    """Raised when the bus rejected some entries of a call; `rejected` has their indexes."""

    def __init__(self, text: str, rejected: Sequence[int]) -> None:
        super().__init__(text)
        self.rejected = tuple(rejected)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn botocore's exceptions into ours. ClientError, BotoCoreError and a parser's error have no common base."""
    try:
        yield
    except ClientError as error:
        raise _from_client_error(error) from error
    except ParamValidationError as error:
        raise RejectedError(f"ParamValidation: {error}") from error
    except (BotoCoreError, ResponseParserError) as error:
        raise RetryableError(f"{type(error).__name__}: {error}") from error


# Errors are told apart by name, sub-code and text, never by HTTP status: AWS's own documents disagree about that.
THROTTLED = {
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
}
_ACCESS_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}

# Lightsail's texts for an instance that is not ready are not documented. These are whole words, never parts of a name.
_BUSY = re.compile(
    r"please try again|please wait|in a few minutes|automatic snapshot is being created"
    r"|(?<![\w.-])(?:state|pending|starting|stopping|rebooting|in progress)(?![\w-])"
)


def _from_client_error(error: ClientError) -> AwsError:
    code = error.response["Error"].get("Code", "")
    text = error.response["Error"].get("Message", "")
    # Lightsail's sub-code is at the top level of the answer, not inside Error.
    sub_code = str(error.response.get("code") or "")
    kind = _kind(code, sub_code, text.lower())
    return kind(f"{code}{'/' if sub_code else ''}{sub_code}: {text} ({error.operation_name})")


def _kind(code: str, sub_code: str, text: str) -> type[AwsError]:
    if code in _ACCESS_DENIED:
        return AccessDeniedError
    if code == "NotFoundException" or "doesnotexist" in f"{code} {sub_code} {text}".lower().replace(" ", ""):
        return NotFoundError
    if code == "InvalidInputException":
        if sub_code == "NameExists" or "already in use" in text:
            return NameInUseError
        if _BUSY.search(text):
            return RetryableError
        return RejectedError
    return ThrottledError if code in THROTTLED else RetryableError
