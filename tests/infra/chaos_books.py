"""What really happened in a fault campaign, by the emulator's own resources, and the verdict on it."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lightsail_snapshots.naming import format_utc
from local.lightsail.emulator import Call, Emulator
from local.lightsail.resources import InstanceSnapshot, Resource

KEPT = {"daily": 2, "shops": 7}
"""Usable snapshots that each plan of the campaign keeps of an instance."""
FUNCTIONS = {"create", "copy"}
MOST_CALLS = 2.5
"""Calls of `create` and `copy`, divided by the least that could do."""

AFTER_A_PERSON = {"NameInUse", "SourceGone"}
"""Reasons of a request that finds its snapshot, or the source of its copy, deleted or no longer ours."""

Slot = tuple[str, str, str]
"""Plan, scheduled time, and name of an instance."""


@dataclass(frozen=True)
class Made:
    """A snapshot that was made, and by whom."""

    actor: str
    """Module of a function, or `person`."""
    snapshot: InstanceSnapshot
    instance_arn: str


@dataclass
class Books:
    """All calls of Lightsail, with what they changed."""

    emulator: Emulator
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By actor and operation, without those that a fault hit, and looks at a snapshot that is not finished."""
    made: dict[str, Made] = field(default_factory=dict)
    """By ARN."""
    deleted: dict[str, str] = field(default_factory=dict)
    """Who deleted a snapshot, by ARN."""
    expected: set[Slot] = field(default_factory=set)
    """What the plans selected when their time came."""
    faults: Counter[str] = field(default_factory=Counter)
    taken_over: dict[tuple[str, str], str] = field(default_factory=dict)
    """When a person first deleted a snapshot or took our tag from it, by Region and name, as events have times."""
    problems: list[str] = field(default_factory=list)
    """What no function may do, found when it did it."""

    def resource(self, call: Call) -> Resource | None:
        """Return what a writing call is about, as it is now."""
        names = ("instanceSnapshotName", "targetSnapshotName", "resourceName", "instanceName")
        found = [call.parameters[name] for name in names if name in call.parameters]
        return self.emulator.region(call.region).names.get(found[0]) if found else None

    def before(self, actor: str, call: Call, is_hit: bool) -> None:
        """Check a call of a function before it happens."""
        found = self.resource(call)
        is_pending = isinstance(found, InstanceSnapshot) and found.state_at(self.emulator.clock.now()) == "pending"
        if not is_hit and not (is_pending and call.operation == "GetInstanceSnapshot"):
            self.calls[actor, call.operation] += 1
        if actor == "person" or call.operation.startswith("Get") or found is None:
            return
        if call.operation == "DeleteInstanceSnapshot" and isinstance(found, InstanceSnapshot):
            self.problems += [f"{actor} deleted {found.name}, {why}" for why in self.why_kept(found)]
        elif call.operation == "TagResource":
            if self.made[found.arn].actor != "copy":
                self.problems.append(f"{actor} tagged {found.name}, which is not its copy")
        elif call.operation not in {"CreateInstanceSnapshot", "CopySnapshot"}:
            self.problems.append(f"{actor} called {call.operation}")

    def after(self, actor: str, call: Call, found: Resource | None) -> None:
        """Write down what a call has made or deleted; `found` was there before it."""
        there = self.resource(call)
        if isinstance(there, InstanceSnapshot) and there.arn not in self.made:
            self.made[there.arn] = Made(actor, there, there.from_instance_arn or "")
        if isinstance(found, InstanceSnapshot) and there is None:
            self.deleted[found.arn] = actor
        if actor == "person" and found and (there is None or "managed-by" not in there.tags):
            self.taken_over.setdefault((found.region, found.name), format_utc(self.emulator.clock.now()))

    def is_excused(self, event: dict[str, Any]) -> bool:
        """Tell whether a failure follows from what a person had done to this very snapshot, or to a copy's source."""
        detail = event["detail"]
        places = {detail.get("region"), detail.get("destination")}
        times = [self.taken_over.get((place, detail.get("instanceSnapshotName"))) for place in places]
        return detail.get("reason") in AFTER_A_PERSON and any(at and at <= event["time"] for at in times)

    def why_kept(self, snapshot: InstanceSnapshot) -> list[str]:
        """Return why nobody but a person may delete a snapshot."""
        return list(self._why_kept(snapshot))

    def _why_kept(self, snapshot: InstanceSnapshot) -> Iterator[str]:
        made = self.made[snapshot.arn]
        if made.actor not in FUNCTIONS:
            yield "made by a person"
        if any(key.lower() == "snapshot-hold" for key in snapshot.tags):
            yield "which has a hold"
        if snapshot.tags.get("managed-by") != "lightsail-snapshots":
            yield "which is no longer ours"
        plan, now = snapshot.tags.get("snapshot-plan") or "", self.emulator.clock.now()
        newer = [each for each in self._usable(made, plan) if each.snapshot.created_at > snapshot.created_at]
        if snapshot.state_at(now) == "available" and len(newer) < KEPT.get(plan, 0):
            yield f"one of the newest {KEPT[plan]} of its instance"

    def _usable(self, like: Made, plan: str) -> list[Made]:
        """Return the usable snapshots of the same instance, Region and plan that are still there and ours."""
        now = self.emulator.clock.now()
        return [
            each
            for arn, each in self.made.items()
            if arn not in self.deleted
            and each.actor in FUNCTIONS
            and (each.instance_arn, each.snapshot.region) == (like.instance_arn, like.snapshot.region)
            and each.snapshot.tags.get("managed-by") == "lightsail-snapshots"
            and each.snapshot.tags.get("snapshot-plan") == plan
            and each.snapshot.state_at(now) == "available"
        ]

    @property
    def least(self) -> int:
        """The least calls: request and look for each snapshot; read, request, tag and look for each copy."""
        by_actor = Counter(made.actor for made in self.made.values())
        return 2 * by_actor["create"] + 4 * by_actor["copy"]

    @property
    def factor(self) -> float:
        """How many calls `create` and `copy` made, for each that was needed."""
        return sum(count for (actor, _), count in self.calls.items() if actor in FUNCTIONS) / max(1, self.least)


