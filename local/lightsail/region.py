"""One Region of one account: a single name space over all types of resources, and the operations so far."""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from local.lightsail import errors
from local.lightsail.clock import NEVER
from local.lightsail.resources import Instance, InstanceSnapshot, Operation, Resource

if TYPE_CHECKING:
    from local.lightsail.account import Account


class Numbered(Protocol):
    """What can be paged through."""

    serial: int


T = TypeVar("T", bound=Numbered)
R = TypeVar("R", bound=Resource)


class Region:
    """The state of one Region. The account's lock guards it."""

    def __init__(self, name: str, account: "Account") -> None:
        self.name = name
        self.account = account
        self.names: dict[str, Resource] = {}  # in the order of making, so sorted by serial
        self.operations: dict[str, Operation] = {}
        self._serials = count(1)

    @property
    def now(self) -> datetime:
        """The emulator's time."""
        return self.account.clock.now()

    def of(self, kind: type[R]) -> list[R]:
        """All resources of one type, oldest first."""
        return [resource for resource in self.names.values() if isinstance(resource, kind)]

    def instance(self, name: str) -> Instance:
        """The instance of this name, or NotFoundException."""
        return self._named(name, Instance)

    def snapshot(self, name: str) -> InstanceSnapshot:
        """The instance snapshot of this name, or NotFoundException."""
        return self._named(name, InstanceSnapshot)

    def resource(self, name: str) -> Resource:
        """Whatever has this name, or NotFoundException."""
        return self._named(name, Resource)

    def _named(self, name: str, kind: type[R]) -> R:
        found = self.names.get(name)
        if not isinstance(found, kind):
            raise errors.not_found(kind.__name__, name)
        return found

    def check_free(self, names: Iterable[str]) -> None:
        """Refuse names that are in use, by whatever type of resource."""
        for name in names:
            if name in self.names:
                raise errors.name_in_use(name)

    def add(self, resource: R) -> R:
        """Take a new resource in, whose name `check_free` has found to be free."""
        resource.serial = next(self._serials)
        self.names[resource.name] = resource
        return resource

    def remove(self, resource: Resource) -> None:
        """Delete a resource; its name is free at once. That AWS does the same is not confirmed."""
        del self.names[resource.name]

    def record(
        self,
        operation_type: str,
        resource: Resource,
        details: str = "",
        finishes_at: datetime | None = None,
        failed: bool = False,
    ) -> Operation:
        """Note an operation about a resource; without `finishes_at` it is over at once."""
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
            serial=next(self._serials),
        )
        self.operations[operation.id] = operation
        return operation

    def describe(self, operations: Sequence[Operation]) -> list[dict[str, Any]]:
        """Operations as the API answers them."""
        return [operation.describe(self.now) for operation in operations]

    def page(
        self, items: Sequence[T], token: str | None, newest_first: bool = False
    ) -> tuple[Sequence[T], dict[str, str]]:
        """One page of `items`, which are sorted by serial, and the `nextPageToken` where there is more."""
        sign = -1 if newest_first else 1
        start = bisect_right(items, sign * self._after(token), key=lambda one: sign * one.serial) if token else 0
        page = items[start : start + self.account.settings.page_size]
        more = start + len(page) < len(items)
        return page, {"nextPageToken": self._token(page[-1].serial)} if more else {}

    def _token(self, serial: int) -> str:
        return base64.urlsafe_b64encode(f"{self.name}:{serial}".encode()).decode()

    def _after(self, token: str) -> int:
        try:
            region, serial = base64.urlsafe_b64decode(token.encode()).decode().split(":")
            if region == self.name:
                return int(serial)
        except (binascii.Error, ValueError):
            pass
        raise errors.invalid(f"The page token is not valid: {token}")

    def snapshot_ends(self, operation: str, names: Sequence[str]) -> tuple[datetime, bool]:
        """When a snapshot that is begun now will be done, and whether it then failed."""
        take = self.account.faults.take
        if take(["never-finish"], operation, self.name, names):
            return NEVER, False
        ends = self.now + timedelta(seconds=self.account.settings.snapshot_seconds)
        return ends, take(["snapshot-fails"], operation, self.name, names) is not None
