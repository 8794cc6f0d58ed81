"""What was requested while versions of the stack followed each other, what became of it, and the verdict on that."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from lightsail_snapshots.naming import COPY_OF_KEY, MANAGED_BY, MANAGED_BY_KEY, NAME_KEY, PLAN_KEY
from local.aws import REGION, LocalAws
from tests.e2e.deployment import tags_of

QUEUE = "upgrade-books"
"""A queue that belongs to no version of the stack."""
BUS = "lightsail-snapshots"
COPIED_TO = "eu-west-1"
RELEASE = "Release"
"""The detail-type that triggers a plan."""
RELEASED = "rel-1"
"""The instance that this plan selects."""
REGIONS = (REGION, "eu-central-1", "us-west-2", COPIED_TO)
KEEP_LAST = {"weekly": 2, "sundays": 2}
"""What the plans of the scenario keep of an instance; all others keep everything."""
AVAILABLE, COPIED, FAILED = (f"Instance Snapshot {each}" for each in ("Available", "Copied", "Failed"))


class Slot(NamedTuple):
    """What one snapshot is taken for."""

    region: str
    instance: str
    stamp: str
    """The slot, as it is in the snapshot's name."""


def stamp(slot: str | datetime) -> str:
    """Write a slot as in a snapshot's name: `20261123T031500Z`."""
    at = slot if isinstance(slot, datetime) else datetime.fromisoformat(slot)
    return f"{at:%Y%m%dT%H%M%SZ}"


