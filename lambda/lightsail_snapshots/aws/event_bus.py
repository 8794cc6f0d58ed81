"""The event bus."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from lightsail_snapshots.aws.clients import make_client
from lightsail_snapshots.aws.errors import EntriesRejectedError, translate_errors
from lightsail_snapshots.events import SOURCE

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

MAX_ENTRIES = 10
"""Entries of one call: EventBridge API reference, PutEvents."""

PUT_ATTEMPTS = 5
"""How often one invocation puts an entry that the bus rejects: within three seconds."""


class EventBus:
    """Our event bus. Every event that is put on it has our source."""

    def __init__(self, name: str, region: str) -> None:
        """Keep the name; this does not call AWS."""
        self._name = name
        self._region = region

    @cached_property
    def _client(self) -> "EventBridgeClient":
        """Made on the first event: most invocations of `create`, above all its cold starts, publish nothing."""
        client: EventBridgeClient = make_client("events", self._region)
        return client

    def put(self, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()) -> None:
        """Put one event on the bus; raise RetryableError if the bus rejects it."""
        self._put([self._entry(detail_type, detail, resources)])

    def put_all(self, detail_type: str, details: Iterable[Mapping[str, Any]]) -> None:
        """Put an event for each detail, MAX_ENTRIES in a call; raise RetryableError if the bus does not take them all.

        Rejected entries are retried without the others, up to PUT_ATTEMPTS times. Ten entries always fit into a call:
        the largest request, with 39 tags of 384 characters of four bytes, is less than a tenth of the 1 MB limit.
        """
        entries = (self._entry(detail_type, detail) for detail in details)
        while left := list(islice(entries, MAX_ENTRIES)):
            self._put_with_retries(left)

    def _put_with_retries(self, left: "list[PutEventsRequestEntryTypeDef]") -> None:
        for attempt in range(1, PUT_ATTEMPTS):
            try:
                return self._put(left)
            except EntriesRejectedError as error:
                left = [left[index] for index in error.rejected]
            time.sleep(0.1 * 2**attempt)
        return self._put(left)

    def _put(self, entries: "list[PutEventsRequestEntryTypeDef]") -> None:
        with translate_errors():
            answer = self._client.put_events(Entries=entries)
        # PutEvents answers 200 even if it rejects an entry.
        rejected = [index for index, entry in enumerate(answer["Entries"]) if entry.get("ErrorCode")]
        if rejected:
            first = answer["Entries"][rejected[0]]
            raise EntriesRejectedError(f"{first.get('ErrorCode')}: {first.get('ErrorMessage')} (PutEvents)", rejected)

    def _entry(
        self, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()
    ) -> "PutEventsRequestEntryTypeDef":
        return {
            "Source": SOURCE,
            "DetailType": detail_type,
            # Half of a surrogate pair, which JSON may escape, is no text that AWS documents to take.
            "Detail": json.dumps(detail, ensure_ascii=False).encode(errors="replace").decode(),
            "Resources": list(resources),
            "EventBusName": self._name,
        }
