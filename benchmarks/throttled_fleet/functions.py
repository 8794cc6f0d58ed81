"""A model of Lambda: starts five functions for a queue, then five more each second, up to the maximum."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from benchmarks.throttled_fleet.queue import QueueModel
from benchmarks.throttled_fleet.timeline import Timeline
from lightsail_snapshots import create
from lightsail_snapshots.aws.lightsail import Lightsail
from lightsail_snapshots_plans.models import DEFAULT_CONCURRENCY

FUNCTIONS_AT_FIRST = FUNCTIONS_PER_SECOND = 5
COLD_SECONDS, INVOKE_SECONDS, OWN_SECONDS = 0.7, 0.02, 0.02
"""A cold start, what passes before a warm function runs, and what its own code takes for a batch."""
MAX_DAYS = 4
"""After these, a simulation ends, even if requests are left."""


class Context:
    """The context of an invocation."""

    function_name, memory_limit_in_mb, aws_request_id = "function", 512, "invocation"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"

    def __init__(self, timeline: Timeline, seconds: float) -> None:
        self._timeline, self._end = timeline, timeline.now + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the invocation."""
        return int(1000 * (self._end - self._timeline.now))


@dataclass
class FunctionsModel:
    """The functions of `create`. Each has a Lightsail client, and so a pace, of its own."""

    timeline: Timeline
    random: Random
    queue: QueueModel
    make_region: Callable[[], Lightsail]
    local: threading.local = field(default_factory=threading.local)
    """Has the `region` of the function that runs in this thread."""
    invocations: int = 0
    seconds: float = 0.0
    """Billed ones."""
    _idle: list[Lightsail] = field(default_factory=list)
    _started: int = 0

    def poll(self) -> None:
        """Start functions for the messages that are visible, until no message is left."""
        first_at: float | None = None
        while (first_at is None or self.queue) and self.timeline.now < MAX_DAYS * 86_400:
            now = self.timeline.now
            has_visible = self.queue.has_visible()
            if has_visible and first_at is None:
                first_at = now
            most = FUNCTIONS_AT_FIRST + FUNCTIONS_PER_SECOND * (now - (now if first_at is None else first_at))
            while self.queue.has_visible() and (self._idle or self._started < min(DEFAULT_CONCURRENCY, int(most))):
                self._invoke()
            is_behind = self.queue.has_visible()
            self.timeline.wait(0.1 if is_behind else max(0.1, min(1.0, self.queue.next_due() - now)))

    def _invoke(self) -> None:
        batch = self.queue.receive()
        is_cold = not self._idle
        region = self.make_region() if is_cold else self._idle.pop(self.random.randrange(len(self._idle)))
        self._started += is_cold
        self.invocations += 1

        def run() -> None:
            began = self.timeline.now
            self.local.region = region
            context: Any = Context(self.timeline, 30)
            answer = create.handler({"Records": [message.record() for message in batch]}, context)
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            self.timeline.wait(OWN_SECONDS)
            self.seconds += self.timeline.now - began
            self.queue.delete([message.handle for message in batch if message.handle not in failed])
            self._idle.append(region)

        self.timeline.start(run, COLD_SECONDS if is_cold else INVOKE_SECONDS)
