"""Lightsail's errors: a name, a sub-code, a message and an HTTP status."""

from typing import Any

# The statuses are those of the Smithy model; AWS's API pages say 400 for most of them, which is why a client
# must branch on the name. From ThrottlingException on, they are AWS's common errors, which Lightsail's model lacks.
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
    "InvalidInputException": "Change the request; a retry will fail too.",
    "NotFoundException": "Names are per Region: check that the request went to the right one.",
    "OperationFailureException": "Wait for the other operation, then retry.",
}


class LightsailError(Exception):
    """Raised if Lightsail would reject the request; `status` defaults to that of the named error, or 400."""

    def __init__(self, name: str, message: str, *, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.status = status if status is not None else STATUS.get(name, 400)
        self.fields = {"message": message, "code": code, "docs": DOCS, "tip": TIPS.get(name)}

    def body(self) -> dict[str, Any]:
        """The body of the answer. botocore reads the error's name from `__type` only."""
        return {"__type": self.name, **{key: value for key, value in self.fields.items() if value is not None}}


def invalid(message: str, code: str | None = None) -> LightsailError:
    """The request is wrong, so a retry cannot succeed."""
    return LightsailError("InvalidInputException", message, code=code)


def unsupported(message: str) -> LightsailError:
    """Lightsail can do this, and the emulator cannot."""
    return invalid(message, code="UnsupportedOperation")


def not_found(kind: str, name: str) -> LightsailError:
    """`kind` is a ResourceType such as `Instance`. The message is not confirmed."""
    return LightsailError("NotFoundException", f"The {kind} does not exist: {name}", code="DoesNotExist")


def name_in_use(name: str) -> LightsailError:
    """Names are unique in a Region across all types of resources."""
    return invalid(f"Some names are already in use: {name}", code="NameExists")


def busy(kind: str, name: str, state: str) -> LightsailError:
    """Another operation on the resource is running. AWS uses the last sentence; the error's name is not confirmed."""
    return LightsailError(
        "OperationFailureException",
        f"The {kind} {name} is {state}. Please wait for it to complete before trying again.",
    )
