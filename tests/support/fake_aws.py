"""A fake AWS for the functions: the Lightsail emulator, and a bus whose events a queue receives."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from unittest.mock import patch

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws

import tests.support.environment  # noqa: F401 - the functions read it when they are imported

# isort: split
import local.lightsail.moto as lightsail_door
from lightsail_snapshots import create
from lightsail_snapshots.aws.lightsail import lightsail, single_attempt
from lightsail_snapshots.aws.request_queue import RequestQueue
from lightsail_snapshots.observability import logger
from lightsail_snapshots.pace import Pace
from lightsail_snapshots.reconciler import Reconciler
from local.lightsail.emulator import Emulator
from local.lightsail.faults import ERROR_FAULTS
from tests.support.events import REQUESTED_AT, fits, message

Handler = Callable[[dict[str, Any], LambdaContext], Any]

DEADLINE = create.settings.deadline
RETRYABLE_FAULTS = sorted({*ERROR_FAULTS, "unreachable"} - {"access-denied"})
"""The emulator's faults after which a retry may help."""


@cache
def client(service: str, region: str = "us-east-1") -> Any:
    """Return a client, always the same one: to make one takes longer than most tests."""
    make: Any = _session().client  # the stubs want a literal name
    return make(service, region_name=region)


@cache
def _session() -> boto3.Session:
    return boto3.Session()


class Context(LambdaContext):
    """The context of an invocation."""

    def __init__(self, remaining_seconds: float = 30) -> None:
        self._function_name = "create"
        self._memory_limit_in_mb = 512
        self._invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:create"
        self._aws_request_id = "invocation-1"
        self._remaining = int(1000 * remaining_seconds)

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]  # Powertools declares it static
        """Milliseconds until Lambda ends the invocation."""
        return self._remaining


@dataclass
class FakeAws:
    """Lightsail, the bus and the log, for one function under test."""

    emulator: Emulator
    queue_url: str
    log: io.StringIO
    handler: Handler
    """The handler that messages are delivered to."""
    requested_at: datetime = REQUESTED_AT
    calls: list[str] = field(default_factory=list)
    delays: dict[str, float] = field(default_factory=dict)
    """Seconds until the next delivery, by message, where the function has set one."""
    dead_letters: list[str] = field(default_factory=list)
    """Bodies that the function has put into its dead-letter queue."""

    def deliver(self, *records: dict[str, Any], remaining_seconds: float = 30) -> list[str]:
        """Deliver a batch to the function; return the ids of the messages to retry."""
        answer = self.handler({"Records": list(records)}, Context(remaining_seconds))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def request(self, event: dict[str, Any], attempt: int = 1, first_at: datetime | None = None) -> bool:
        """Deliver one request; return whether it is done. By default it was sent at `requested_at`."""
        return not self.deliver(message(event, attempt, first_at=first_at or self.requested_at))

    def set_delays(self, seconds: Mapping[str, float]) -> None:
        """Record the delays, by message."""
        self.delays |= {handle.removeprefix("handle-of-"): delay for handle, delay in seconds.items()}

    def events(self) -> list[dict[str, Any]]:
        """Receive the events since the last call; check each against its published schema."""
        sqs = client("sqs")
        seen: list[dict[str, Any]] = []
        while messages := sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            for received in messages:
                seen.append(json.loads(received["Body"]))
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=received["ReceiptHandle"])
        assert all(fits(event) for event in seen), seen
        return seen

    def event(self) -> dict[str, Any]:
        """Receive the only event since the last call."""
        [only] = self.events()
        return only

    def snapshots(self, region: str = "us-east-1") -> list[Any]:
        """List all instance snapshots of a Region."""
        found: list[Any] = client("lightsail", region).get_instance_snapshots()["instanceSnapshots"]
        return found

    def logs(self) -> list[dict[str, Any]]:
        """Return the structured log lines so far."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def outcome(aws: FakeAws) -> tuple[str, str, str]:
    """Return detail-type, reason and message of the only event."""
    event = aws.event()
    return event["detail-type"], event["detail"]["reason"], event["detail"]["message"]


def redrive(aws: FakeAws, event: dict[str, Any], after: timedelta) -> bool:
    """Deliver a request as a new message some time later."""
    aws.emulator.clock.advance(after.total_seconds())
    return aws.request(event, first_at=aws.emulator.clock.now())


def make_instance(name: str = "web-1", region: str = "us-east-1", tags: dict[str, str] | None = None) -> None:
    """Make a running instance."""
    client("lightsail", region).create_instances(
        instanceNames=[name],
        availabilityZone=f"{region}a",
        blueprintId="wordpress",
        bundleId="nano_3_0",
        tags=[{"key": key, "value": value} for key, value in (tags or {}).items()],
    )


def emf(printed: str) -> dict[str, list[float]]:
    """Return the metrics in EMF lines by name."""
    found: dict[str, list[float]] = {}
    for line in printed.splitlines():
        values = json.loads(line)
        [directive] = values["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "LightsailSnapshots"
        [dimensions] = directive["Dimensions"]
        assert dimensions == ["service"]
        for metric in directive["Metrics"]:
            assert metric["Unit"] == "Count"
            found.setdefault(metric["Name"], []).extend(values[metric["Name"]])
    return found


@contextmanager
def fake_aws(handler: Handler = create.handler, at: datetime | None = REQUESTED_AT) -> Iterator[FakeAws]:
    """Make an AWS with an instance web-1, and a bus with a rule that sends all events to a queue.

    Lightsail's time is `at`, or the real time if that is None. `create` and `copy` have the same time.
    """
    with mock_aws(), patch("time.sleep"):  # botocore waits between its attempts
        events, sqs = client("events"), client("sqs")
        queue = sqs.create_queue(QueueName="seen")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.create_event_bus(Name="lightsail-snapshots")
        pattern = json.dumps({"source": [{"prefix": ""}]})
        events.put_rule(Name="all", EventBusName="lightsail-snapshots", EventPattern=pattern)
        events.put_targets(Rule="all", EventBusName="lightsail-snapshots", Targets=[{"Id": "seen", "Arn": arn}])
        emulator = lightsail_door.emulator()
        emulator.clock.speed = 0
        emulator.clock.set(at or datetime.now(UTC))
        make_instance(tags={"team": "web"})
        sent_at = REQUESTED_AT if at else emulator.clock.now()
        here = FakeAws(emulator, queue, io.StringIO(), handler, sent_at)
        lines = logger.registered_handler
        before = lines.setStream(here.log)  # type: ignore[attr-defined]  # Powertools' handler is a StreamHandler
        clients = [make(region) for region in create.settings.all_regions for make in (lightsail, single_attempt)]
        for each in clients:
            each.pace = Pace(lambda: emulator.clock.now().timestamp())
            hooks = each.client.meta.events
            hooks.register("before-call", lambda model, **_: here.calls.append(model.name), unique_id="calls")
        try:
            with (
                patch.object(Reconciler, "now", lambda _: emulator.clock.now()),
                patch("lightsail_snapshots.prune.read_own_log", lambda *_: iter(here.logs())),
                patch.object(RequestQueue, "set_delays", lambda _, seconds: here.set_delays(seconds)),
                patch.object(RequestQueue, "send_dead_letter", lambda _, body: here.dead_letters.append(body)),
            ):
                yield here
        finally:
            for each in clients:
                each.client.meta.events.unregister("before-call", unique_id="calls")
            lines.setStream(before)  # type: ignore[attr-defined]
