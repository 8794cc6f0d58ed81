"""One fleet: its plan runs once, and `create` works until every request is done."""

import io
import random
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import benchmarks.environment  # noqa: F401 - the functions read it when they are imported

# isort: split
from benchmarks.throttled_fleet.functions import Context, FunctionsModel
from benchmarks.throttled_fleet.lightsail import CALL_SECONDS, PAGE, START, LightsailModel
from benchmarks.throttled_fleet.queue import BATCH, QueueModel
from benchmarks.throttled_fleet.timeline import Timeline
from benchmarks.throttled_fleet.usage import Usage
from lightsail_snapshots import fan_out
from lightsail_snapshots.aws import SINGLE_ATTEMPT
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.aws.lightsail import Lightsail
from lightsail_snapshots.aws.request_queue import RequestQueue
from lightsail_snapshots.events import INSTANCE_SNAPSHOT_AVAILABLE, INSTANCE_SNAPSHOT_REQUESTED
from lightsail_snapshots.events.instance_snapshot_requested import SnapshotRequest, parse_request
from lightsail_snapshots.observability import logger
from lightsail_snapshots.pace import Pace
from lightsail_snapshots.reconciler import Reconciler

PUT_SECONDS = 0.03
USD_WITHOUT_THROTTLING = 4.1e-6
"""For each snapshot, if Lightsail throttles nothing: two deliveries, ten in a batch."""


@dataclass(frozen=True)
class Result:
    """What became of a fleet."""

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
    """The others, for each snapshot."""
    deliveries: float
    """Of each request."""
    finished: float
    """Seconds until the last message was done."""
    usage: Usage

    @property
    def extra_usd(self) -> float:
        """What retries cost for each snapshot."""
        return self.usage.usd / self.instances - USD_WITHOUT_THROTTLING


class Simulation:
    """A Lightsail, a queue and functions on one clock."""

    def __init__(self, lightsail: Callable[[Timeline, random.Random], LightsailModel], seed: int) -> None:
        self.timeline = Timeline()
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.lightsail = lightsail(self.timeline, self.random)
        self.queue = QueueModel(self.timeline, self.random)
        self.functions = FunctionsModel(self.timeline, self.random, self.queue, self.make_region, threading.local())
        self.requested: Counter[str] = Counter()
        """By name of the instance."""
        self.outcomes: Counter[str] = Counter()
        """By detail-type."""
        self.announced_at = 0.0
        """When the last outcome was put."""
        self.log_lines = 0
        self.is_quick = True
        """Whether the SDK makes no HTTP requests, and each message is parsed once instead of at each delivery."""

    def make_region(self) -> Lightsail:
        """Make the Lightsail of one function."""
        made = Lightsail("us-east-1", SINGLE_ATTEMPT)
        made.pace = Pace(lambda: self.timeline.now)
        answer = self.lightsail.answer_directly if self.is_quick else self.lightsail.answer_requests
        answer(made.client)
        return made

    def put_all(self, detail_type: str, details: list[Mapping[str, Any]]) -> None:
        """Put the requests of `fan_out`, ten in a call."""
        for number, detail in enumerate(details):
            if number % BATCH == 0:
                self.timeline.wait(PUT_SECONDS)
            self.requested[detail["instanceName"]] += 1
            self.queue.send(detail_type, detail, "lightsail-snapshots")

    def put(self, detail_type: str, _detail: Mapping[str, Any], _resources: object = ()) -> None:
        """Put an outcome of `create`."""
        self.timeline.wait(PUT_SECONDS)
        self.outcomes[detail_type] += 1
        self.announced_at = self.timeline.now

    def run_plan(self) -> None:
        """Run the plan once."""
        self.functions.local.region = self.make_region()
        event = {
            "id": "fleet",
            "time": START.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "source": "lightsail-snapshots",
            "detail-type": "Fleet Snapshot Requested",
            "detail": {"plan": "daily", "select": {"all": True}, "keep": {"last": 7}},
        }
        context: Any = Context(self.timeline, 900)
        fan_out.handler(event, context)

    def request_one(self) -> None:
        """Request a snapshot as a person does."""
        self.queue.send(INSTANCE_SNAPSHOT_REQUESTED, {"instanceName": "web-0"}, "my-shell")

    def run(self, first: Callable[[], None]) -> None:
        """Run a task, and then functions until every message is done."""
        self.timeline.start(first)
        self.timeline.start(self.functions.poll)
        with self._patched():
            self.timeline.run()

    @property
    def usage(self) -> Usage:
        """What AWS bills."""
        seconds = self.functions.seconds * Context.memory_limit_in_mb / 1024
        return Usage(self.queue.requests, self.functions.invocations, seconds, self.log_lines)

    def _count_line(self, _text: str, **_fields: object) -> None:
        self.log_lines += 1

    @contextmanager
    def _patched(self) -> Iterator[None]:
        def now(_: object) -> datetime:
            return START + timedelta(seconds=self.timeline.now)

        def region(_: str) -> Lightsail:
            found: Lightsail = self.functions.local.region
            return found

        with ExitStack() as stack:
            for module in ("create", "fan_out", "reconciler"):
                stack.enter_context(patch(f"lightsail_snapshots.{module}.single_attempt", region))
            if self.is_quick:
                stack.enter_context(patch("lightsail_snapshots.create.parse_request", _remember(parse_request)))
            stack.enter_context(patch("time.sleep", self.timeline.sleep))
            stack.enter_context(patch.object(Reconciler, "now", now))
            methods: list[tuple[type, Callable[..., None]]] = [
                (EventBus, self.put),
                (EventBus, self.put_all),
                (RequestQueue, self.queue.set_delays),
                (RequestQueue, self.queue.send_dead_letter),
            ]
            for owner, method in methods:
                stack.enter_context(patch.object(owner, method.__name__, staticmethod(method)))
            stack.enter_context(redirect_stdout(io.StringIO()))  # the metrics
            for level in ("info", "warning"):
                stack.enter_context(patch.object(logger, level, self._count_line))
            stack.enter_context(warnings.catch_warnings(action="ignore", category=UserWarning))  # of an empty batch
            yield


