"""Deliberate bugs: each must make the fault campaign fail."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from lightsail_snapshots import copy, create, prune, retention, snapshot
from lightsail_snapshots.aws.errors import EntriesRejectedError
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.events import instance_snapshot_requested
from lightsail_snapshots.naming import snapshot_name
from lightsail_snapshots.reconciler import Reconciler

Patches = Iterator[Any]


def name_without_the_slot() -> Patches:
    def name(instance_name: str, _slot: datetime, *distinct: str) -> str:
        return snapshot_name(instance_name, datetime(2027, 1, 1, tzinfo=_slot.tzinfo), *distinct)

    yield patch.object(instance_snapshot_requested, "snapshot_name", name)


def name_in_use_is_final_at_once() -> Patches:
    yield patch.object(create, "find_name_owner", lambda *_: None)


def request_is_done_after_an_error() -> Patches:
    yield patch.object(Reconciler, "_retry", lambda *_, **__: None)


def copy_tags_any_snapshot_of_its_name() -> Patches:
    yield patch.object(copy, "_lacks_only_tags", lambda *_: True)


def prune_does_not_read_again() -> Patches:
    yield patch.object(prune, "_changes", lambda *_: [])


def prune_ignores_holds() -> Patches:
    for module in (retention, snapshot):
        yield patch.object(module, "is_hold", lambda _: False)


def prune_takes_all_with_our_tags_for_ours() -> Patches:
    yield patch.object(snapshot.Snapshot, "why_foreign", lambda each, _: "" if each.is_ours else "foreign")


def bus_ignores_rejected_entries() -> Patches:
    def put(self: EventBus, entries: Any) -> None:
        try:
            self._put(entries)
        except EntriesRejectedError:
            return

    yield patch.object(EventBus, "_put_with_retries", put)


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
    """Put a bug into the functions."""
    made = list(patches())
    for each in made:
        each.start()
    try:
        yield
    finally:
        for each in made:
            each.stop()