@dataclass
class Books:
    """All events of the bus and all snapshots, seen from outside the stack."""

    aws: LocalAws
    expected: set[Slot] = field(default_factory=set)
    """What was asked for. Of the plan `releases`, only the bus knows the slots: the times of the events."""
    requests: dict[str, Slot] = field(default_factory=dict)
    """By the id of the request's event. A slot may be requested more than once."""
    outcomes: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    """Outcome events by the id of their request."""
    deleted: set[str] = field(default_factory=set)
    """ARNs in the events that say that prune deleted them."""
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    """All snapshots and copies that were ever seen, by ARN."""
    present: set[str] = field(default_factory=set)
    _of_plan: Mapping[str, Any] = field(default_factory=dict)
    handed_back: set[Slot] = field(default_factory=set)
    """They were in a queue when an earlier version took over, which rejects requests with fields it does not know."""
    excused: set[Slot] = field(default_factory=set)
    """They were in a queue when the stack was destroyed."""

    def open(self) -> None:
        """Listen to the default bus, and to ours, which is new; call `close` before that is destroyed."""
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for bus, pattern in ((BUS, [{"prefix": "Instance Snapshot"}]), ("default", [RELEASE])):
            rule = {"Name": QUEUE, "EventBusName": bus}
            self._events.put_rule(**rule, EventPattern=json.dumps({"detail-type": pattern}))
            self._events.put_targets(Rule=QUEUE, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])

    def close(self) -> None:
        """Remove the rule: on AWS, a bus cannot be deleted while it has one."""
        self._events.remove_targets(Rule=QUEUE, EventBusName=BUS, Ids=["queue"])
        self._events.delete_rule(Name=QUEUE, EventBusName=BUS)

    def look(self) -> None:
        """Read what came since the last look, and list all snapshots."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._write_down(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        self.present.clear()
        for region in REGIONS:
            pages = self.aws.client("lightsail", region).get_paginator("get_instance_snapshots").paginate()
            found = {each["arn"]: each for page in pages for each in page["instanceSnapshots"]}
            self.made |= found
            self.present |= found.keys()

    def repeat(self, slot: datetime) -> Mapping[str, Any]:
        """Return the last request of a plan for another slot, as if its event had not been delivered."""
        detail = {**self._of_plan["detail"], "scheduledTime": f"{slot:%FT%TZ}"}
        event = {**self._of_plan, "id": f"undelivered-{stamp(slot)}", "detail": detail}
        self._write_down(event)
        return event

    def _write_down(self, event: Mapping[str, Any]) -> None:
        detail = event["detail"]
        if event["detail-type"] == RELEASE:
            self.expected.add(Slot(REGION, RELEASED, stamp(event["time"])))
        elif event["detail-type"] == "Instance Snapshot Requested":
            slot = stamp(detail.get("scheduledTime") or event["time"])
            self.requests[event["id"]] = Slot(detail.get("region", REGION), detail["instanceName"], slot)
            if detail.get("plan"):
                self._of_plan = event
        elif event["detail-type"] == "Instance Snapshot Deleted":
            self.deleted.add(detail["instanceSnapshotArn"])
        else:
            self.outcomes[detail["requestId"]].append(dict(event))

    @property
    def slots(self) -> set[Slot]:
        """All slots that were requested."""
        return (self.expected | set(self.requests.values())) - self.excused

    def verdicts(self, slot: Slot) -> list[str]:
        """Return the outcomes of a slot's snapshot so far: `Available`, or the reason of a failure."""
        return [
            _verdict(event)
            for request, its in self.requests.items()
            if its == slot
            for event in self.outcomes[request]
            if "destination" not in event["detail"] and event["detail-type"] != COPIED
        ]

    @property
    def in_flight(self) -> set[Slot]:
        """The slots without an outcome, of the snapshot or of its copy."""
        copying = {self.requests[request] for request, done in self._copies() if not done}
        return {slot for slot in self.slots if not self.verdicts(slot)} | (copying - self.excused)

    def snapshots(self, slot: Slot) -> list[dict[str, Any]]:
        """Return the snapshots that were made for a slot, also those that are deleted."""
        return [
            each
            for each in self.made.values()
            if slot.stamp in each["name"]
            and each["fromInstanceName"] == slot.instance
            and each["location"]["regionName"] == slot.region
            and COPY_OF_KEY not in tags_of(each)
        ]

    def problems(self) -> list[str]:
        """Return what was lost, doubled, blocked or wrongly deleted."""
        return [
            *(problem for slot in sorted(self.slots) for problem in self._wrong_with(slot)),
            *self._wrong_with_copies(),
            *self._wrongly_deleted(),
        ]

    def _wrong_with(self, slot: Slot) -> Iterator[str]:
        verdicts, snapshots = set(self.verdicts(slot)), self.snapshots(slot)
        name = f"{slot.instance} in {slot.region} for {slot.stamp}"
        if not verdicts:
            yield f"{name}: no outcome, {len(snapshots)} snapshots"
        if len(snapshots) > 1:
            yield f"{name}: {len(snapshots)} snapshots"
        if "Available" in verdicts and not snapshots:
            yield f"{name}: available, and there is no snapshot"
        if slot in self.handed_back and "InvalidRequest" in verdicts:
            return
        # A version whose tags today's does not know: its snapshots stay, and a person hears of the request.
        is_unknown = any(NAME_KEY not in tags_of(each) for each in snapshots) and "NameInUse" in verdicts
        if not is_unknown and ("Available" in verdicts) != bool(snapshots):
            yield f"{name}: {', '.join(sorted(verdicts))}, {len(snapshots)} snapshots"
        if not is_unknown and len(verdicts) > 1:
            yield f"{name}: {' and '.join(sorted(verdicts))}"

    def _wrong_with_copies(self) -> Iterator[str]:
        """Find the copies that were asked for, and have no outcome or two. A copy has the name of its source."""
        for request, done in self._copies():
            if len(done) != 1 and self.requests[request] not in self.excused:
                yield f"{self.requests[request]}: the copy is {' and '.join(sorted(done)) or 'without an outcome'}"

    def _copies(self) -> Iterator[tuple[str, set[str]]]:
        """Return each request whose snapshot is usable and is to be copied, with the outcomes of its copy."""
        for request, events in self.outcomes.items():
            if any(event["detail"].get("copyTo") for event in events if event["detail-type"] == AVAILABLE):
                yield request, {_verdict(event) for event in events if _is_copy(event)}

    def _wrongly_deleted(self) -> Iterator[str]:
        for arn in self.made.keys() - self.present:
            gone = self.made[arn]
            tags = tags_of(gone)
            plan = tags.get(PLAN_KEY, "")
            same = [
                each
                for each in self.made.values()
                if each["fromInstanceArn"] == gone["fromInstanceArn"]
                and tags_of(each).get(PLAN_KEY) in KEEP_LAST
                and each["createdAt"] > gone["createdAt"]
            ]
            is_ours = tags.get(MANAGED_BY_KEY) == MANAGED_BY and NAME_KEY in tags
            if not is_ours or plan not in KEEP_LAST or len(same) < KEEP_LAST[plan] or arn not in self.deleted:
                yield f"{gone['name']} is gone, and should not be"

    def figures(self) -> dict[str, int]:
        """Count what became of all slots."""
        verdicts = Counter(each for slot in self.slots for each in set(self.verdicts(slot)))
        each_once = ({_verdict(event) for event in events if _is_copy(event)} for events in self.outcomes.values())
        copies = Counter(verdict for verdicts_of_one in each_once for verdict in verdicts_of_one)
        return {**verdicts, **{f"copies: {name}": number for name, number in copies.items()}}

    @property
    def _events(self) -> Any:
        return self.aws.client("events")

    @property
    def _sqs(self) -> Any:
        return self.aws.client("sqs")

    @property
    def _url(self) -> str:
        return str(self._sqs.create_queue(QueueName=QUEUE)["QueueUrl"])


def _is_copy(event: Mapping[str, Any]) -> bool:
    return event["detail-type"] == COPIED or "destination" in event["detail"]


def _verdict(event: Mapping[str, Any]) -> str:
    if event["detail-type"] == FAILED:
        return str(event["detail"]["reason"])
    return str(event["detail-type"].rpartition(" ")[2])
