"""The stack, deployed in the local AWS: what a test does to it, and what it sees."""

import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from itertools import count
from typing import Any, TypeVar

from lightsail_snapshots_cli.doctor.stack_checks import DETAIL_TYPE as OF_DOCTOR
from local.aws import ACCOUNT, REGION, LocalAws
from local.speed_up import set_variable
from tests.support.events import schema

TIMEOUT_SECONDS = 180
"""A test fails after so many seconds of waiting. It is long, since a busy machine is no reason to fail."""

T = TypeVar("T")


def eventually(look: Callable[[], T | None], what: str) -> T:
    """Look until there is something, and return it; fail after TIMEOUT_SECONDS."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {TIMEOUT_SECONDS} seconds")


def tags_of(snapshot: dict[str, Any]) -> dict[str, str]:
    """Return the tags of a snapshot; a key without a value has the value ''."""
    return {tag["key"]: tag.get("value", "") for tag in snapshot["tags"]}


@dataclass
class Deployment:
    """The deployed stack, and a queue of the tests that receives every outcome on the bus."""

    aws: LocalAws
    resources: Mapping[str, str]
    """Physical ids, as `cdk.resources` returns them."""
    received: list[dict[str, Any]] = field(default_factory=list)
    """The outcome events so far, oldest first."""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    # What a test does

    def instance(self, region: str = REGION, **tags: str) -> str:
        """Make an instance with a name that no other test uses, and return the name."""
        name = f"web-{next(self._numbers)}"
        self.aws.make_instance(name, region, tags)
        return name

    def request(self, *details: Mapping[str, Any]) -> list[str]:
        """Put one request per detail on the bus, in one call, and return the ids of the events."""
        return self.put("Instance Snapshot Requested", *details)

    def put(self, detail_type: str, *details: Mapping[str, Any], source: str = "tests", bus: str = "") -> list[str]:
        """Put one event per detail on a bus, by default ours, in one call; return the ids of the events."""
        entries = [
            {
                "EventBusName": bus or self.resources["Bus"],
                "Source": source,
                "DetailType": detail_type,
                "Detail": json.dumps(detail),
            }
            for detail in details
        ]
        answer = self.aws.client("events").put_events(Entries=entries)
        return [entry["EventId"] for entry in answer["Entries"]]

    def invoke(self, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke a function with a bare event; return its answer, or its error as Lambda reports it."""
        answer = self.aws.client("lambda").invoke(FunctionName=self.resources[function], Payload=json.dumps(event))
        return dict(json.loads(answer["Payload"].read()))

    def deliver(self, *bodies: str) -> list[str]:
        """Send messages to the request queue, as its rule does, in one call; return the ids of the messages."""
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        answer = self.sqs.send_message_batch(QueueUrl=self.resources["CreateQueue"], Entries=entries)
        return [message["MessageId"] for message in answer["Successful"]]

    def fault(
        self, fault: str, name: str, operation: str = "CreateInstanceSnapshot", times: int = 1, **more: str
    ) -> None:
        """Let the next calls of this operation with this name fail. `more` has other fields, such as `region`."""
        about = {"fault": fault, "operation": operation, "name": name, "times": times}
        self.aws.control("POST", "/_lightsail/faults", about | more)

    def restart_lightsail(self, time: datetime, **settings: Any) -> None:
        """Start Lightsail again, at some time and without any resource, when nothing is in flight."""
        for queue in ("CreateQueue", "CopyQueue"):
            self.drain(queue)
        self.aws.control("POST", "/_lightsail/reset", {})
        self.aws.control("POST", "/_lightsail/clock", {"time": time.isoformat()})
        self.aws.control("POST", "/_lightsail/settings", settings)

    def let_pending_ones_finish(self, instance: str) -> None:
        """Delete the snapshots that never finish, so that their requests make new ones and leave the queue."""
        snapshots = eventually(lambda: self.snapshots_of(instance), f"snapshot of {instance}")
        for snapshot in snapshots:
            self.lightsail.delete_instance_snapshot(instanceSnapshotName=snapshot["name"])

    def faults_left(self) -> list[dict[str, Any]]:
        """Return the faults that still apply, each with its remaining `times`."""
        return list(self.aws.control("GET", "/_lightsail/faults")["faults"])

    def redrive(self) -> None:
        """Move the messages of the dead-letter queue back to the request queue.

        MiniStack has no StartMessageMoveTask, which does this on AWS.
        """
        dead = self.resources["CreateDeadLetterQueue"]
        for message in self.sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10)["Messages"]:
            self.deliver(message["Body"])
            self.sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])

    def replay(self, since: datetime) -> None:
        """Put the archived events since then on the bus again, outcomes included: MiniStack cannot filter."""
        events = self.aws.client("events")
        name = self.resources["Bus"]
        events.start_replay(
            ReplayName=f"replay-{next(self._numbers)}",
            EventSourceArn=events.describe_archive(ArchiveName=name)["ArchiveArn"],
            EventStartTime=since - timedelta(seconds=1),  # it rounds the times of events down
            EventEndTime=datetime.now(UTC) + timedelta(seconds=1),
            Destination={"Arn": events.describe_event_bus(Name=name)["Arn"]},
        )

    def set_deadline(self, seconds: int) -> None:
        """Set how long create retries a message."""
        set_variable(self.aws, self.resources["CreateFunction"], "DEADLINE_SECONDS", str(seconds))

    @contextmanager
    def acting_as(self, role_name: str) -> Iterator[Callable[..., Any]]:
        """Return a function that makes clients with a role's credentials: `client(service, region)`.

        Root can assume the role until the block ends.
        """
        iam = self.aws.client("iam")
        role = iam.get_role(RoleName=role_name)["Role"]
        trust = copy.deepcopy(role["AssumeRolePolicyDocument"])
        trust["Statement"][0]["Principal"] = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        iam.update_assume_role_policy(RoleName=role_name, PolicyDocument=json.dumps(trust))
        session = self.aws.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="tests")["Credentials"]
        credentials = {
            "aws_access_key_id": session["AccessKeyId"],
            "aws_secret_access_key": session["SecretAccessKey"],
            "aws_session_token": session["SessionToken"],
        }
        yield partial(self.aws.client, **credentials)
        trusted = json.dumps(role["AssumeRolePolicyDocument"])
        iam.update_assume_role_policy(RoleName=role_name, PolicyDocument=trusted)

    # What a test sees

    def outcome(self, request_id: str) -> dict[str, Any]:
        """Wait for the first outcome of a request, and return the event."""
        return eventually(lambda: next(iter(self.outcomes(request_id)), None), f"outcome of {request_id}")

    def available(self, request_id: str) -> dict[str, Any]:
        """Wait for the outcome of a request, which must be a usable snapshot; return its detail."""
        event = self.outcome(request_id)
        assert event["detail-type"] == "Instance Snapshot Available", event["detail"]
        return dict(event["detail"])

    def failed(self, request_id: str) -> dict[str, Any]:
        """Wait for the outcome of a request, which must be a failure; return its detail."""
        event = self.outcome(request_id)
        assert event["detail-type"] == "Instance Snapshot Failed", event["detail"]
        return dict(event["detail"])

    def outcomes(self, request_id: str) -> list[dict[str, Any]]:
        """Return all outcomes of a request so far."""
        self._receive()
        return [event for event in self.received if event["detail"]["requestId"] == request_id]

    def usable(self, instance: str) -> dict[str, Any]:
        """Wait for the first outcome for an instance, which must be a usable snapshot; return its detail."""
        event = eventually(lambda: next(iter(self.outcomes_for(instance)), None), f"outcome for {instance}")
        assert event["detail-type"] == "Instance Snapshot Available", event["detail"]
        return dict(event["detail"])

    def outcomes_for(self, instance: str) -> list[dict[str, Any]]:
        """Return all outcomes for an instance so far."""
        self._receive()
        return [event for event in self.received if event["detail"].get("instanceName") == instance]

    def drain(self, queue: str = "CreateQueue") -> None:
        """Wait until a queue is empty, hidden messages included."""
        eventually(lambda: self.depth(queue) == 0, f"empty {queue}")

    def purge(self, *queues: str) -> None:
        """Empty queues of the stack: other tests may have left messages in them."""
        for queue in queues:
            self.sqs.purge_queue(QueueUrl=self.resources[queue])

    def depth(self, queue: str) -> int:
        """Return the number of messages in a queue of the stack, hidden ones included."""
        return self._depth(self.resources[queue])

    def _depth(self, queue_url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def snapshots_of(self, instance: str, region: str = REGION) -> list[dict[str, Any]]:
        """Return the snapshots of an instance, as Lightsail lists them."""
        pages = self.aws.client("lightsail", region).get_paginator("get_instance_snapshots").paginate()
        return [one for page in pages for one in page["instanceSnapshots"] if one["fromInstanceName"] == instance]

    def logged(self, request_id: str) -> list[dict[str, Any]]:
        """Return the lines about a request in the log of create."""
        return [line for line in self.log() if line.get("correlation_id") == request_id]

    def pruned(self, request_id: str) -> dict[str, Any] | None:
        """Return the log line of the first run of prune in which no Region failed; None before its end."""
        lines = [line for line in self.log("PruneFunction") if line.get("correlation_id") == request_id]
        return next((line for line in lines if line["message"] == "Pruned" and not line["failed_regions"]), None)

    def announced(self, detail_type: str) -> list[dict[str, Any]]:
        """Return the details of all outcomes of one type, once the queue of the tests is empty."""
        self._receive()
        while self._depth(self._outcome_queue):
            self._receive()
        return [event["detail"] for event in self.received if event["detail-type"] == detail_type]

    def log(self, function: str = "CreateFunction") -> list[dict[str, Any]]:
        """Return the JSON lines of a function's log."""
        group = self.configuration(function)["LoggingConfig"]["LogGroup"]
        pages = self.aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        return [
            json.loads(event["message"])
            for page in pages
            for event in page["events"]
            if event["message"].startswith("{")
        ]

    @cached_property
    def lightsail(self) -> Any:
        """A Lightsail client of the account's root."""
        return self.aws.client("lightsail")

    @cached_property
    def sqs(self) -> Any:
        """An SQS client of the account's root."""
        return self.aws.client("sqs")

    @property
    def function(self) -> dict[str, Any]:
        """The present configuration of create."""
        return self.configuration("CreateFunction")

    def configuration(self, function: str) -> dict[str, Any]:
        """Return the present configuration of a function."""
        return dict(self.aws.client("lambda").get_function_configuration(FunctionName=self.resources[function]))

    @property
    def role(self) -> str:
        """The name of the role of create."""
        return self.role_of("CreateFunction")

    def role_of(self, function: str) -> str:
        """Return the name of a function's role."""
        return str(self.configuration(function)["Role"].rpartition("/")[2])

    @cached_property
    def dead_letter_arn(self) -> str:
        """The ARN of the dead-letter queue."""
        answer = self.sqs.get_queue_attributes(
            QueueUrl=self.resources["CreateDeadLetterQueue"], AttributeNames=["QueueArn"]
        )
        return str(answer["Attributes"]["QueueArn"])

    @cached_property
    def _outcome_queue(self) -> str:
        """The URL of a queue that receives every outcome, by a rule such as any user can make."""
        url = str(self.sqs.create_queue(QueueName="outcomes")["QueueUrl"])
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        rule = {"Name": "outcomes", "EventBusName": self.resources["Bus"]}
        events = self.aws.client("events")
        events.put_rule(**rule, EventPattern=json.dumps({"source": ["lightsail-snapshots"]}))
        events.put_targets(Rule="outcomes", EventBusName=rule["EventBusName"], Targets=[{"Id": "queue", "Arn": arn}])
        return url

    def _receive(self) -> None:
        """Receive outcomes; each must fit its schema in docs/events."""
        answer = self.sqs.receive_message(QueueUrl=self._outcome_queue, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            event = json.loads(message["Body"])
            if event["detail-type"] != OF_DOCTOR:  # the local AWS does not deny it
                schema(event["detail-type"]).validate(event)
                if not event["detail-type"].endswith("Requested"):  # those of fan_out, which come from us too
                    self.received.append(event)
            self.sqs.delete_message(QueueUrl=self._outcome_queue, ReceiptHandle=message["ReceiptHandle"])

    def subscribe(self) -> None:
        """Start to receive outcomes: from now on, none is missed."""
        self._receive()

    def subscribe_again(self) -> None:
        """Make the rule and the queue again, if somebody has removed them."""
        del self._outcome_queue
        self.subscribe()
