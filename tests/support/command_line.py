"""Runs commands of `lightsail-snapshots` against the fake AWS."""

import io
import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

import tests.support.environment  # noqa: F401 - the functions read it when they are imported

# isort: split
from lightsail_snapshots import audit, drill, prune
from lightsail_snapshots.aws.errors import NotFoundError
from lightsail_snapshots.events import AUDIT_REQUESTED, FLEET_SNAPSHOT_REQUESTED, PRUNE_REQUESTED
from lightsail_snapshots.naming import format_utc, our_tags
from lightsail_snapshots_cli.deployment import VERSION_VARIABLE, Resource
from lightsail_snapshots_cli.main import MODULES, main
from local.lightsail.emulator import DEFAULT_ACCOUNT
from local.lightsail.resources import Instance, InstanceSnapshot
from tests.support.events import message
from tests.support.fake_aws import Context, FakeAws, client, make_instance

PLANS: list[dict[str, Any]] = [
    {
        "name": "daily",
        "schedule": "rate(1 day)",
        "select": {"tags": {"backup": "daily"}},
        "regions": ["us-east-1", "eu-central-1"],
        "keep": {"last": 2},
        "maxAge": "PT26H",
        "copyTo": ["eu-west-1"],
    }
]


CAPABILITIES = ("Create", "Copy", "FanOut", "Prune", "Audit")
QUEUES = (
    "CreateQueue",
    "CreateDeadLetterQueue",
    "CopyQueue",
    "CopyDeadLetterQueue",
    "CopyUndeliveredQueue",
    "FanOutFailures",
    "PruneFailures",
    "AuditFailures",
    "SchedulesDeadLetterQueue",
    "OtherUndelivered",
)

PROVEN_PLANS = [{**PLANS[0], "drill": {"schedule": "cron(0 5 ? * SUN *)", "maxAge": "P35D"}}]
"""The same plan, with restore drills."""

_RULE = Resource("AWS::Events::Rule", "CreateRule", "lightsail-snapshots|CreateRule-of-the-stack")


