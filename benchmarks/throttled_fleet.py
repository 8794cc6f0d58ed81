"""What becomes of a fleet while Lightsail throttles, on a virtual clock: `python -m benchmarks.throttled_fleet`.

The handlers of `fan_out` and `create` that ship, their clients included, run against models of the services: Lightsail
has a bucket of calls that refills at some rate, one for all operations or one for each; SQS hides a message for as long
as the function says; Lambda starts with five functions for a queue, and adds five a second up to the maximum. Each
running function is a thread, and has a Lightsail client, and so a pace, of its own. One thread runs at a time: the one
whose next answer comes first. So a run depends on its seed only, and on no machine.
"""

import argparse
import heapq
import io
import json
import random
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from unittest.mock import patch

import benchmarks.environment  # noqa: F401 - the functions read it when they are imported

# isort: split
from botocore.awsrequest import AWSResponse

from lightsail_snapshots import create, fan_out
from lightsail_snapshots.aws import SINGLE_ATTEMPT
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.aws.lightsail import Lightsail
from lightsail_snapshots.aws.request_queue import RequestQueue
from lightsail_snapshots.observability import logger
from lightsail_snapshots.pace import Pace
from lightsail_snapshots.reconciler import Reconciler
from lightsail_snapshots_plans.models import DEFAULT_CONCURRENCY

START = datetime(2026, 11, 23, 3, 15, tzinfo=UTC)
PAGE, BATCH, VISIBILITY_TIMEOUT = 20, 10, 180
CALL_SECONDS, PUT_SECONDS, COLD_SECONDS, DELIVERY_SECONDS = 0.15, 0.03, 0.7, 0.4
SNAPSHOT_SECONDS = 60


