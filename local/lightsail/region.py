"""One Region of one account: its resources, which share one name space, and its operations."""

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from local.lightsail import errors
from local.lightsail.clock import NEVER, Clock
from local.lightsail.faults import Faults
from local.lightsail.resources import Instance, InstanceSnapshot, Operation, Resource
from local.lightsail.settings import Settings

ZONES = "abcdef"  # AWS has three to six in a Region


class Numbered(Protocol):
    """An item of a paginated list."""

    serial: int


T = TypeVar("T", bound=Numbered)
R = TypeVar("R", bound=Resource)


@dataclass
class Region:
    """The state of one Region. The emulator's lock guards it; `find_region` gives the account's other Regions."""

    name: str
    account: str
    clock: Clock
    settings: Settings
    faults: Faults
    find_region: Callable[[str], "Region"]
    names: dict[str, Resource] = field(default_factory=dict)  # in creation order, so sorted by serial
    operations: dict[str, Operation] = field(default_factory=dict)
    last_serial: int = 0
    names_used_until: dict[str, datetime] = field(default_factory=dict)  # of resources that were deleted

    @property
    def now(self) -> datetime:
        """The emulator's time."""
        return self.clock.now()

    def as_of(self, moment: datetime) -> "Region":
        """The Region as a stale read sees it, without the resources that were made after a moment."""
        return replace(self, names={name: one for name, one in self.names.items() if one.created_at <= moment})

    def resources_of_type(self, kind: type[R]) -> list[R]:
        """All resources of one type, oldest first."""
        return [resource for resource in self.names.values() if isinstance(resource, kind)]

    def instance(self, name: str) -> Instance:
        return self.find(name, Instance)

    def snapshot(self, name: str) -> InstanceSnapshot:
        return self.find(name, InstanceSnapshot)

    def available_snapshot(self, name: str) -> InstanceSnapshot:
        """A snapshot that can be restored and copied."""
        snapshot = self.snapshot(name)
        state = snapshot.state_at(self.now)
        if state != "available":
            raise errors.busy("InstanceSnapshot", name, state)
        return snapshot

    def find(self, name: str, kind: type[R]) -> R:
        """The resource of this name and type, or NotFoundException. `Resource` finds any type."""
        found = self.names.get(name)
        if not isinstance(found, kind):
            raise errors.not_found(kind.__name__, name)
        return found

    def check_free(self, names: Iterable[str]) -> None:
        """Reject names that a resource of any type has."""
        now = self.now
        for name in names:
            if name in self.names or now < self.names_used_until.get(name, now):
                raise errors.name_in_use(name)

    def check_zone(self, zone: str) -> None:
        """Reject a zone of another Region."""
        if not re.fullmatch(f"{self.name}[{ZONES}]", zone):
            raise errors.invalid(f"{zone} is not an Availability Zone of {self.name}.")

    def add(self, resource: R) -> R:
        """Add a resource whose name `check_free` has accepted."""
        resource.serial = self._next_serial()
        self.names[resource.name] = resource
        return resource

    def remove(self, resource: Resource) -> None:
        """Delete a resource."""
        del self.names[resource.name]
        self.names_used_until[resource.name] = self.now + timedelta(seconds=self.settings.name_free_seconds)
        if not self.settings.keeps_operations:
            self.operations = {key: one for key, one in self.operations.items() if one.resource != resource.name}

    def record(
        self,
        operation_type: str,
        resource: Resource,
        details: str = "",
        finishes_at: datetime | None = None,
        failed: bool = False,
    ) -> Operation:
        """Record an operation on a resource; without `finishes_at` it has finished."""
        now = self.now
        operation = Operation(
            type=operation_type,
            kind=resource.kind,
            resource=resource.name,
            details=details,
            zone=resource.zone,
            region=self.name,
            created_at=now,
            finishes_at=now if finishes_at is None else finishes_at,
            failed=failed,
            serial=self._next_serial(),
        )
        self.operations[operation.id] = operation
        return operation

    def record_on_both(self, operation_type: str, first: Resource, second: Resource) -> list[Operation]:
        """Record a finished operation on each of two resources, with the other one's name as its details."""
        return [self.record(operation_type, first, second.name), self.record(operation_type, second, first.name)]

    def describe(self, operations: Sequence[Operation]) -> list[dict[str, Any]]:
        """Operations as the API returns them."""
        return [operation.describe(self.now) for operation in operations]

    def page(
        self, items: Sequence[T], token: str | None, newest_first: bool = False
    ) -> tuple[Sequence[T], dict[str, str]]:
        """One page of `items`, which are sorted by serial, and a `nextPageToken` if there are more."""
        sign = -1 if newest_first else 1
        start = bisect_right(items, sign * self._read_token(token), key=lambda one: sign * one.serial) if token else 0
        page = items[start : start + self.settings.page_size]
        more = start + len(page) < len(items)
        return page, {"nextPageToken": self._write_token(page[-1].serial)} if more else {}

    def plan_snapshot(self, operation: str, names: Sequence[str]) -> tuple[datetime, bool]:
        """When a snapshot that starts now will finish, and whether it will have failed."""
        if self.faults.take(["never-finish"], operation, self.name, names):
            return NEVER, False
        finishes_at = self.now + timedelta(seconds=self.settings.snapshot_seconds)
        return finishes_at, self.faults.take(["snapshot-fails"], operation, self.name, names) is not None

    def _next_serial(self) -> int:
        self.last_serial += 1
        return self.last_serial

    def _write_token(self, serial: int) -> str:
        return base64.urlsafe_b64encode(f"{self.name}:{serial}".encode()).decode()

    def _read_token(self, token: str) -> int:
        try:
            region, serial = base64.urlsafe_b64decode(token.encode()).decode().split(":")
            if region == self.name:
                return int(serial)
        except (binascii.Error, ValueError):
            pass
        raise errors.invalid(f"The page token is not valid: {token}")
