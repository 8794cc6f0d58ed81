"""Faults that a test can set.

The faults in `ERROR_FAULTS` reject the request. The others run the operation and break something around it:

    lost-answer     the operation runs, and the connection drops before the answer
    unreachable     the connection drops, and the operation does not run
    slow            the answer is `seconds` late
    stale           a read does not show the resources that were made less than `seconds` ago
    unknown-enum    every enum value in the answer is one that no client knows
    never-finish    the snapshot that this request starts stays pending
    snapshot-fails  the snapshot ends in error, and its operations as Failed with errorCode and errorDetails
    status-fails    the status checks of the instance fail

A fault applies to a request if its operation, its region and its name (of a resource in the request) match.
It applies `times` times, or until it is cleared.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from local.lightsail.errors import LightsailError, invalid

UNKNOWN_VALUE = "NeverSeenBefore"

# fault: (error name, message). AWS uses the texts with "try again" for other Lightsail resources.
# AWS documents the text about automatic snapshots; the name of its error is not confirmed.
ERROR_FAULTS = {
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
    "error": ("UnknownError", "The fault error was set."),
}
EFFECTS = (
    "lost-answer",
    "unreachable",
    "slow",
    "stale",
    "unknown-enum",
    "never-finish",
    "snapshot-fails",
    "status-fails",
)
# The fields of a fault in the control API, and their types.
FIELDS: dict[str, type | tuple[type, ...]] = {
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
    """None matches anything. `error`, `code`, `message` and `status` replace those of an error fault."""

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
        if self.fault not in ERROR_FAULTS and self.fault not in EFFECTS:
            raise invalid(f"No such fault: {self.fault}. There are: {', '.join([*ERROR_FAULTS, *EFFECTS])}")

    def applies_to(self, operation: str, region: str, names: Collection[str]) -> bool:
        """Whether this fault applies to the request and is not used up."""
        return (
            self.operation in (None, operation)
            and self.region in (None, region)
            and (self.name is None or self.name in names)
            and self.times != 0
        )

    def to_error(self, operation: str, region: str, account: str) -> LightsailError:
        """The error that one of `ERROR_FAULTS` raises."""
        name, text = ERROR_FAULTS[self.fault]
        message = self.message or text.format(operation=operation, region=region, account=account)
        return LightsailError(self.error or name, message, code=self.code, status=self.status)


class Faults:
    """The faults that are set, oldest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: str, **details: Any) -> None:
        """Set a fault; `details` are the fields of `Fault`."""
        for field, value in {"fault": fault, **details}.items():
            if field not in FIELDS or not isinstance(value, FIELDS[field]):
                raise invalid(f"A fault has no field {field} = {value!r}. Its fields are {', '.join(FIELDS)}.")
        self._faults.append(Fault(fault, **details))

    def clear(self) -> None:
        """Delete every fault."""
        self._faults.clear()

    def listing(self) -> list[dict[str, Any]]:
        """The faults that are not used up, as the control API returns them."""
        return [
            {field: value for field in FIELDS if (value := getattr(fault, field)) is not None}
            for fault in self._faults
            if fault.times != 0
        ]

    def take(self, kinds: Collection[str], operation: str, region: str, names: Collection[str]) -> Fault | None:
        """Use up one turn of the first fault of these kinds that applies to the request, and return it."""
        for fault in self._faults:
            if fault.fault in kinds and fault.applies_to(operation, region, names):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
