"""What can go wrong with a call to AWS.

Every botocore exception leaves here as one of these:

    AwsError
    ├── NotFoundError        there is no such resource in this Region
    ├── NameInUseError       some resource of the Region, of whatever type, has this name
    ├── AccessDeniedError    the role may not do this
    ├── RefusedError         the request can never succeed as it stands
    └── TryLaterError        everything else: busy, throttled, 5xx, timeout, being set up, and what nobody knows yet
        └── NotAllPutError   the bus refused some of the events of one call
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError


class AwsError(Exception):
    """Base of what AWS answers; the text begins with AWS's own error code."""


class NotFoundError(AwsError):
    """Raised when there is no such resource in this Region."""


class NameInUseError(AwsError):
    """Raised when some resource of the Region, of whatever type, has this name."""


class AccessDeniedError(AwsError):
    """Raised when the role may not do this."""


class RefusedError(AwsError):
    """Raised when the request can never succeed as it stands."""


class TryLaterError(AwsError):
    """Raised when the same request may succeed later; also for an error that is not known, so that it is not lost."""


class NotAllPutError(TryLaterError):
    """Raised when the bus took a call and refused some of its entries, whose places are in `refused`."""

    def __init__(self, text: str, refused: Sequence[int]) -> None:
        """Keep the places of the entries."""
        super().__init__(text)
        self.refused = tuple(refused)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn what botocore raises into ours: ClientError and BotoCoreError are not related, nor is a parser's error."""
    try:
        yield
    except ClientError as error:
        raise _from_answer(error) from error
    except ParamValidationError as error:
        raise RefusedError(f"ParamValidation: {error}") from error
    except (BotoCoreError, ResponseParserError) as error:
        raise TryLaterError(f"{type(error).__name__}: {error}") from error


# Told apart by name, sub-code and text, never by HTTP status: AWS's own documents disagree about that.
_ACCESS_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


# What Lightsail says of an instance that is not ready is not documented: words that stand alone, and not in a name.
_BUSY = re.compile(
    r"please try again|please wait|in a few minutes|automatic snapshot is being created"
    r"|(?<![\w.-])(?:state|pending|starting|stopping|rebooting|in progress)(?![\w-])"
)


def _from_answer(error: ClientError) -> AwsError:
    code = error.response["Error"].get("Code", "")
    text = error.response["Error"].get("Message", "")
    # Lightsail puts its sub-code beside Error, at the top level of the answer.
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
            return TryLaterError
        return RefusedError
    return TryLaterError
