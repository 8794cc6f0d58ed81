"""The life of one instance's snapshots, without AWS: they are taken, fail and are pruned while its plans change."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from lightsail_snapshots.keep_rules import format_keep_tag
from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.retention import decide
from lightsail_snapshots.snapshot import AVAILABLE, ERROR, Snapshot
from tests.support.snapshots import DAY, snapshot

START = datetime(2026, 1, 5, 3, 15, tzinfo=UTC)  # a Monday


class Simulation:
    """One instance; its plans may change at any time."""

    def __init__(self, *plans: Plan) -> None:
        self.now = START
        self.plans = plans
        self.snapshots: list[Snapshot] = []
        """Those that are there."""
        self.taken: list[datetime] = []
        """The usable ones that ever were, oldest first."""
        self.deleted: list[str] = []
        self.held: list[int] = []
        """How many snapshots each run of prune held."""

    def take(self, plan_name: str = "daily", state: str = AVAILABLE) -> None:
        """Take a snapshot as the plan is now, as `create` would."""
        plan = next(each for each in self.plans if each.name == plan_name)
        expiry = {"expires-at": format_utc(self.now + plan.keep_for)} if plan.keep_for else {}
        keep = None if plan.keep_for else format_keep_tag(plan.keep)
        name = f"{plan_name}-{len(self.snapshots) + len(self.deleted)}"
        self.snapshots.append(snapshot(self.now, name=name, plan=plan_name, keep=keep, state=state, tags=expiry))
        if state == AVAILABLE:
            self.taken.append(self.now)

    def prune(self) -> list[str]:
        """Delete what may go; return the names."""
        decisions = decide(self.snapshots, self.plans, self.now)
        self.snapshots = [each.snapshot for each in decisions if each.action == "keep"]
        self.held.append(sum(each.is_held for each in decisions))
        gone = [each.snapshot.name for each in decisions if each.action == "delete"]
        self.deleted += gone
        return gone

    def run(
        self,
        length: timedelta,
        *,
        take: Mapping[str, timedelta] | None = None,
        prune_every: timedelta | None = DAY,
        state: str = AVAILABLE,
    ) -> None:
        """Let time pass. `take` has the interval of each plan, by default one a day for plan daily.

        At one moment, snapshots are taken before prune runs.
        """
        end = self.now + length
        events = [
            (moment, 0, plan) for plan, every in (take or {"daily": DAY}).items() for moment in self._at(every, end)
        ]
        if prune_every:
            events += [(moment, 1, "") for moment in self._at(prune_every, end)]
        for self.now, is_prune, plan in sorted(events):
            if is_prune:
                self.prune()
            else:
                self.take(plan, state)
        self.now = end

    def _at(self, every: timedelta, end: datetime) -> Iterator[datetime]:
        moment = self.now
        while moment < end:
            yield moment
            moment += every

    def fail(self, length: timedelta) -> None:
        """Let time pass in which no snapshot becomes usable."""
        self.run(length, state=ERROR)

    def left(self, plan: str = "daily") -> list[datetime]:
        """Return when those that are left of a plan were taken, newest first."""
        found = [each.created_at for each in self.snapshots if each.tags["snapshot-plan"] == plan]
        return sorted(found, reverse=True)

    def newest(self, count: int) -> list[datetime]:
        """Return when the newest usable ones that ever were have been taken, newest first."""
        return self.taken[::-1][:count]
