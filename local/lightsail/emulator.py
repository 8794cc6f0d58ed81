"""The core behind every door: takes a call, gives an answer, one call at a time."""

import logging
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

from local.lightsail import model
from local.lightsail.account import Account
from local.lightsail.clock import Clock
from local.lightsail.errors import LightsailError, invalid
from local.lightsail.faults import REFUSALS, UNKNOWN_VALUE, Faults
from local.lightsail.operations import OPERATIONS
from local.lightsail.settings import Settings

DEFAULT_ACCOUNT = "123456789012"
NAMING = ("instanceName", "instanceSnapshotName", "resourceName", "sourceSnapshotName", "targetSnapshotName")

log = logging.getLogger("local.lightsail")


@dataclass(frozen=True)
class Call:
    """One request, as it came: `parameters` has not been checked yet."""

    operation: str
    parameters: Any
    region: str
    account: str = DEFAULT_ACCOUNT

    def names(self) -> list[str]:
        """The resources that it names, for faults that are meant for some resources only."""
        if not isinstance(self.parameters, dict):
            return []
        several = self.parameters.get("instanceNames")
        named = [self.parameters.get(member) for member in NAMING] + (several if isinstance(several, list) else [])
        return [name for name in named if isinstance(name, str)]


@dataclass(frozen=True)
class Answer:
    """What the door sends: `body` after `delay` seconds, or, where `lost`, nothing but a dropped connection."""

    status: int
    body: dict[str, Any]
    delay: float = 0.0
    lost: bool = False


@dataclass
class Emulator:
    """All accounts. Thread-safe: calls take their turn, so five creates of one name make one snapshot."""

    settings: Settings = field(default_factory=Settings)
    clock: Clock = field(default_factory=Clock)
    faults: Faults = field(default_factory=Faults)
    accounts: dict[str, Account] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)

    def account(self, account: str = DEFAULT_ACCOUNT) -> Account:
        """An account by its id; every account exists."""
        with self.lock:
            known = Account(account, self.clock, self.settings, self.faults)
            return self.accounts.setdefault(account, known)

    def reset(self) -> None:
        """Forget every resource and every fault; settings and time stay."""
        with self.lock:
            self.accounts.clear()
            self.faults.clear()

    def handle(self, call: Call) -> Answer:
        """Answer a call, with whatever goes wrong by request."""
        with self.lock:
            spoils = {
                kind: self.faults.take([kind], call.operation, call.region, call.names())
                for kind in ("unreachable", "lost-answer", "slow", "unknown-enum")
            }
            if spoils["unreachable"]:
                return Answer(503, {}, lost=True)
            answer = self._answer(call, unknown_enums=spoils["unknown-enum"] is not None)
        delay = spoils["slow"].seconds if spoils["slow"] else 0.0
        return replace(answer, delay=delay, lost=spoils["lost-answer"] is not None)

    def _answer(self, call: Call, unknown_enums: bool) -> Answer:
        try:
            body = self.perform(call)
        except LightsailError as error:
            return Answer(error.status, error.body())
        if misfits := model.misfits(call.operation, body):
            message = f"The emulator's answer to {call.operation} does not fit the model: {'; '.join(misfits)}"
            log.error(message)
            return Answer(500, LightsailError("InternalFailure", message).body())
        return Answer(200, _replaced(body, model.output_shape(call.operation)) if unknown_enums else body)

    def perform(self, call: Call) -> dict[str, Any]:
        """Do what the call asks, or raise LightsailError."""
        model.operation(call.operation)
        region = self.account(call.account).region(call.region)
        fault = self.faults.take(REFUSALS, call.operation, call.region, call.names())
        if fault:
            raise fault.refusal(call.operation, call.region, call.account)
        operation = OPERATIONS.get(call.operation)
        if operation is None:
            raise invalid(f"The emulator does not have {call.operation} yet.", code="UnsupportedOperation")
        model.check_request(call.operation, call.parameters)
        return operation(region, call.parameters)


def _replaced(value: Any, shape: Any) -> Any:
    """A copy of `value` in which every value of an enum is one that its enum does not have."""
    if shape.type_name == "structure":
        return {member: _replaced(item, shape.members[member]) for member, item in value.items()}
    if shape.type_name == "list":
        return [_replaced(item, shape.member) for item in value]
    return UNKNOWN_VALUE if getattr(shape, "enum", None) else value
