"""The stack as it is deployed in the local AWS: what a test does to it, and what it can see of it."""

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

from local.aws import ACCOUNT, REGION, LocalAws
from tests.support.events import schema

TIMEOUT_SECONDS = 60
"""Seconds after which what has not happened will not happen. Nothing waits so long where all is well."""

T = TypeVar("T")


def eventually(look: Callable[[], T | None], what: str) -> T:
    """Looks until there is something to see, and returns it; fails where there is nothing for too long."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {TIMEOUT_SECONDS} seconds")


def tags_of(snapshot: dict[str, Any]) -> dict[str, str]:
    """The tags of a snapshot, one that is a key only with an empty value."""
    return {tag["key"]: tag.get("value", "") for tag in snapshot["tags"]}


@dataclass
class Deployment:
    """The deployed stack, with a queue of the test's own that hears every outcome on the bus."""

    aws: LocalAws
    resources: Mapping[str, str]
    """Physical ids, as `cdk.resources` returns them."""
    heard: list[dict[str, Any]] = field(default_factory=list)
    """The outcome events that came so far, oldest first."""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    # What a test does

    def instance(self, region: str = REGION, **tags: str) -> str:
        """Makes an instance, with a name that no other test has, and returns the name."""
        name = f"web-{next(self._numbers)}"
        self.aws.make_instance(name, region, tags)
        return name

    def request(self, *details: Mapping[str, Any]) -> list[str]:
        """Puts one request per detail on the bus, in one call, and returns the events' ids."""
        return self.put("Instance Snapshot Requested", *details)

    def put(self, detail_type: str, *details: Mapping[str, Any], source: str = "tests", bus: str = "") -> list[str]:
        """Puts one event per detail on a bus, ours where none is named, in one call; returns the events' ids."""
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
        """Invokes a function with a bare event, waits, and returns its answer, or its error as Lambda shows it."""
        answer = self.aws.client("lambda").invoke(FunctionName=self.resources[function], Payload=json.dumps(event))
        return dict(json.loads(answer["Payload"].read()))

    def deliver(self, *bodies: str) -> list[str]:
        """Sends messages straight to the request queue, as its rule does, in one call; returns the messages' ids."""
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        answer = self.sqs.send_message_batch(QueueUrl=self.resources["CreateQueue"], Entries=entries)
        return [message["MessageId"] for message in answer["Successful"]]

    def fault(
        self, fault: str, name: str, operation: str = "CreateInstanceSnapshot", times: int = 1, **more: str
    ) -> None:
        """Makes the emulator misbehave the next times that a request of this operation has this name in it.

        `more` is what else there is to say about the fault, such as `region`.
        """
        about = {"fault": fault, "operation": operation, "name": name, "times": times}
        self.aws.control("POST", "/_lightsail/faults", about | more)

    def faults_left(self) -> list[dict[str, Any]]:
        """The faults that can still go off, each with its `times`."""
        return list(self.aws.control("GET", "/_lightsail/faults")["faults"])

    def redrive(self) -> None:
        """Moves what lies in the dead-letter queue back to the request queue.

        As SQS's own redrive does; MiniStack has no StartMessageMoveTask.
        """
        dead = self.resources["CreateDeadLetterQueue"]
        for message in self.sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10)["Messages"]:
            self.deliver(message["Body"])
            self.sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])

    def replay(self, since: datetime) -> None:
        """Puts the archived events since then on the bus again, outcomes included: MiniStack cannot filter."""
        events = self.aws.client("events")
        name = self.resources["Bus"]
        events.start_replay(
            ReplayName=f"replay-{next(self._numbers)}",
            EventSourceArn=events.describe_archive(ArchiveName=name)["ArchiveArn"],
            EventStartTime=since - timedelta(seconds=1),
            EventEndTime=datetime.now(UTC) + timedelta(seconds=1),
            Destination={"Arn": events.describe_event_bus(Name=name)["Arn"]},
        )

    def retries(self, deliveries: int) -> None:
        """Sets after how many deliveries a message is given up: at the queue, and for the function that must agree."""
        policy = {"deadLetterTargetArn": self.dead_letter_arn, "maxReceiveCount": str(deliveries)}
        self.sqs.set_queue_attributes(
            QueueUrl=self.resources["CreateQueue"], Attributes={"RedrivePolicy": json.dumps(policy)}
        )
        variables = self.function["Environment"]["Variables"] | {"MAX_RECEIVE_COUNT": str(deliveries)}
        self.aws.client("lambda").update_function_configuration(
            FunctionName=self.resources["CreateFunction"], Environment={"Variables": variables}
        )

    @contextmanager
    def acting_as(self, role_name: str) -> Iterator[Callable[..., Any]]:
        """A function that makes clients with a role's credentials, which root may assume until the block is left.

        As `client(service)` or `client(service, region)`.
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

    # What it can see

    def outcome(self, request_id: str) -> dict[str, Any]:
        """Waits for the first outcome of a request, which must be as docs/events says, and returns the event."""
        return eventually(lambda: next(iter(self.outcomes(request_id)), None), f"outcome of {request_id}")

    def available(self, request_id: str) -> dict[str, Any]:
        """Waits for the outcome of a request, which must be a usable snapshot, and returns its detail."""
        event = self.outcome(request_id)
        assert event["detail-type"] == "Instance Snapshot Available", event["detail"]
        return dict(event["detail"])

    def failed(self, request_id: str) -> dict[str, Any]:
        """Waits for the outcome of a request, which must be a failure, and returns its detail."""
        event = self.outcome(request_id)
        assert event["detail-type"] == "Instance Snapshot Failed", event["detail"]
        return dict(event["detail"])

    def outcomes(self, request_id: str) -> list[dict[str, Any]]:
        """All outcomes of a request that came so far."""
        self._listen()
        return [event for event in self.heard if event["detail"]["requestId"] == request_id]

    def usable(self, instance: str) -> dict[str, Any]:
        """Waits for the first outcome for an instance, which must be a usable snapshot, and returns its detail."""
        event = eventually(lambda: next(iter(self.outcomes_for(instance)), None), f"outcome for {instance}")
        assert event["detail-type"] == "Instance Snapshot Available", event["detail"]
        return dict(event["detail"])

    def outcomes_for(self, instance: str) -> list[dict[str, Any]]:
        """All outcomes of requests for an instance that came so far."""
        self._listen()
        return [event for event in self.heard if event["detail"].get("instanceName") == instance]

    def quiet(self) -> None:
        """Waits until nothing is left in the request queue, hidden messages included."""
        eventually(lambda: self.depth("CreateQueue") == 0, "empty request queue")

    def depth(self, queue: str) -> int:
        """How many messages a queue of the stack holds, hidden ones included."""
        return self._depth(self.resources[queue])

    def _depth(self, queue_url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def snapshots_of(self, instance: str, region: str = REGION) -> list[dict[str, Any]]:
        """The snapshots of an instance, as Lightsail shows them."""
        pages = self.aws.client("lightsail", region).get_paginator("get_instance_snapshots").paginate()
        return [one for page in pages for one in page["instanceSnapshots"] if one["fromInstanceName"] == instance]

    def logged(self, request_id: str) -> list[dict[str, Any]]:
        """The lines of the function's log about a request."""
        return [line for line in self.log() if line.get("correlation_id") == request_id]

    def pruned(self, request_id: str) -> dict[str, Any] | None:
        """The summary of the first run of prune in which no Region failed, as its log has it; None before its end."""
        lines = [line for line in self.log("PruneFunction") if line.get("correlation_id") == request_id]
        return next((line for line in lines if line["message"] == "Pruned" and not line["failed_regions"]), None)

    def told(self, detail_type: str) -> list[dict[str, Any]]:
        """The details of all outcomes of one kind, once there are no more to come."""
        self._listen()
        while self._depth(self._outcome_queue):
            self._listen()
        return [event["detail"] for event in self.heard if event["detail-type"] == detail_type]

    def log(self, function: str = "CreateFunction") -> list[dict[str, Any]]:
        """The JSON lines of a function's log."""
        group = self.configuration(function)["LoggingConfig"]["LogGroup"]
        pages = self.aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        return [
            json.loads(event["message"]) for page in pages for event in page["events"] if event["message"][0] == "{"
        ]

    @cached_property
    def lightsail(self) -> Any:
        """Lightsail, as the account's root sees it."""
        return self.aws.client("lightsail")

    @cached_property
    def sqs(self) -> Any:
        """SQS, as the account's root sees it."""
        return self.aws.client("sqs")

    @property
    def function(self) -> dict[str, Any]:
        """The create function's configuration, as it is now."""
        return self.configuration("CreateFunction")

    def configuration(self, function: str) -> dict[str, Any]:
        """A function's configuration, as it is now."""
        return dict(self.aws.client("lambda").get_function_configuration(FunctionName=self.resources[function]))

    @property
    def role(self) -> str:
        """The name of the create function's role."""
        return self.role_of("CreateFunction")

    def role_of(self, function: str) -> str:
        """The name of a function's role."""
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
        """The address of a queue that gets every outcome on the bus, by a rule that any other system could make."""
        url = str(self.sqs.create_queue(QueueName="outcomes")["QueueUrl"])
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        rule = {"Name": "outcomes", "EventBusName": self.resources["Bus"]}
        events = self.aws.client("events")
        events.put_rule(**rule, EventPattern=json.dumps({"source": ["lightsail-snapshots"]}))
        events.put_targets(Rule="outcomes", EventBusName=rule["EventBusName"], Targets=[{"Id": "ear", "Arn": arn}])
        return url

    def _listen(self) -> None:
        """Takes in what has come to the ear; each event must be as docs/events says."""
        answer = self.sqs.receive_message(QueueUrl=self._outcome_queue, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            event = json.loads(message["Body"])
            schema(event["detail-type"]).validate(event)
            if not event["detail-type"].endswith("Requested"):  # fan_out's, which come from us too
                self.heard.append(event)
            self.sqs.delete_message(QueueUrl=self._outcome_queue, ReceiptHandle=message["ReceiptHandle"])

    def open(self) -> None:
        """Begins to hear outcomes: from now on, none is missed."""
        self._listen()
