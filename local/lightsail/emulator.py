"""Handles API calls, one at a time. Every endpoint calls `Emulator.handle`."""

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from threading import RLock
from typing import Any, Protocol

from local.lightsail import errors, model
from local.lightsail.clock import Clock
from local.lightsail.errors import LightsailError
from local.lightsail.faults import ERROR_FAULTS, UNKNOWN_VALUE, Faults
from local.lightsail.operations import OPERATIONS
from local.lightsail.region import Region
from local.lightsail.settings import Settings

DEFAULT_ACCOUNT = "123456789012"
NAME_FIELDS = (
    "diskName",
    "instanceName",
    "instanceSnapshotName",
    "keyPairName",
    "relationalDatabaseName",
    "resourceName",
    "sourceSnapshotName",
    "staticIpName",
    "targetSnapshotName",
)

log = logging.getLogger("local.lightsail")


class Closable(Protocol):
    """The server in `probe_target`."""

    def close(self) -> None:
        """Stop it."""


@dataclass(frozen=True)
class Call:
    """One request; `parameters` are not checked yet."""

    operation: str
    parameters: Any
    region: str
    account: str = DEFAULT_ACCOUNT

    def names(self) -> list[str]:
        """The resources that the request names. A fault can apply to some of them only."""
        if not isinstance(self.parameters, dict):
            return []
        several = self.parameters.get("instanceNames")
        named = [self.parameters.get(each) for each in NAME_FIELDS] + (several if isinstance(several, list) else [])
        return [name for name in named if isinstance(name, str)]


@dataclass(frozen=True)
class Answer:
    """The endpoint sends `body` after `delay` seconds. If the answer is `lost`, it drops the connection instead."""

    status: int
    body: dict[str, Any]
    delay: float = 0.0
    lost: bool = False


@dataclass
class Emulator:
    """All accounts. It is thread-safe: one call runs at a time, so five creates of one name make one snapshot."""

    settings: Settings = field(default_factory=Settings)
    clock: Clock = field(default_factory=Clock)
    faults: Faults = field(default_factory=Faults)
    accounts: dict[str, dict[str, Region]] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)
    probe_target: Closable | None = None

    def region(self, name: str, account: str = DEFAULT_ACCOUNT) -> Region:
        """A Region of an account. Every account exists, and every Region that Lightsail has."""
        if name not in model.regions():
            known = ", ".join(model.regions())
            raise LightsailError(
                "UnrecognizedClientException", f"There is no Lightsail in {name}. Its Regions are {known}."
            )
        with self.lock:
            regions = self.accounts.setdefault(account, {})
            if name not in regions:
                find_region = partial(self.region, account=account)
                regions[name] = Region(name, account, self.clock, self.settings, self.faults, find_region)
            return regions[name]

    def reset(self) -> None:
        """Delete every resource and every fault. Settings and time stay."""
        with self.lock:
            self.accounts.clear()
            self.faults.clear()

    def handle(self, call: Call) -> Answer:
        """Answer a call, and apply the faults that are set for it."""
        with self.lock:
            faults = {
                kind: self.faults.take([kind], call.operation, call.region, call.names())
                for kind in ("unreachable", "lost-answer", "slow", "unknown-enum")
            }
            if faults["unreachable"]:
                return Answer(503, {}, lost=True)
            answer = self._answer(call, unknown_enums=faults["unknown-enum"] is not None)
        delay = faults["slow"].seconds if faults["slow"] else 0.0
        return replace(answer, delay=delay, lost=faults["lost-answer"] is not None)

    def _answer(self, call: Call, unknown_enums: bool) -> Answer:
        try:
            body = self.perform(call)
        except LightsailError as error:
            return Answer(error.status, error.body())
        if wrong := model.shape_errors(call.operation, body):
            message = f"The emulator's answer to {call.operation} does not fit the model: {'; '.join(wrong)}"
            log.error(message)
            return Answer(500, LightsailError("InternalFailure", message).body())
        return Answer(200, _replace_enums(body, model.output_shape(call.operation)) if unknown_enums else body)

    def perform(self, call: Call) -> dict[str, Any]:
        """Run the operation, or raise LightsailError."""
        model.operation(call.operation)
        region = self.region(call.region, call.account)
        fault = self.faults.take(ERROR_FAULTS, call.operation, call.region, call.names())
        if fault:
            raise fault.to_error(call.operation, call.region, call.account)
        operation = OPERATIONS.get(call.operation)
        if operation is None:
            raise errors.unsupported(f"The emulator does not have {call.operation} yet.")
        model.check_request(call.operation, call.parameters)
        is_read = call.operation.startswith("Get")
        if is_read and (stale := self.faults.take(["stale"], call.operation, call.region, call.names())):
            region = region.as_of(region.now - timedelta(seconds=stale.seconds))
        return operation(region, call.parameters)


def _replace_enums(value: Any, shape: Any) -> Any:
    """A copy of `value` in which each enum has a value that is not in the model."""
    if shape.type_name == "structure":
        return {member: _replace_enums(item, shape.members[member]) for member, item in value.items()}
    if shape.type_name == "list":
        return [_replace_enums(item, shape.member) for item in value]
    return UNKNOWN_VALUE if getattr(shape, "enum", None) else value
