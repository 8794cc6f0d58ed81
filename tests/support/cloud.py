"""A deployed stack on a virtual clock: the template's rules, queues, schedules and alarms around the shipped handlers.

It knows only what the template says, and stands still between minutes. Lightsail is the emulator. What AWS retries, it
retries, with the template's settings: deliveries of a queue, and invocations that failed. Somebody can break parts of
it: see the sets of `Cloud`.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from itertools import count
from types import ModuleType
from typing import Any, Protocol, TypeVar
from unittest.mock import patch
from zoneinfo import ZoneInfo

from moto.events.models import EventPattern

import tests.support.environment  # noqa: F401 - the functions read it when they are imported

# isort: split
from lightsail_snapshots import audit, prune
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.aws.request_queue import RequestQueue
from lightsail_snapshots.aws.topic import Topic
from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.observability import logger
from lightsail_snapshots.reconciler import Reconciler
from lightsail_snapshots_plans.schedule_expression import parse_schedule
from local.lightsail.emulator import Emulator
from tests.support.cloudwatch import Alarm, Metrics
from tests.support.direct_lightsail import direct_lightsail
from tests.support.fake_aws import Context

MINUTE = timedelta(minutes=1)
ACTIVE_FOR = timedelta(hours=6)
"""How long a queue without traffic reports metrics: SQS developer guide, "Available CloudWatch metrics"."""
RETRIES_AFTER = (timedelta(minutes=1), timedelta(minutes=2))
"""Of an asynchronous invocation: Lambda developer guide, "How Lambda handles errors"."""


class Template(Protocol):
    """The synthesized template, with every reference resolved."""

    def of_type(self, resource_type: str) -> dict[str, dict[str, Any]]:
        """Return the properties of all resources of a type, by logical id."""


@dataclass(frozen=True)
class Said:
    """Something that left AWS: a message to people, or a call of the heartbeat's address."""

    at: datetime
    kind: str
    """`message`, `alarm`, `ok` or `heartbeat`."""
    subject: str
    text: str = ""


@dataclass
class Message:
    """One message of a queue."""

    id: str
    body: str
    sent_at: datetime
    visible_at: datetime
    first_at: datetime | None = None
    count: int = 0

    def as_record(self, queue: str) -> dict[str, Any]:
        times = {"SentTimestamp": self.sent_at, "ApproximateFirstReceiveTimestamp": self.first_at or self.sent_at}
        attributes = {name: str(int(1000 * at.timestamp())) for name, at in times.items()}
        return {
            "messageId": self.id,
            "receiptHandle": self.id,
            "body": self.body,
            "attributes": {**attributes, "ApproximateReceiveCount": str(self.count)},
            "eventSourceARN": f"arn:aws:sqs:::{queue}",
        }


class CrashError(Exception):
    """What a function raises that somebody broke."""


