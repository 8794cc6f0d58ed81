"""The event bus."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from lightsail_snapshots.aws.client import client
from lightsail_snapshots.aws.errors import NotAllPutError, translate_errors
from lightsail_snapshots.events import SOURCE

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

MAX_ENTRIES = 10
"""Entries of one call: EventBridge API reference, PutEvents."""


PUT_ATTEMPTS = 5
"""How often an entry that the bus refuses is put in one invocation: within three seconds."""


class EventBus:
    """The event bus that requests and outcomes are put on, all in our name."""

    def __init__(self, name: str, region: str) -> None:
        """Remember which bus it is; this calls nothing."""
        self._name = name
        self._region = region

    @cached_property
    def _client(self) -> "EventBridgeClient":
        """Made when something is put: most invocations of `create`, its cold starts above all, have nothing to tell."""
        return cast("EventBridgeClient", client("events", self._region))

    def put(self, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()) -> None:
        """Put one event on the bus; raise TryLaterError where the bus did not take it."""
        self._put([self._entry(detail_type, detail, resources)])

    def put_all(self, detail_type: str, details: Iterable[Mapping[str, Any]]) -> None:
        """Put an event for each detail, MAX_ENTRIES in a call; raise TryLaterError where the bus did not take them all.

        What it refuses is put again, alone, up to PUT_ATTEMPTS times. Ten entries have room enough: the largest
        request, with 45 tags of 384 characters of four bytes each, has less than a tenth of the 1 MB of a call.
        """
        entries = (self._entry(detail_type, detail) for detail in details)
        while left := list(islice(entries, MAX_ENTRIES)):
            self._put_with_retries(left)

    def _put_with_retries(self, left: "list[PutEventsRequestEntryTypeDef]") -> None:
        for attempt in range(1, PUT_ATTEMPTS):
            try:
                return self._put(left)
            except NotAllPutError as error:
                left = [left[index] for index in error.refused]
            time.sleep(0.1 * 2**attempt)
        return self._put(left)

    def _put(self, entries: "list[PutEventsRequestEntryTypeDef]") -> None:
        with translate_errors():
            answer = self._client.put_events(Entries=entries)
        # PutEvents answers 200 also where it refused an entry.
        refused = [index for index, entry in enumerate(answer["Entries"]) if entry.get("ErrorCode")]
        if refused:
            first = answer["Entries"][refused[0]]
            raise NotAllPutError(f"{first.get('ErrorCode')}: {first.get('ErrorMessage')} (PutEvents)", refused)

    def _entry(
        self, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()
    ) -> "PutEventsRequestEntryTypeDef":
        return {
            "Source": SOURCE,
            "DetailType": detail_type,
            "Detail": json.dumps(detail, ensure_ascii=False),
            "Resources": list(resources),
            "EventBusName": self._name,
        }
