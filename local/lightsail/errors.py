"""Errors as Lightsail answers them: a name, a sub-code, a message, and an HTTP status."""

from typing import Any

# The statuses are those of the Smithy model; AWS's API pages say 400 for most of them, which is why a client
# must branch on the name. The last six are errors common to AWS services, which Lightsail's model lacks.
STATUS = {
    "ServiceException": 500,
    "InvalidInputException": 400,
    "NotFoundException": 404,
    "OperationFailureException": 400,
    "AccessDeniedException": 403,
    "AccountSetupInProgressException": 428,
    "RegionSetupInProgressException": 428,
    "UnauthenticatedException": 401,
    "ThrottlingException": 400,
    "ServiceUnavailable": 503,
    "InternalFailure": 500,
    "UnrecognizedClientException": 403,
    "SerializationException": 400,
    "UnknownOperationException": 400,
}
DOCS = "https://docs.aws.amazon.com/lightsail/2016-11-28/api-reference/Welcome.html"
TIPS = {
    "InvalidInputException": "Change the request; sent again as it is, it will be refused again.",
    "NotFoundException": "Names are per Region: look whether the request went to the right one.",
    "OperationFailureException": "Wait for the other operation, then try again.",
}


class LightsailError(Exception):
    """Raised where Lightsail would refuse; `status` defaults to that of the named error, or 400."""

    def __init__(self, name: str, message: str, *, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.status = status if status is not None else STATUS.get(name, 400)
        self.fields = {"message": message, "code": code, "docs": DOCS, "tip": TIPS.get(name)}

    def body(self) -> dict[str, Any]:
        """What goes over the wire. botocore reads the error's name from `__type`, and only from there."""
        return {"__type": self.name, **{key: value for key, value in self.fields.items() if value is not None}}


def invalid(message: str, code: str | None = None) -> LightsailError:
    """The request is refused as it stands: asking again will not help."""
    return LightsailError("InvalidInputException", message, code=code)


def not_found(kind: str, name: str) -> LightsailError:
    """`kind` is a ResourceType such as `Instance`. The text is not confirmed; clients look for both words."""
    return LightsailError("NotFoundException", f"The {kind} does not exist: {name}", code="DoesNotExist")


def name_in_use(name: str) -> LightsailError:
    """Names are unique in a Region over all types of resources."""
    return invalid(f"Some names are already in use: {name}", code="NameExists")


def busy(kind: str, name: str, state: str) -> LightsailError:
    """Something else is going on with the resource. Which error AWS uses is not confirmed; the last words are."""
    return LightsailError(
        "OperationFailureException",
        f"The {kind} {name} is {state}. Please wait for it to complete before trying again.",
    )