@dataclass
class Bucket:
    """Lightsail's allowance of calls."""

    rate: float
    burst: float
    left: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.left = self.burst

    def take(self, now: float) -> bool:
        """Take one call, if there is one."""
        self.left, self.at = min(self.burst, self.left + self.rate * (now - self.at)), now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Timeline:
    """The virtual clock. Each task is a thread; the one that is due first runs."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, threading.Semaphore]] = []
        self._numbers = count()
        self._main = threading.Semaphore(0)

    def wait(self, seconds: float) -> None:
        """Let the others run until then."""
        mine = threading.Semaphore(0)
        heapq.heappush(self._due, (self.now + seconds, next(self._numbers), mine))
        self._main.release()
        mine.acquire()

    def start(self, task: Callable[[], None], after: float = 0.0) -> None:
        """Run a task later."""
        mine = threading.Semaphore(0)

        def run() -> None:
            mine.acquire()
            try:
                task()
            finally:
                self._main.release()

        threading.Thread(target=run, daemon=True).start()
        heapq.heappush(self._due, (self.now + after, next(self._numbers), mine))

    def run(self, is_over: Callable[[], bool]) -> None:
        """Run all tasks until it is over."""
        while self._due and not is_over():
            self.now, _, task = heapq.heappop(self._due)
            task.release()
            self._main.acquire()


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
class Message:
    """A message in the queue."""

    body: str
    sent_at: float
    handle: str
    visible_at: float = 0.0
    deliveries: int = 0
    first_at: float = 0.0

    def record(self) -> dict[str, Any]:
        """Build the record that Lambda gets."""

        def timestamp(seconds: float) -> str:
            return str(int(1000 * (START.timestamp() + seconds)))

        attributes = {
            "ApproximateReceiveCount": str(self.deliveries),
            "ApproximateFirstReceiveTimestamp": timestamp(self.first_at),
            "SentTimestamp": timestamp(self.sent_at),
        }
        return {"messageId": self.handle, "receiptHandle": self.handle, "body": self.body, "attributes": attributes}


class World:
    """Lightsail, the queue and Lambda."""

    def __init__(self, instances: int, rate: float, burst: float, *, is_one_bucket: bool, seed: int) -> None:
        self.timeline = Timeline()
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.instances = instances
        self.rate, self.burst, self.is_one_bucket = rate, burst, is_one_bucket
        self.buckets: dict[str, Bucket] = {}
        self.made: dict[str, tuple[str, float]] = {}
        """Instance and time, by name of the snapshot."""
        self.calls: Counter[str] = Counter()
        self.throttled = 0
        self.requested: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.dead_letters = 0
        self.deliveries = 0
        self.visible: list[Message] = []
        self.hidden: list[tuple[float, int, Message]] = []
        self.by_handle: dict[str, Message] = {}
        self.idle: list[Lightsail] = []
        self.functions = 0
        self.first_message_at: float | None = None
        self.local = threading.local()
        self._numbers = count()

    # Lightsail

    def client(self) -> Lightsail:
        """Make the Lightsail of one function."""
        made = Lightsail("us-east-1", SINGLE_ATTEMPT)
        made.pace = Pace(lambda: self.timeline.now)
        answer: Any = self._answer  # the stubs want handlers without an answer
        made.client.meta.events.register("before-send.lightsail", answer)
        return made

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        bucket = self.buckets.setdefault(
            "all" if self.is_one_bucket else operation, Bucket(self.rate, self.burst, at=self.timeline.now)
        )
        is_taken = bucket.take(self.timeline.now)
        if is_taken:
            self.calls[operation] += 1
            status, answer = getattr(self, f"_{operation}")(json.loads(request.body))
        else:
            self.throttled += 1
            status, answer = 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}
        self.timeline.wait(CALL_SECONDS * self.random.uniform(0.7, 1.3) / (1 if is_taken else 3))
        headers: Any = {}
        return AWSResponse(request.url, status, headers, _Body(json.dumps(answer).encode()))

    def _GetInstances(self, request: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: N802 - the operation's name
        page = int(request.get("pageToken", 0))
        names = [f"web-{number}" for number in range(page * PAGE, min(self.instances, (page + 1) * PAGE))]
        listed = [{"name": name, "arn": f"arn:{name}", "createdAt": 1.7e9, "tags": []} for name in names]
        is_last = (page + 1) * PAGE >= self.instances
        return 200, {"instances": listed} | ({} if is_last else {"nextPageToken": str(page + 1)})

    def _CreateInstanceSnapshot(self, request: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: N802
        name = request["instanceSnapshotName"]
        if name in self.made:
            text = f"Some names are already in use: {name}"
            return 400, {"__type": "InvalidInputException", "message": text, "code": "NameExists"}
        self.made[name] = request["instanceName"], self.timeline.now
        self.tags = request["tags"]
        return 200, {"operations": []}

    def _GetInstanceSnapshot(self, request: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: N802
        name = request["instanceSnapshotName"]
        if name not in self.made:
            return 404, {"__type": "NotFoundException", "message": "It does not exist."}
        instance, at = self.made[name]
        own = {"snapshot-name": name, "snapshot-of": instance}
        tags = [{"key": tag["key"], "value": own.get(tag["key"], tag["value"])} for tag in self.tags]
        snapshot = {
            "name": name,
            "arn": f"arn:snapshot:{name}",
            "state": "available" if self.timeline.now >= at + SNAPSHOT_SECONDS else "pending",
            "createdAt": START.timestamp() + at,
            "fromInstanceName": instance,
            "fromInstanceArn": f"arn:{instance}",
            "tags": tags,
        }
        return 200, {"instanceSnapshot": snapshot}

    # The bus and the queue

    def put_all(self, detail_type: str, details: list[Mapping[str, Any]]) -> None:
        """Put the requests of `fan_out`, ten in a call."""
        for number, detail in enumerate(details):
            if number % BATCH == 0:
                self.timeline.wait(PUT_SECONDS)
            self.requested[detail["instanceName"]] += 1
            event = {
                "id": f"event-{number}",
                "time": (START + timedelta(seconds=self.timeline.now)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "source": "lightsail-snapshots",
                "detail-type": detail_type,
                "detail": detail,
            }
            message = Message(json.dumps(event), self.timeline.now, f"message-{number}")
            self.by_handle[message.handle] = message
            self.hide(message, DELIVERY_SECONDS)

    def put(self, detail_type: str, detail: Mapping[str, Any], _resources: object = ()) -> None:
        """Put an outcome of `create`."""
        self.outcomes[detail_type] += 1
        self.timeline.wait(PUT_SECONDS)
        del detail

    def hide(self, message: Message, seconds: float) -> None:
        """Make a message visible again later."""
        message.visible_at = self.timeline.now + seconds
        heapq.heappush(self.hidden, (message.visible_at, next(self._numbers), message))

    def set_delays(self, seconds: Mapping[str, float]) -> None:
        """Change when messages are visible again."""
        for handle, delay in seconds.items():
            self.hide(self.by_handle[handle], max(0, round(delay)))

    def send_dead_letter(self, _body: str) -> None:
        """Count it."""
        self.dead_letters += 1

    # Lambda

    def poll(self) -> None:
        """Start functions for the messages that are visible, again and again."""
        while True:
            now = self.timeline.now
            while self.hidden and self.hidden[0][0] <= now:
                due, _, message = heapq.heappop(self.hidden)
                if message.visible_at == due and message.handle in self.by_handle:
                    self.visible.append(message)
            if self.visible and self.first_message_at is None:
                self.first_message_at = now
            may_run = min(DEFAULT_CONCURRENCY, 5 + 5 * (now - (self.first_message_at or now)))
            while self.visible and (self.idle or self.functions < int(may_run)):
                self._invoke()
            self.timeline.wait(0.1 if self.visible else max(0.1, min(1.0, self._next_due() - now)))

    def _next_due(self) -> float:
        return self.hidden[0][0] if self.hidden else self.timeline.now + 1

    def _receive(self) -> Message:
        """Take any visible message: a standard queue keeps no order."""
        place = self.random.randrange(len(self.visible))
        self.visible[place], self.visible[-1] = self.visible[-1], self.visible[place]
        return self.visible.pop()

    def _invoke(self) -> None:
        batch = [self._receive() for _ in range(min(BATCH, len(self.visible)))]
        for message in batch:
            message.deliveries += 1
            message.first_at = message.first_at or self.timeline.now
            self.hide(message, VISIBILITY_TIMEOUT)
        self.deliveries += len(batch)
        is_cold = not self.idle
        region = self.client() if is_cold else self.idle.pop(self.random.randrange(len(self.idle)))
        self.functions += is_cold

        def run() -> None:
            self.local.region = region
            context: Any = Context(self.timeline, 30)
            answer = create.handler({"Records": [message.record() for message in batch]}, context)
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            for message in batch:
                if message.handle not in failed:
                    del self.by_handle[message.handle]
            self.timeline.wait(0.02)
            self.idle.append(region)

        self.timeline.start(run, COLD_SECONDS if is_cold else 0.02)

    def is_over(self) -> bool:
        """Tell whether every message is done, or a day has passed."""
        return self.timeline.now > 86_400 or (bool(self.requested) and not self.by_handle)

    def fan_out(self) -> None:
        """Run the plan once."""
        self.local.region = self.client()
        event = {
            "id": "fleet",
            "time": START.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "source": "lightsail-snapshots",
            "detail-type": "Fleet Snapshot Requested",
            "detail": {"plan": "daily", "select": {"all": True}, "keep": {"last": 7}},
        }
        context: Any = Context(self.timeline, 900)
        fan_out.handler(event, context)


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        """Yield it."""
        yield self._content


@dataclass(frozen=True)
class Result:
    """What became of one fleet."""

    instances: int
    rate: float
    is_one_bucket: bool
    lost: int
    """Instances without a request, or whose snapshot was not announced."""
    doubled: int
    """Instances that were requested twice."""
    last_made: float
    """Seconds until the last snapshot was requested from Lightsail."""
    ideal: float
    """Seconds that this takes somebody who knows the rate: page after page, then all the rest at once."""
    throttled: float
    """Throttled calls, for each snapshot."""
    calls: float
    deliveries: float
    finished: float


def simulate(instances: int, rate: float, *, is_one_bucket: bool = True, seed: int = 1, burst: float = 0) -> Result:
    """Run a plan of so many instances once, until every message is done."""
    burst = burst or 2 * rate
    world = World(instances, rate, burst, is_one_bucket=is_one_bucket, seed=seed)
    with _patched(world):
        random.seed(seed)
        world.timeline.start(world.fan_out)
        world.timeline.start(world.poll)
        world.timeline.run(world.is_over)
    made = {instance for instance, _ in world.made.values()}
    announced = world.outcomes["Instance Snapshot Available"]
    return Result(
        instances=instances,
        rate=rate,
        is_one_bucket=is_one_bucket,
        lost=instances - min(len(made), announced, len(world.requested)) + world.dead_letters,
        doubled=sum(times > 1 for times in world.requested.values()) + len(world.made) - len(made),
        last_made=max(at for _, at in world.made.values()),
        ideal=_ideal(instances, rate, burst, is_one_bucket=is_one_bucket),
        throttled=world.throttled / instances,
        calls=sum(world.calls.values()) / instances,
        deliveries=world.deliveries / instances,
        finished=world.timeline.now,
    )


def _ideal(instances: int, rate: float, burst: float, *, is_one_bucket: bool) -> float:
    pages = -(-instances // PAGE)
    listed = max(pages * CALL_SECONDS, (pages - burst) / rate)
    left = min(burst, burst + rate * listed - pages) if is_one_bucket else burst
    return listed + max(0.0, instances - left) / rate


def _call(method: Callable[..., None], *given: object) -> None:
    method(*given)


@contextmanager
def _patched(world: World) -> Iterator[None]:
    def now(_: object) -> datetime:
        return START + timedelta(seconds=world.timeline.now)

    def region(_: str) -> Lightsail:
        found: Lightsail = world.local.region
        return found

    with ExitStack() as stack:
        for module in ("create", "fan_out", "reconciler"):
            stack.enter_context(patch(f"lightsail_snapshots.{module}.single_attempt", region))
        stack.enter_context(patch("time.sleep", world.timeline.wait))
        stack.enter_context(patch.object(Reconciler, "now", now))
        for name in ("put", "put_all"):
            stack.enter_context(patch.object(EventBus, name, staticmethod(partial(_call, getattr(world, name)))))
        for name in ("set_delays", "send_dead_letter"):
            stack.enter_context(patch.object(RequestQueue, name, staticmethod(partial(_call, getattr(world, name)))))
        stack.enter_context(redirect_stdout(io.StringIO()))  # the metrics
        stack.enter_context(patch.object(logger.registered_handler, "emit", lambda _: None))
        stack.enter_context(warnings.catch_warnings(action="ignore", category=UserWarning))  # of an empty batch
        yield


FLEETS = [(1, 1000), *((rate, size) for rate in (3, 5, 20, 100) for size in (100, 1000, 10_000))]


def main() -> int:
    """Print a line for each fleet; return 1 if anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--most", type=int, default=10_000, help="leave out larger fleets")
    parser.add_argument("--rates", type=int, nargs="*", default=[1, 3, 5, 20, 100])
    given = parser.parse_args()
    print(f"{'rate':>5} {'size':>6} buckets  lost doubled  last/ideal  throttled calls deliveries finished")
    is_good = True
    for is_one_bucket in (True, False):
        for rate, size in FLEETS:
            if size > given.most or rate not in given.rates:
                continue
            runs = [simulate(size, rate, is_one_bucket=is_one_bucket, seed=seed) for seed in range(given.seeds)]
            lost, doubled = (max(getattr(run, name) for run in runs) for name in ("lost", "doubled"))
            is_good = is_good and lost == doubled == 0

            def mean(name: str, runs: list[Result] = runs) -> float:
                return sum(float(getattr(run, name)) for run in runs) / len(runs)

            print(
                f"{rate:>5} {size:>6} {'one' if is_one_bucket else 'each':7} {lost:>5} {doubled:>7}"
                f"  {mean('last_made'):>4.0f}/{mean('ideal'):<5.0f}  {mean('throttled'):>9.2f} {mean('calls'):>5.1f}"
                f" {mean('deliveries'):>10.1f} {mean('finished'):>8.0f}",
                flush=True,
            )
    return int(not is_good)


if __name__ == "__main__":
    sys.exit(main())