@dataclass
class Outcomes:
    """What was put on the bus, by the id of the request."""

    slots: dict[str, Slot] = field(default_factory=dict)
    """What each request was for."""
    snapshots: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    copies: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls, events: list[dict[str, Any]]) -> "Outcomes":
        found = cls()
        for event in events:
            detail, kind = event["detail"], event["detail-type"]
            if kind == "Instance Snapshot Requested":
                found.slots[event["id"]] = (detail["plan"], detail["scheduledTime"], detail["instanceName"])
            elif kind in {"Instance Snapshot Available", "Instance Snapshot Copied", "Instance Snapshot Failed"}:
                is_copy = kind == "Instance Snapshot Copied" or "destination" in detail
                (found.copies if is_copy else found.snapshots)[detail["requestId"]].append(event)
        return found


def verdict(
    books: Books, events: list[dict[str, Any]], failed_fleets: set[tuple[str, str]], left: dict[str, int]
) -> list[str]:
    """Return everything that was wrong. `failed_fleets` has plan and scheduled time of those that fan_out failed at."""
    outcomes = Outcomes.read(events)
    return [
        *books.problems,
        *(f"{count} messages are left in {queue}" for queue, count in left.items() if count),
        *_unanswered(outcomes),
        *_slots(books, outcomes, failed_fleets),
        *_snapshots(books, outcomes),
        *([f"{books.factor:.2f} times the least calls"] if books.factor > MOST_CALLS else []),
    ]


def _unanswered(outcomes: Outcomes) -> Iterator[str]:
    """Each message has an outcome, and each snapshot that was to be copied."""
    for request, slot in outcomes.slots.items():
        if request not in outcomes.snapshots:
            yield f"no outcome of {slot}"
    for request, events in outcomes.snapshots.items():
        if any("copyTo" in event["detail"] for event in events) and request not in outcomes.copies:
            yield f"no outcome of the copy for {outcomes.slots.get(request)}"


def _slots(books: Books, outcomes: Outcomes, failed_fleets: set[tuple[str, str]]) -> Iterator[str]:
    """Each slot has one kind of outcome, of one snapshot."""
    requests = defaultdict(list)
    for request, slot in outcomes.slots.items():
        requests[slot].append(request)
    for slot in sorted(books.expected - set(requests)):
        if slot[:2] not in failed_fleets:
            yield f"no request for {slot}"
    owner: dict[str, Slot] = {}
    for slot, ids in requests.items():
        for found in (outcomes.snapshots, outcomes.copies):
            events = [event for request in ids for event in found.get(request, [])]
            kinds = {event["detail-type"] for event in events if not books.is_excused(event)}
            if len(kinds) > 1:
                yield f"{slot} has both outcomes: {[(event['detail-type'], event['time']) for event in events]}"
            for arn in {event["detail"].get("instanceSnapshotArn", "") for event in events} - {""}:
                if owner.setdefault(arn, slot) != slot:
                    yield f"{slot} and {owner[arn]} have the same snapshot"


def _snapshots(books: Books, outcomes: Outcomes) -> Iterator[str]:
    """What the functions made: one snapshot for each slot, and none if its outcome says that there is none."""
    made = Counter((each.snapshot.region, each.snapshot.name) for each in books.made.values() if each.actor != "person")
    again = Counter(
        (books.made[arn].snapshot.region, books.made[arn].snapshot.name)
        for arn, actor in books.deleted.items()
        if actor == "person"
    )
    yield from (f"{name} was made {count} times" for name, count in made.items() if count > 1 + again[name])
    for events in (*outcomes.snapshots.values(), *outcomes.copies.values()):
        for event in events:
            detail = event["detail"]
            name = (detail.get("destination") or detail.get("region"), detail.get("instanceSnapshotName"))
            is_there = detail.get("reason") in {None, "SnapshotError", "TimedOut"}
            if made[name] and not is_there and not books.is_excused(event):
                yield f"{name} was made, and failed with {detail['reason']}: {detail['message']}"
            if not made[name] and is_there and detail.get("reason") != "TimedOut":
                yield f"{name} was not made, and is {event['detail-type']}"