def simulate(
    instances: int,
    rate: float,
    *,
    is_one_bucket: bool = True,
    seed: int = 1,
    is_quick: bool = True,
) -> Result:
    """Run a plan of so many instances once, until every message is done."""
    burst = 2 * rate

    def lightsail(timeline: Timeline, chance: random.Random) -> LightsailModel:
        return LightsailModel(timeline, chance, instances, rate, burst, is_one_bucket)

    simulation = Simulation(lightsail, seed)
    simulation.is_quick = is_quick
    random.seed(seed)
    simulation.run(simulation.run_plan)
    snapshots = simulation.lightsail.made.values()
    made = {snapshot.instance for snapshot in snapshots}
    requested = simulation.requested
    announced = simulation.outcomes[INSTANCE_SNAPSHOT_AVAILABLE]
    return Result(
        instances=instances,
        rate=rate,
        is_one_bucket=is_one_bucket,
        lost=instances - min(len(made), announced, len(requested)) + simulation.queue.dead_letters,
        doubled=sum(times > 1 for times in requested.values()) + len(snapshots) - len(made),
        last_made=max((snapshot.at for snapshot in snapshots), default=0),
        ideal=_ideal(instances, rate, burst, is_one_bucket=is_one_bucket),
        throttled=simulation.lightsail.throttled / instances,
        calls=sum(simulation.lightsail.calls.values()) / instances,
        deliveries=simulation.queue.deliveries / instances,
        finished=simulation.timeline.now,
        usage=simulation.usage,
    )


def until_available(snapshot_seconds: float, seed: int = 1) -> float:
    """Return the seconds after which a person hears of a snapshot that Lightsail takes so long for."""

    def lightsail(timeline: Timeline, chance: random.Random) -> LightsailModel:
        return LightsailModel(timeline, chance, 1, 1000, 1000, is_one_bucket=True, snapshot_seconds=snapshot_seconds)

    simulation = Simulation(lightsail, seed)
    simulation.run(simulation.request_one)
    if simulation.outcomes != Counter({INSTANCE_SNAPSHOT_AVAILABLE: 1}):
        raise RuntimeError(f"expected one snapshot, got {simulation.outcomes}")
    return simulation.announced_at


def _remember(parse: Callable[..., SnapshotRequest]) -> Callable[..., SnapshotRequest]:
    """Parse each event once: the same one always gives the same request."""
    known: dict[str, SnapshotRequest] = {}

    def parse_once(event: Mapping[str, Any], **settings: object) -> SnapshotRequest:
        if event["id"] not in known:
            known[event["id"]] = parse(event, **settings)
        return known[event["id"]]

    return parse_once


def _ideal(instances: int, rate: float, burst: float, *, is_one_bucket: bool) -> float:
    pages = -(-instances // PAGE)
    listed = max(pages * CALL_SECONDS, (pages - burst) / rate)
    left = min(burst, burst + rate * listed - pages) if is_one_bucket else burst
    return listed + max(0.0, instances - left) / rate