@dataclass
class CommandLine:
    """Commands, the account that they are run in, and its deployment."""

    aws: FakeAws
    plans: list[dict[str, Any]] = field(default_factory=lambda: PLANS)
    is_deployed: bool = True
    deployed_version: str = version("lightsail-snapshots")
    while_waiting: Callable[[], None] | None = None
    """What happens when a command waits; None: the functions run, and a minute passes."""
    invoked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """The functions that `replay` has invoked, each with its event."""
    audit_detail: dict[str, Any] = field(default_factory=dict)
    """What else the schedule of the audit puts on the bus."""
    _has_terminal: bool = False
    _seconds: float = 0
    _put: list[dict[str, Any]] = field(default_factory=list)
    _drills: list[tuple[dict[str, Any], datetime, int]] = field(default_factory=list)
    """Requests for drills that are not done, each with its first delivery, and how many there were."""
    _drill_lines: list[dict[str, Any]] = field(default_factory=list)

    def run(self, *arguments: str, answer: str | None = None) -> Result:
        """Run a command; `answer` is what a person at a terminal types."""
        self._has_terminal = answer is not None
        return CliRunner().invoke(main, arguments, input=answer, prog_name="lightsail-snapshots")

    def names(self) -> set[str]:
        """Return the names of all commands."""
        return set(MODULES)

    def instance(self, name: str, region: str = "us-east-1", **tags: str) -> Instance:
        """Make an instance."""
        make_instance(name, region, dict(tags))
        return self.find(name, region)

    def find(self, name: str, region: str = "us-east-1") -> Instance:
        return next(each for each in self.aws.emulator.region(region).resources_of_type(Instance) if each.name == name)

    def snapshot(self, instance: Instance, age: timedelta, name: str, where: str = "us-east-1", **tags: str) -> str:
        """Put a snapshot of ours into the account, as old as this; return its name."""
        keep = None if "expires-at" in tags else "last=2"
        ours = our_tags(name, instance.name, plan="daily", keep=keep)
        return self.snapshot_of_others(instance, age, name, where, tags={**ours, **tags})

    def snapshot_of_others(
        self,
        instance: Instance,
        age: timedelta,
        name: str,
        where: str = "us-east-1",
        **changes: Any,
    ) -> str:
        """Put a snapshot without our tags into the account; `changes` has fields of it, such as `tags`."""
        taken_at = current_time() - age
        fields: dict[str, Any] = {
            "name": name,
            "region": where,
            "account": DEFAULT_ACCOUNT,
            "created_at": taken_at,
            "finishes_at": taken_at,
            "from_instance": instance.name,
            "from_instance_arn": instance.arn,
            "from_blueprint": "wordpress",
            "from_bundle": "nano_3_0",
            "tags": {},
        }
        return self.aws.emulator.region(where).add(InstanceSnapshot(**fields | changes)).name

    def copy(self, instance: Instance, age: timedelta, name: str, where: str = "eu-west-1") -> str:
        """Put a copy of the snapshot of this name and age into another Region."""
        source = f"{instance.region} {format_utc(current_time() - age)} {instance.arn}"
        return self.snapshot(instance, age, name, where, **{"copy-of": source})

    def requests(self) -> list[dict[str, Any]]:
        """Return the events on the bus since the last call."""
        self._put += self.aws.events()
        found, self._put = self._put, []
        return found

    def replacements(self) -> Mapping[str, Any]:
        """Return what stands for the deployment and for the clock, by name in the command line's package."""
        return {
            "deployment._resources": self._resources,
            "deployment._variables": lambda *_: {
                "SNAPSHOT_REGIONS": "us-east-1,eu-central-1",
                "COPY_REGIONS": "eu-west-1",
                VERSION_VARIABLE: self.deployed_version,
            },
            "deployment.read_schedule": self._schedule,
            "invocation._call": self._call,
            "replay.start": lambda _, function, event: self.invoked.append((function, json.loads(event))),
            "dead_letters.read_schedule": self._schedule,
            "queues._WAIT_SECONDS": 0,
            "logs._events": self._log_events,
            "clock.monotonic": lambda: self._seconds,
            "clock.sleep": self._sleep,
            "clock.now": current_time,
            "terminal.can_ask": lambda: self._has_terminal,
        }

    def _resources(self, _: str) -> list[Resource]:
        if not self.is_deployed:
            raise NotFoundError("ValidationError: Stack with id LightsailSnapshots does not exist (ListStackResources)")
        has_drills = any("drill" in plan for plan in self.plans)
        names = (*CAPABILITIES, *(["Drill"] if has_drills else []))
        functions = [Resource("AWS::Lambda::Function", f"{name}Function", name.lower()) for name in names]
        of_drills = ("DrillQueue", "DrillDeadLetterQueue") if has_drills else ()
        queues = [Resource("AWS::SQS::Queue", name, self.queue(name)) for name in (*QUEUES, *of_drills)]
        logs = {"CreateLogs": "all", **({"DrillLogs": "drill"} if has_drills else {})}
        return [*functions, *queues, *(Resource("AWS::Logs::LogGroup", *each) for each in logs.items()), _RULE]

    def _schedule(self, _: str, name: str) -> tuple[str, dict[str, Any]]:
        """Return what a schedule puts on the bus."""
        if name == "plan-daily":
            return FLEET_SNAPSHOT_REQUESTED, {"plan": "daily", "select": {"tags": {"backup": "daily"}}}
        if name == "audit":
            return AUDIT_REQUESTED, {"plans": self.plans, "every": "PT1H", **self.audit_detail}
        if name == "prune":
            return PRUNE_REQUESTED, {"plans": self.plans}
        text = f"Schedule {name} does not exist."
        raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": text}}, "GetSchedule")

    def queue(self, name: str) -> str:
        """Return the URL of a queue of the stack."""
        return str(client("sqs").create_queue(QueueName=name)["QueueUrl"])

    def messages(self, queue: str) -> list[Any]:
        """Receive what is in a queue, as JSON."""
        answer = client("sqs").receive_message(QueueUrl=self.queue(queue), MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def send(self, queue: str, body: Any, **attributes: str) -> None:
        """Put a message into a queue, with these message attributes."""
        client("sqs").send_message(
            QueueUrl=self.queue(queue),
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageAttributes={key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()},
        )

    def _log_events(self, _: Any, group: str, text: str, since: datetime) -> list[tuple[datetime, dict[str, Any]]]:
        """Return what the functions have logged in this process."""
        others = [line for line in self.aws.logs() if line not in self._drill_lines]
        of_group = self._drill_lines if group == "drill" else others
        lines = [line for line in of_group if text in json.dumps(line)]
        found = [(datetime.fromisoformat(line["timestamp"]), line) for line in lines]
        return [(time, line) for time, line in found if time >= since]

    def _call(self, _: str, function: str, event: dict[str, Any]) -> dict[str, Any]:
        handler: Any = {"prune": prune.handler, "audit": audit.handler}[function]
        with redirect_stdout(io.StringIO()):  # the metrics
            return dict(json.loads(json.dumps(handler(event, Context(900)))))

    def _sleep(self, seconds: float) -> None:
        self._seconds += seconds
        if self.while_waiting:
            return self.while_waiting()
        found = self.aws.events()
        self._put += found
        for event in found:
            if event["detail-type"] == "Instance Snapshot Requested":
                with redirect_stdout(io.StringIO()):
                    self.aws.request(event)
        self._run_drills()
        return self.aws.emulator.clock.advance(60)

    def _run_drills(self) -> None:
        """Deliver what is in the queue of `drill`."""
        if not self.is_deployed or not any("drill" in plan for plan in self.plans):
            return
        sqs, url = client("sqs"), self.queue("DrillQueue")
        for received in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
            self._drills.append((json.loads(received["Body"]), self.aws.emulator.clock.now(), 0))
        seen = len(self.aws.logs())
        left = []
        for event, first_at, count in self._drills:
            record = message(event, count + 1, first_at=first_at)
            with redirect_stdout(io.StringIO()):
                if drill.handler({"Records": [record]}, Context())["batchItemFailures"]:
                    left.append((event, first_at, count + 1))
        self._drills = left
        self._drill_lines += self.aws.logs()[seen:]


def current_time() -> datetime:
    """Return the beginning of this second: a copy's tag has whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
