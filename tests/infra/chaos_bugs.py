"""Deliberate bugs: each must make the fault campaign fail."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import wraps
from typing import Any
from unittest.mock import patch

from lightsail_snapshots import copy, create, prune, snapshot
from lightsail_snapshots.aws.errors import EntriesRejectedError
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.events import instance_snapshot_requested
from lightsail_snapshots.naming import snapshot_name
from lightsail_snapshots.reconciler import Reconciler

Patches = Iterator[tuple[Any, str, Callable[..., Any]]]
"""Each: a module or a class, the name of a function of it, and what replaces that."""


class DoesNotApplyError(Exception):
    """The code has changed, so that a bug does nothing any longer: adapt it. It says nothing about the campaign."""


def name_without_the_slot() -> Patches:
    def name(instance_name: str, _slot: datetime, *distinct: str) -> str:
        return snapshot_name(instance_name, datetime(2027, 1, 1, tzinfo=_slot.tzinfo), *distinct)

    yield instance_snapshot_requested, "snapshot_name", name


def name_in_use_is_final_at_once() -> Patches:
    yield create, "find_name_owner", lambda *_: None


def request_is_done_after_an_error() -> Patches:
    yield Reconciler, "_retry", lambda *_, **__: None


def copy_tags_any_snapshot_of_its_name() -> Patches:
    yield copy, "_lacks_only_tags", lambda *_: True


def prune_does_not_read_again() -> Patches:
    yield prune, "_changes", lambda *_: []


def prune_ignores_holds() -> Patches:
    yield snapshot, "is_hold", lambda _: False  # so a hold is not among the tags that decide


def prune_takes_all_with_our_tags_for_ours() -> Patches:
    yield snapshot.Snapshot, "why_foreign", lambda each, _: "" if each.is_ours else "foreign"


def bus_ignores_rejected_entries() -> Patches:
    def put(self: EventBus, entries: Any) -> None:
        try:
            self._put(entries)
        except EntriesRejectedError:
            return

    yield EventBus, "_put_with_retries", put


BUGS: tuple[Callable[[], Patches], ...] = (
    name_without_the_slot,
    name_in_use_is_final_at_once,
    request_is_done_after_an_error,
    copy_tags_any_snapshot_of_its_name,
    prune_does_not_read_again,
    prune_ignores_holds,
    prune_takes_all_with_our_tags_for_ours,
    bus_ignores_rejected_entries,
)


@contextmanager
def bug(patches: Callable[[], Patches]) -> Iterator[None]:
    """Put a bug into the functions; raise DoesNotApplyError if one of its patches replaces nothing that is called."""
    called: set[str] = set()
    with ExitStack() as stack:
        for owner, name, replacement in patches():
            if not hasattr(owner, name):
                raise DoesNotApplyError(f"{patches.__name__}: {owner.__name__} has no {name}")
            stack.enter_context(patch.object(owner, name, _recorded(replacement, f"{owner.__name__}.{name}", called)))
        yield
    for owner, name, _ in patches():
        if f"{owner.__name__}.{name}" not in called:
            raise DoesNotApplyError(f"{patches.__name__}: nothing called {owner.__name__}.{name}")


def _recorded(replacement: Callable[..., Any], name: str, called: set[str]) -> Callable[..., Any]:
    @wraps(replacement)
    def record(*arguments: Any, **named: Any) -> Any:
        called.add(name)
        return replacement(*arguments, **named)

    return record
