"""A model of the queue of `create`: a standard queue, which keeps no order."""

import heapq
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

from benchmarks.throttled_fleet.lightsail import START
from benchmarks.throttled_fleet.timeline import Timeline

BATCH, VISIBILITY_TIMEOUT = 10, 180
DELIVERY_SECONDS = 0.4
"""From the bus into the queue."""


@dataclass
class Message:
    """A message in the queue."""

    body: str
    sent_at: float
    handle: str
    hidden: int = 0
    """The number of the last time that it was hidden."""
    deliveries: int = 0
    first_at: float = 0.0

    def record(self) -> dict[str, Any]:
        """Build the record that Lambda gets."""
        attributes = {
            "ApproximateReceiveCount": str(self.deliveries),
            "ApproximateFirstReceiveTimestamp": _timestamp(self.first_at),
            "SentTimestamp": _timestamp(self.sent_at),
        }
        return {"messageId": self.handle, "receiptHandle": self.handle, "body": self.body, "attributes": attributes}


@dataclass
class QueueModel:
    """The queue, and how often it is asked."""

    timeline: Timeline
    random: Random
    requests: int = 0
    """Requests to SQS: ten messages in one, if there are ten."""
    deliveries: int = 0
    dead_letters: int = 0
    _visible: list[Message] = field(default_factory=list)
    _hidden: list[tuple[float, int, Message]] = field(default_factory=list)
    _by_handle: dict[str, Message] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=count)

    def __bool__(self) -> bool:
        """Tell whether any message is left."""
        return bool(self._by_handle)

    def send(self, detail_type: str, detail: Mapping[str, Any], source: str) -> None:
        """Put an event into the queue, as the rule does."""
        now = self.timeline.now
        handle = f"message-{next(self._numbers)}"
        event = {
            "id": handle,
            "time": (START + timedelta(seconds=now)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "source": source,
            "detail-type": detail_type,
            "detail": detail,
        }
        self._by_handle[handle] = Message(json.dumps(event), now, handle)
        self.requests += 1
        self._hide(self._by_handle[handle], DELIVERY_SECONDS)

    def has_visible(self) -> bool:
        """Tell whether a message is visible now."""
        now = self.timeline.now
        while self._hidden and self._hidden[0][0] <= now:
            _, number, message = heapq.heappop(self._hidden)
            if message.hidden == number and message.handle in self._by_handle:  # else it was hidden again, or deleted
                self._visible.append(message)
        return bool(self._visible)

    def next_due(self) -> float:
        """Return when the next message may become visible."""
        return self._hidden[0][0] if self._hidden else self.timeline.now + 1

    def receive(self) -> list[Message]:
        """Take a batch of messages, and hide them."""
        self.requests += 1
        batch = [self._take_any() for _ in range(min(BATCH, len(self._visible)))]
        for message in batch:
            message.deliveries += 1
            message.first_at = message.first_at or self.timeline.now
            self._hide(message, VISIBILITY_TIMEOUT)
        self.deliveries += len(batch)
        return batch

    def delete(self, handles: Collection[str]) -> None:
        """Delete messages that are done."""
        self.requests += bool(handles)
        for handle in handles:
            del self._by_handle[handle]

    def set_delays(self, seconds: Mapping[str, float]) -> None:
        """Change when messages are visible again; SQS knows only whole seconds."""
        self.requests += 1
        for handle, delay in seconds.items():
            self._hide(self._by_handle[handle], max(0, round(delay)))

    def send_dead_letter(self, _body: str) -> None:
        """Count it."""
        self.dead_letters += 1

    def _take_any(self) -> Message:
        place = self.random.randrange(len(self._visible))
        self._visible[place], self._visible[-1] = self._visible[-1], self._visible[place]
        return self._visible.pop()

    def _hide(self, message: Message, seconds: float) -> None:
        message.hidden = next(self._numbers)
        heapq.heappush(self._hidden, (self.timeline.now + seconds, message.hidden, message))


def _timestamp(seconds: float) -> str:
    return str(int(1000 * (START.timestamp() + seconds)))
