"""What the emulator can be told to do wrong.

A refusal answers instead of doing the work. The others let the work be done and spoil something around it:

    lost-answer     the work is done, and the connection drops before the answer
    unreachable     the connection drops and nothing is done
    slow            the answer comes `seconds` late
    unknown-enum    every enum value in the answer is one that no client knows
    never-finish    the snapshot made by this request stays pending
    snapshot-fails  the snapshot ends in error, its operation as Failed with errorCode and errorDetails

A fault meets a request when all that it names fits: operation, region, and a resource name in the request.
It goes off `times` times, or until it is cleared.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from local.lightsail.errors import LightsailError, invalid

UNKNOWN_VALUE = "NeverSeenBefore"

# fault: (error name, message). The wordings with "try again" are AWS's, seen on other Lightsail resources;
# the error name that goes with a running automatic snapshot is not confirmed.
REFUSALS = {
    "throttle": ("ThrottlingException", "Rate exceeded"),
    "server-error": ("ServiceException", "An unexpected error occurred. Please try again."),
    "service-unavailable": ("ServiceUnavailable", "The service is temporarily unavailable."),
    "internal-failure": ("InternalFailure", "The request processing has failed."),
    "access-denied": (
        "AccessDeniedException",
        "User: arn:aws:sts::{account}:assumed-role/emulator/fault is not authorized to perform:"
        " lightsail:{operation} on resource: arn:aws:lightsail:{region}:{account}:*",
    ),
    "unauthenticated": ("UnauthenticatedException", "The request could not be authenticated."),
    "account-setup": ("AccountSetupInProgressException", "Your account is still being set up."),
    "region-setup": (
        "RegionSetupInProgressException",
        "Lightsail is being set up in {region}. This typically takes a few minutes. Please try again.",
    ),
    "busy": (
        "OperationFailureException",
        "Another operation is in progress. Please wait for it to complete before trying again.",
    ),
    "try-later": ("InvalidInputException", "The resource is changing. Please try again in a few minutes."),
    "auto-snapshot-window": (
        "InvalidInputException",
        "You cannot create manual snapshots when an automatic snapshot is being created.",
    ),
    "error": ("UnknownError", "The emulator was told to refuse this."),
}
EFFECTS = ("lost-answer", "unreachable", "slow", "unknown-enum", "never-finish", "snapshot-fails")
FIELDS: dict[
    str, type | tuple[type, ...]
] = {  # what a fault may say, as the control door spells it, and the type it must have
    "fault": str,
    "operation": str,
    "region": str,
    "name": str,
    "times": int,
    "seconds": (int, float),
    "error": str,
    "code": str,
    "message": str,
    "status": int,
}


@dataclass
class Fault:
    """One thing to do wrong; None means any. `error`, `code`, `message`, `status` replace a refusal's own."""

    fault: str
    operation: str | None = None
    region: str | None = None
    name: str | None = None
    times: int | None = None
    seconds: float = 1.0
    error: str | None = None
    code: str | None = None
    message: str | None = None
    status: int | None = None

    def __post_init__(self) -> None:
        if self.fault not in REFUSALS and self.fault not in EFFECTS:
            raise invalid(f"No such fault: {self.fault}. There are: {', '.join([*REFUSALS, *EFFECTS])}")

    def meets(self, operation: str, region: str, names: Collection[str]) -> bool:
        """Whether this fault is meant for such a request, and is not used up."""
        return (
            self.operation in (None, operation)
            and self.region in (None, region)
            and (self.name is None or self.name in names)
            and self.times != 0
        )

    def refusal(self, operation: str, region: str, account: str) -> LightsailError:
        """The error of this fault, which must be one of `REFUSALS`."""
        name, text = REFUSALS[self.fault]
        message = self.message or text.format(operation=operation, region=region, account=account)
        return LightsailError(self.error or name, message, code=self.code, status=self.status)


class Faults:
    """The faults that are set, in the order in which they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: str, **details: Any) -> None:
        """Set a fault; `details` are the fields of `Fault`."""
        for field, value in {"fault": fault, **details}.items():
            if field not in FIELDS or not isinstance(value, FIELDS[field]):
                raise invalid(f"A fault has no field {field} = {value!r}. Its fields are {', '.join(FIELDS)}.")
        self._faults.append(Fault(fault, **details))

    def clear(self) -> None:
        """Forget every fault: from here on all goes well."""
        self._faults.clear()

    def listing(self) -> list[dict[str, Any]]:
        """The faults that can still go off, as the control door shows them."""
        return [
            {field: value for field in FIELDS if (value := getattr(fault, field)) is not None}
            for fault in self._faults
            if fault.times != 0
        ]

    def take(self, kinds: Collection[str], operation: str, region: str, names: Collection[str]) -> Fault | None:
        """The first fault of these kinds that meets the request, counted as having gone off."""
        for fault in self._faults:
            if fault.fault in kinds and fault.meets(operation, region, names):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