@dataclass
class Cloud:
    """One stack, from its deployment on."""

    template: Template
    emulator: Emulator
    now: datetime
    said: list[Said] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    """All that was put on the bus."""
    crashing: set[str] = field(default_factory=set)
    """Modules of the functions that crash."""
    idle_queues: set[str] = field(default_factory=set)
    """Modules whose queue nothing receives from."""
    stopped_schedules: set[str] = field(default_factory=set)
    metrics: Metrics = field(default_factory=Metrics)

    alarms: dict[str, Alarm] = field(default_factory=dict)
    """By name."""
    _queues: dict[str, list[Message]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._invocations: list[tuple[datetime, str, Any, int]] = []
        self._ids = count(1)
        self.deploy(self.template)

    def deploy(self, template: Template) -> None:
        """Deploy the stack for other plans: queues keep their messages, and alarms that stay keep their states."""
        self.template = template
        made = {each["AlarmName"]: Alarm(each) for each in template.of_type("AWS::CloudWatch::Alarm").values()}
        for name, alarm in made.items():
            alarm.state = self.alarms[name].state if name in self.alarms else alarm.state
        self.alarms = made
        self.recipients = [each["Endpoint"] for each in self.template.of_type("AWS::SNS::Subscription").values()]
        functions = self.template.of_type("AWS::Lambda::Function").items()
        self._functions = {name: _module(each) for name, each in functions}
        self._rules = list(self.template.of_type("AWS::Events::Rule").values())
        self._queue_settings = self.template.of_type("AWS::SQS::Queue")
        self._queues = {name: self._queues.get(name, []) for name in self._queue_settings}
        self._schedules = list(self.template.of_type("AWS::Scheduler::Schedule").values())
        self._mappings = list(self.template.of_type("AWS::Lambda::EventSourceMapping").values())
        invoked = self.template.of_type("AWS::Lambda::EventInvokeConfig").values()
        self._retries = {each["FunctionName"]: each for each in invoked}

    # What happens

    def put(self, detail_type: str, detail: Mapping[str, Any], source: str = "my.shell") -> None:
        """Put an event on the bus, and bring it to the targets of the rules that match."""
        event = {
            "version": "0",
            "id": f"00000000-0000-0000-0000-{next(self._ids):012}",
            "detail-type": detail_type,
            "source": source,
            "account": "123456789012",
            "time": format_utc(self.now),
            "region": "eu-central-1",
            "resources": [],
            "detail": json.loads(json.dumps(detail)),
        }
        self.events.append(event)
        for rule in self._rules:
            pattern = rule["EventPattern"]
            if "EventBusName" in rule and EventPattern(None, pattern).matches_event(event):  # type: ignore[arg-type]  # an event is JSON
                for target in rule["Targets"]:
                    self._send(target, event)

    def put_entries(self, entries: Sequence[Mapping[str, Any]]) -> None:
        for entry in entries:
            self.put(entry["DetailType"], json.loads(entry["Detail"]), entry["Source"])

    def send(self, function: str, body: str) -> None:
        """Send a message to the queue of a function."""
        [queue] = [each["EventSourceArn"] for each in self._mappings if self._name(each["FunctionName"]) == function]
        self.enqueue(queue.rpartition(":")[2], body)

    def run(self, length: timedelta) -> None:
        """Let time pass."""
        end = self.now + length
        while self.now < end:
            self.now += MINUTE
            self.emulator.clock.advance(60)
            self._run_schedules()
            self._run_invocations()
            self._run_queues()
            if self.now.minute % 5 == 0:
                self._measure_queues()
                self._evaluate_alarms()

    def said_since(self, start: datetime) -> list[Said]:
        return [each for each in self.said if each.at > start]

    def _send(self, target: Mapping[str, Any], event: dict[str, Any]) -> None:
        body = _transformed(target.get("InputTransformer"), event)
        name = target["Arn"].rpartition(":")[2]
        if name in self._queues:
            self.enqueue(name, body)
        elif name in self._functions:
            self._invocations.append((self.now, name, json.loads(body), 1))
        else:
            self.say("heartbeat", body)

    def say(self, kind: str, subject: str, text: str = "") -> None:
        self.said.append(Said(self.now, kind, subject, text))

    def _name(self, function: str) -> str:
        return self._functions[function].__name__.rpartition(".")[2]

    # Schedules, functions, queues

    def _run_schedules(self) -> None:
        for schedule in self._schedules:
            if schedule["Name"] not in self.stopped_schedules and self._is_due(schedule):
                what, target = schedule["Target"]["EventBridgeParameters"], schedule["Target"]["Input"]
                detail = json.loads(target.replace("<aws.scheduler.scheduled-time>", format_utc(self.now)))
                self.put(what["DetailType"], detail, what["Source"])

    def _is_due(self, schedule: Mapping[str, Any]) -> bool:
        parsed = parse_schedule(schedule["ScheduleExpression"])
        local = self.now.astimezone(ZoneInfo(schedule["ScheduleExpressionTimezone"]))
        return (
            parsed.days is not None and 60 * local.hour + local.minute in parsed.times and local.date() in parsed.days
        )

    def _run_invocations(self) -> None:
        """Run the asynchronous invocations that are due, also those that follow from one of them."""
        while due := [each for each in self._invocations if each[0] <= self.now]:
            self._invocations = [each for each in self._invocations if each[0] > self.now]
            for _, name, event, attempt in due:
                try:
                    self._invoke(name, event)
                except Exception:  # noqa: BLE001 - Lambda retries after any error of a handler
                    self._retry(name, event, attempt)

    def _retry(self, name: str, event: Any, attempt: int) -> None:
        invoke = self._retries[name]
        if attempt <= invoke["MaximumRetryAttempts"]:
            self._invocations.append((self.now + RETRIES_AFTER[attempt - 1], name, event, attempt + 1))
        else:
            failed = invoke["DestinationConfig"]["OnFailure"]["Destination"].rpartition(":")[2]
            self.enqueue(failed, json.dumps({"requestPayload": event}))

    def _invoke(self, name: str, event: Any) -> Any:
        module = self._functions[name]
        dimensions = frozenset({("FunctionName", name)})
        printed = io.StringIO()
        try:
            with redirect_stdout(printed):
                handler = _crash if self._name(name) in self.crashing else module.handler
                answer = handler(event, self._context(name))
        except Exception:
            self.metrics.add(("AWS/Lambda", "Errors", dimensions), 1, self.now)
            raise
        finally:
            self._read_metrics(printed.getvalue())
        self.metrics.add(("AWS/Lambda", "Errors", dimensions), 0, self.now)
        return answer

    def _context(self, _name: str) -> Context:
        return Context(900)

    def _read_metrics(self, printed: str) -> None:
        for line in printed.splitlines():
            values = json.loads(line)
            for directive in values["_aws"]["CloudWatchMetrics"]:
                for names in directive["Dimensions"]:
                    dimensions = frozenset((name, values[name]) for name in names)
                    for metric in directive["Metrics"]:
                        found = values[metric["Name"]]
                        for value in found if isinstance(found, list) else [found]:
                            self.metrics.add((directive["Namespace"], metric["Name"], dimensions), value, self.now)

    def enqueue(self, queue: str, body: str) -> None:
        self._queues[queue].append(Message(f"message-{next(self._ids)}", body, self.now, self.now))
        self._count(queue, "NumberOfMessagesSent", 1)

    def _run_queues(self) -> None:
        for mapping in self._mappings:
            queue = mapping["EventSourceArn"].rpartition(":")[2]
            name = mapping["FunctionName"]
            if self._name(name) in self.idle_queues:
                continue
            visible = [each for each in self._queues[queue] if each.visible_at <= self.now]
            for start in range(0, len(visible), mapping["BatchSize"]):
                self._deliver(queue, name, visible[start : start + mapping["BatchSize"]])
            self._run_invocations()

    def _deliver(self, queue: str, function: str, batch: list[Message]) -> None:
        properties = self._queue_settings[queue]
        for message in batch:
            message.count += 1
            message.first_at = message.first_at or self.now
            message.visible_at = self.now + timedelta(seconds=properties["VisibilityTimeout"])
        self._count(queue, "NumberOfMessagesReceived", len(batch))
        try:
            answer = self._invoke(function, {"Records": [message.as_record(queue) for message in batch]})
            unfinished = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        except Exception:  # noqa: BLE001 - SQS delivers the batch again after any error
            unfinished = {message.id for message in batch}
        redrive = properties["RedrivePolicy"]
        for message in batch:
            if message.id not in unfinished:
                self._queues[queue].remove(message)
            elif message.count >= redrive["maxReceiveCount"]:
                self._queues[queue].remove(message)
                self.enqueue(redrive["deadLetterTargetArn"].rpartition(":")[2], message.body)

    def set_delays(self, seconds: Mapping[str, float]) -> None:
        for queue in self._queues.values():
            for message in queue:
                if message.id in seconds:
                    message.visible_at = self.now + timedelta(seconds=seconds[message.id])

    # Monitoring

    def _count(self, queue: str, metric: str, value: float) -> None:
        self.metrics.add(("AWS/SQS", metric, frozenset({("QueueName", queue)})), value, self.now)

    def _measure_queues(self) -> None:
        for queue, messages in self._queues.items():
            dimensions = frozenset({("QueueName", queue)})
            is_active = self.metrics.has_any_since(
                ("AWS/SQS", "NumberOfMessagesSent", dimensions), self.now - ACTIVE_FOR
            )
            if messages or is_active:
                visible = sum(each.visible_at <= self.now for each in messages)
                self._count(queue, "ApproximateNumberOfMessagesVisible", visible)

    def _evaluate_alarms(self) -> None:
        for alarm in self.alarms.values():
            if alarm.evaluate(self.metrics, self.now) and alarm.state != "INSUFFICIENT_DATA":
                kind = "alarm" if alarm.state == "ALARM" else "ok"
                self.say(kind, alarm.name, alarm.definition["AlarmDescription"])

    def is_calm(self, name: str) -> bool:
        """Tell whether an alarm exists and is not in the ALARM state."""
        return name in self.alarms and self.alarms[name].state != "ALARM"


def _crash(*_: object) -> Any:
    raise CrashError


def _module(function: Mapping[str, Any]) -> ModuleType:
    return import_module(function["Handler"].removesuffix(".handler"))


def _transformed(transformer: Mapping[str, Any] | None, event: dict[str, Any]) -> str:
    """Return what a target gets of an event."""
    whole = json.dumps(event)
    if transformer is None:
        return whole
    text: str = transformer["InputTemplate"].replace("<aws.events.event.json>", whole)
    for name, path in transformer.get("InputPathsMap", {}).items():
        value: Any = event
        for key in path.removeprefix("$.").split("."):
            value = value.get(key, "") if isinstance(value, dict) else ""
        text = text.replace(f"<{name}>", value if isinstance(value, str) else json.dumps(value))
    return text


C = TypeVar("C", bound=Cloud)


@contextmanager
def deployed(template: Template, start: datetime) -> Iterator[Cloud]:
    """Deploy a stack into an empty account at a time of day that is a whole hour."""
    with deployed_as(Cloud, template, start) as cloud:
        yield cloud


@contextmanager
def deployed_as(make: type[C], template: Template, start: datetime) -> Iterator[C]:
    """Deploy a stack into an empty account, as a cloud of this kind."""
    emulator = Emulator()
    emulator.clock.speed = 0
    emulator.clock.set(start)
    cloud = make(template, emulator, start)
    with ExitStack() as stack:
        stack.enter_context(direct_lightsail(emulator))
        lines: Any = logger.registered_handler
        stack.callback(lines.setStream, lines.setStream(io.StringIO()))
        for replacement in _replacements(cloud):
            stack.enter_context(replacement)
        yield cloud


def _replacements(cloud: Cloud) -> Iterator[Any]:
    """Replace what the functions have of AWS: settings, clock, bus, topic, queues, alarms."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]  # a plain datetime is enough
            return cloud.now.astimezone(tz)

    for function in cloud.template.of_type("AWS::Lambda::Function").values():
        module = _module(function)
        environment = {**function["Environment"]["Variables"], "AWS_REGION": "eu-central-1"}
        settings = type(module.settings).from_environment(environment)
        yield patch.object(module, "settings", settings)
        if "queue" in vars(module):
            queue = RequestQueue(settings.queue_url, settings.dead_letter_queue_url, settings.region)
            yield patch.object(module, "queue", queue)
        if "datetime" in vars(module):
            yield patch.object(module, "datetime", Clock)
    yield patch("lightsail_snapshots.prune.read_own_log", lambda *_: iter(()))
    yield patch("time.sleep")  # fan_out waits before it retries a page
    yield patch.object(Reconciler, "now", lambda _: cloud.now)
    yield patch("random.uniform", lambda _, longest: longest)  # else each run would differ by the jitter of retries
    yield patch.object(EventBus, "_put", lambda _, entries: cloud.put_entries(entries))
    yield patch.object(RequestQueue, "set_delays", lambda _, seconds: cloud.set_delays(seconds))
    yield patch.object(RequestQueue, "send_dead_letter", lambda each, body: cloud.enqueue(each._dead_letter_url, body))
    yield patch.object(Topic, "publish", lambda _, subject, text: cloud.say("message", subject, text))
    yield patch.object(prune, "read_own_log", lambda *_: iter(()))  # nothing here is killed halfway
    yield patch.object(audit, "alarms_not_in_alarm", lambda names, _: {each for each in names if cloud.is_calm(each)})
