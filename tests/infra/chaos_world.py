"""The world of a fault campaign: the stack on a virtual clock, faults in every call, and a person who acts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from lightsail_snapshots.aws.errors import EntriesRejectedError, RetryableError
from local.lightsail.emulator import Answer, Call, Emulator
from local.lightsail.resources import Instance, InstanceSnapshot
from tests.infra.bad_year import AWAY, HOME
from tests.infra.chaos_books import Books
from tests.support.cloud import MINUTE, Cloud, CrashError, Message
from tests.support.fake_aws import Context

DAY = timedelta(days=1)
FAULTS = {
    "throttle": 0.02,
    "server-error": 0.02,
    "internal-failure": 0.01,
    "unreachable": 0.02,
    "lost-answer": 0.04,
    "stale": 0.04,
    "slow": 0.03,
}
"""How likely each is for a call of a function."""
SNAPSHOT_FAULTS = {"never-finish": 0.02, "snapshot-fails": 0.03}
KILL = 0.02
"""After any call."""
DUPLICATE = 0.04
REJECTED_ENTRY = 0.05
ACTS_PER_DAY = 12
ACTS = ("hold", "release", "disown", "delete", "replace", "retag", "take", "hold_what_is_to_go")
ALL_FAULTS = {
    *FAULTS,
    *SNAPSHOT_FAULTS,
    "auto-snapshot-window",
    "Region down",
    "killed",
    "delivered twice",
    "out of order",
    "rejected entry",
    "lost answer of PutEvents",
    *(f"person: {act}" for act in ACTS),
}
"""What must happen in the campaigns, else they prove less than they say."""
AUTOMATIC_SNAPSHOT = timedelta(minutes=25)
UNDISTURBED = timedelta(minutes=6)
"""After the time of a plan: as long as Lambda retries `fan_out`, nobody changes what it selects."""
MAX_READ_LAG = 540
"""Seconds."""


class KilledError(BaseException):
    """Lambda ends the invocation: no handler can catch it."""


class Limited(Context):
    """The context of an invocation whose time is used up by slow calls."""

    def __init__(self, world: "World") -> None:
        super().__init__()
        self._world = world

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]  # Powertools declares it static
        return max(0, int(1000 * self._world.seconds_left))


@dataclass
class World(Cloud):
    """The stack, with faults in every call, and a person."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.random = Random(0)  # noqa: S311 - no secret
        self.books = Books(self.emulator)
        self.actor = "person"
        self.seconds_left = 0.0
        self.is_killed = False
        self.is_quiet = False
        self.down: tuple[str, datetime] = ("", self.now)
        """A Region, and when its outage of a day begins."""
        self.recreate: list[tuple[datetime, str, dict[str, str]]] = []
        self.timeouts = {name: each["Timeout"] for name, each in self.template.of_type("AWS::Lambda::Function").items()}
        [prune] = [each for each in self._schedules if each["Name"] == "prune"]
        prune["ScheduleExpression"] = "cron(45 * * * ? *)"  # each hour: the more it runs, the more can go wrong
        self.count = 0
        self.sent: list[str] = []
        """The queue of each message that was sent."""

    def is_bad(self, likely: float) -> bool:
        return not self.is_quiet and self.random.random() < likely

    # Calls of Lightsail

    def handle(self, call: Call) -> Answer:
        """Answer a call to Lightsail, in place of the emulator: break something around it, and write it down."""
        actor = self.actor
        if self.is_killed:
            raise KilledError
        if actor != "person":
            self._set_faults(call, self._is_down(call.region))
        self.books.before(actor, call, is_hit=bool(self.emulator.faults.listing()))
        found = self.books.resource(call)
        self.emulator.settings.snapshot_seconds = self.random.choice((60, 200, 1500))
        answer = Emulator.handle(self.emulator, call)
        self.books.after(actor, call, found)
        if answer.lost and self.is_bad(0.5):  # the SDK's second attempt
            answer = Emulator.handle(self.emulator, call)
            self.books.after(actor, call, found)
        self.emulator.faults.clear()
        if actor != "person":
            self.seconds_left -= answer.delay
            self._meddle(actor, call, answer)
            self.maybe_kill()
        return answer

    def _is_down(self, region: str) -> bool:
        down, since = self.down
        return self.actor != "person" and region == down and since <= self.now < since + DAY

    def _set_faults(self, call: Call, is_down: bool) -> None:
        add = self.emulator.faults.add
        if is_down:
            self.books.faults["Region down"] += 1
            return add(self.random.choice(("unreachable", "service-unavailable")))
        window = Random(f"{call.parameters.get('instanceName')} {self.now:%j}").random() < 0.15  # noqa: S311
        is_window = window and not self.is_quiet and self._since_a_plan() < AUTOMATIC_SNAPSHOT
        if call.operation == "CreateInstanceSnapshot" and is_window:
            self.books.faults["auto-snapshot-window"] += 1
            return add("auto-snapshot-window")
        kinds = FAULTS | (SNAPSHOT_FAULTS if call.operation in {"CreateInstanceSnapshot", "CopySnapshot"} else {})
        for kind, likely in kinds.items():
            if self.is_bad(likely):
                self.books.faults[kind] += 1
                add(kind, times=1, seconds=float(self.random.randint(30, MAX_READ_LAG) if kind == "stale" else 8))
        return None

    def _since_a_plan(self) -> timedelta:
        """Return the time since the last time of a plan: 03:15 or 04:30."""
        midnight = self.now.replace(hour=0, minute=0)
        passed = [(self.now - midnight - timedelta(minutes=each)) % DAY for each in (195, 270)]
        return min(passed)

    def maybe_kill(self) -> None:
        """End the invocation, at random or since its time is over."""
        if self.actor != "person" and (self.seconds_left < 0 or self.is_bad(KILL)):
            self.books.faults["killed"] += 1
            self.is_killed = True
            raise KilledError

    def _meddle(self, actor: str, call: Call, answer: Answer) -> None:
        """Let a person act while a function runs: between what it read and what it does."""
        if answer.status != 200:
            return
        is_last_page = call.operation == "GetInstanceSnapshots" and "nextPageToken" not in answer.body
        if actor == "prune" and is_last_page and self.is_bad(0.25):
            self._by_person(self._hold_what_is_to_go, call.region)
        if actor == "create" and call.operation == "CreateInstanceSnapshot" and self.is_bad(0.15):
            name = call.parameters["instanceSnapshotName"]
            self._by_person(self._take, AWAY, name, "theirs-1")

    # Deliveries, invocations, the bus

    def _invoke(self, name: str, event: Any) -> Any:
        self.actor, self.is_killed, self.seconds_left = self._name(name), False, float(self.timeouts[name])
        try:
            return super()._invoke(name, event)
        except KilledError:
            raise CrashError from None
        finally:
            self.actor, self.is_killed = "person", False

    def _context(self, _name: str) -> Context:
        return Limited(self)

    def _send(self, target: Any, event: dict[str, Any]) -> None:
        super()._send(target, event)
        if self.is_bad(DUPLICATE):
            self.books.faults["delivered twice"] += 1
            super()._send(target, event)

    def put(self, detail_type: str, detail: Any, source: str = "my.shell") -> None:
        if detail_type == "Fleet Snapshot Requested":
            self._expect(detail["plan"], detail["scheduledTime"])
        super().put(detail_type, detail, source)

    def _expect(self, plan: str, slot: str) -> None:
        for instance in self.emulator.region(HOME).resources_of_type(Instance):
            is_selected = instance.name.startswith("shop-") if plan == "shops" else instance.tags.get("backup") == plan
            if is_selected and instance.created_at < self.now - timedelta(seconds=MAX_READ_LAG) - UNDISTURBED:
                self.books.expected.add((plan, slot, instance.name))

    def put_entries(self, entries: Sequence[Any]) -> None:
        if self.is_killed:
            raise KilledError
        rejected = [index for index in range(len(entries)) if self.is_bad(REJECTED_ENTRY)]
        super().put_entries([entry for index, entry in enumerate(entries) if index not in rejected])
        self.maybe_kill()
        if rejected:
            self.books.faults["rejected entry"] += len(rejected)
            raise EntriesRejectedError("InternalFailure: try again (PutEvents)", rejected)
        if self.is_bad(0.02):
            self.books.faults["lost answer of PutEvents"] += 1
            raise RetryableError("ReadTimeoutError: (PutEvents)")

    def set_delays(self, seconds: Any) -> None:
        if self.is_bad(0.1):
            raise RetryableError("InternalError: (ChangeMessageVisibilityBatch)")
        super().set_delays(seconds)

    def enqueue(self, queue: str, body: str) -> None:
        super().enqueue(queue, body)
        self.sent.append(queue)
        delay = self.random.choice((0, 0, 0, 1, 3))
        self._queues[queue][-1].visible_at += MINUTE * delay
        self.books.faults["out of order"] += bool(delay)
        if "DeadLetter" in queue:
            self.maybe_kill()

    def _deliver(self, queue: str, function: str, batch: list[Message]) -> None:
        self.random.shuffle(batch)
        again = [replace(message) for message in batch if self.is_bad(DUPLICATE)]
        super()._deliver(queue, function, batch)
        for copy in again:
            if copy.id not in {message.id for message in self._queues[queue]}:  # acknowledged, and yet delivered again
                self.books.faults["delivered twice"] += 1
                self._queues[queue].append(replace(copy, count=copy.count + 1, first_at=copy.first_at or self.now))

    @property
    def queues(self) -> dict[str, list[Message]]:
        return self._queues

    def dead_letters(self, queue: str) -> list[str]:
        """Return the bodies in the queue whose logical id starts so."""
        return [each.body for name, messages in self._queues.items() if name.startswith(queue) for each in messages]

    # Time

    def run(self, length: timedelta) -> None:
        """Let time pass; nobody looks at alarms."""
        end = self.now + length
        while self.now < end:
            self.now += MINUTE
            self.emulator.clock.advance(60)
            if self._since_a_plan() > UNDISTURBED:
                self._act()
            if self.now.minute % 5 == 0:
                self._run_schedules()
            self._run_invocations()
            self._run_queues()

    # The person

    def _by_person(self, act: Any, *arguments: Any) -> None:
        actor, self.actor = self.actor, "person"
        self.books.faults[f"person: {act.__name__.strip('_')}"] += 1
        act(*arguments)
        self.actor = actor

    def _act(self) -> None:
        for at, name, tags in list(self.recreate):
            if at <= self.now:
                self.recreate.remove((at, name, tags))
                self.make(name, tags)
        if self.is_bad(ACTS_PER_DAY / 1440):
            acts = (self._hold, self._release, self._disown, self._delete, self._replace, self._retag, self._take)
            self._by_person(self.random.choice(acts), self.random.choice((HOME, AWAY)))

    def ask(self, operation: str, region: str, **parameters: Any) -> None:
        self.emulator.handle(Call(operation, parameters, region))

    def make(self, name: str, tags: dict[str, str], region: str = HOME) -> None:
        listed = [{"key": key, "value": value} for key, value in tags.items()]
        details = {"availabilityZone": f"{region}a", "blueprintId": "wordpress", "bundleId": "nano_3_0"}
        self.ask("CreateInstances", region, instanceNames=[name], tags=listed, **details)

    def _some(self, kind: Any, region: str) -> Any:
        found = self.emulator.region(region).resources_of_type(kind)
        return self.random.choice(found) if found else None

    def _hold_what_is_to_go(self, region: str) -> None:
        """Hold a snapshot that prune may delete."""
        for each in self.emulator.region(region).resources_of_type(InstanceSnapshot):
            if not self.books.why_kept(each):
                return self._hold(region, each)
        return None

    def _hold(self, region: str, snapshot: InstanceSnapshot | None = None) -> None:
        if some := snapshot or self._some(InstanceSnapshot, region):
            tags = [{"key": self.random.choice(("snapshot-hold", "Snapshot-Hold")), "value": "mine"}]
            self.ask("TagResource", region, resourceName=some.name, tags=tags)

    def _release(self, region: str) -> None:
        for some in self.emulator.region(region).resources_of_type(InstanceSnapshot):
            if any(key.lower() == "snapshot-hold" for key in some.tags):
                keys = ["snapshot-hold", "Snapshot-Hold"]
                self.ask("UntagResource", region, resourceName=some.name, tagKeys=keys)

    def _disown(self, region: str) -> None:
        if some := self._some(InstanceSnapshot, region):
            self.ask("UntagResource", region, resourceName=some.name, tagKeys=["managed-by"])

    def _delete(self, region: str) -> None:
        if some := self._some(InstanceSnapshot, region):
            self.ask("DeleteInstanceSnapshot", region, instanceSnapshotName=some.name)

    def _replace(self, _region: str) -> None:
        """Delete an instance, and make another one of its name, at once or hours later."""
        if some := self._some(Instance, HOME):
            self.ask("DeleteInstance", HOME, instanceName=some.name)
            later = timedelta(hours=self.random.choice((0, 5, 30)))
            self.recreate.append((self.now + later, some.name, {key: value or "" for key, value in some.tags.items()}))

    def _retag(self, _region: str) -> None:
        if some := self._some(Instance, HOME):
            if "backup" in some.tags:
                self.ask("UntagResource", HOME, resourceName=some.name, tagKeys=["backup"])
            else:
                self.ask("TagResource", HOME, resourceName=some.name, tags=[{"key": "backup", "value": "daily"}])

    def _take(self, region: str, name: str = "", instance: str = "") -> None:
        """Take a snapshot, perhaps with the tags of one of ours handed on, as the console does."""
        self.count += 1
        of = instance or getattr(self._some(Instance, region), "name", "")
        ours = self._some(InstanceSnapshot, region)
        tags = ours.tags if ours and self.random.random() < 0.5 else {}
        listed = [{"key": key, "value": value or "x"} for key, value in tags.items()]
        named = name or f"manual-{self.count}"
        self.ask("CreateInstanceSnapshot", region, instanceName=of, instanceSnapshotName=named, tags=listed)
