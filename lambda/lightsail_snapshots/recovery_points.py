"""Which instances could not be restored, and how old the newest snapshots of the others are.

- A recovery point of an instance is a usable snapshot of ours, of this very instance by ARN: an earlier instance of the
  same name is another one. It counts for every plan, also after its `expires-at`: while it exists, it can be
  restored.
- An instance without one is as far behind as it is old: that much data would be lost.
- An instance is overdue if it is farther behind than its plan's `max_age`. So a new one has as long for its first
  snapshot as any other for its next.
- A copy is as old as the data of its source. Its instance is overdue only COPY_TIME after `max_age`: a slow copy is not
  a missing one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lightsail_snapshots.instance import Instance
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.snapshot import AVAILABLE, Snapshot

COPY_TIME = timedelta(hours=24)
"""How long `copy` goes on trying: see `deadline` in infra/copy.py."""

RecoveryPointTimes = Mapping[tuple[str, str], datetime]
"""When the newest recovery point was taken, by ARN of the instance and Region of the snapshot."""


@dataclass(frozen=True, kw_only=True)
class InstanceStatus:
    """How far one instance is behind, by its own snapshots or by its copies in one Region."""

    instance: Instance
    region: str
    """Of the instance."""
    copy_region: str | None
    """Of the copies; None: the snapshots in the instance's own Region."""
    recovery_point_at: datetime | None
    """When the data of the newest usable one was taken; None: there is none."""
    age: timedelta
    """Of that data; of the instance, if there is none."""
    overdue_since: datetime | None
    """None: it is not overdue."""


@dataclass(frozen=True, kw_only=True)
class PlanReport:
    """The status of all instances of one plan."""

    plan: Plan
    statuses: Sequence[InstanceStatus]
    """One for each instance that the plan selects, and one more for each Region of its copies."""

    @property
    def overdue(self) -> list[InstanceStatus]:
        """The overdue ones, the longest first."""
        found = [status for status in self.statuses if status.overdue_since]
        return sorted(
            found, key=lambda each: (each.overdue_since, each.region, each.instance.name, each.copy_region or "")
        )

    @property
    def instances(self) -> int:
        """How many instances the plan selects."""
        return len({status.instance.arn for status in self.statuses})

    @property
    def instances_overdue(self) -> int:
        """How many instances are overdue, by their snapshots, their copies or both."""
        return len({status.instance.arn for status in self.statuses if status.overdue_since})

    @property
    def instances_protected(self) -> int:
        """How many instances have a recovery point and all copies, none of them too old."""
        lacking = {each.instance.arn for each in self.statuses if each.overdue_since or not each.recovery_point_at}
        return self.instances - len(lacking)

    @property
    def oldest(self) -> timedelta | None:
        """How far the worst instance is behind by its own snapshots; None if the plan selects no instance."""
        return max((each.age for each in self.statuses if each.copy_region is None), default=None)

    @property
    def oldest_copy(self) -> timedelta | None:
        """How far the worst instance is behind by its copies; None if the plan has none."""
        return max((each.age for each in self.statuses if each.copy_region is not None), default=None)


def newest_recovery_points(snapshots: Iterable[Snapshot]) -> RecoveryPointTimes:
    """Return when the newest recovery point of each instance was taken, in each Region that has one. Takes O(n)."""
    newest: dict[tuple[str, str], datetime] = {}
    for snapshot in snapshots:
        origin = snapshot.origin
        is_known = origin.instance_arn and not snapshot.why_foreign(origin)
        if snapshot.state == AVAILABLE and is_known:
            key = (origin.instance_arn, snapshot.region)
            newest[key] = max(origin.taken_at, newest.get(key, origin.taken_at))
    return newest


def report(
    plan: Plan, instances: Mapping[str, Sequence[Instance]], newest: RecoveryPointTimes, now: datetime
) -> PlanReport:
    """Return the status of one plan's instances; `instances` has those of each Region of the plan."""
    selected = (
        (region, instance)
        for region in plan.regions
        for instance in instances[region]
        if plan.select.matches(instance.name, instance.tags)
    )
    statuses = [each for region, instance in selected for each in _statuses(plan, region, instance, newest, now)]
    return PlanReport(plan=plan, statuses=statuses)


def _statuses(
    plan: Plan, region: str, instance: Instance, newest: RecoveryPointTimes, now: datetime
) -> Iterator[InstanceStatus]:
    for copy_region in (None, *plan.copy_to):
        taken_at = newest.get((instance.arn, copy_region or region))
        behind_since = taken_at or instance.created_at
        allowed = plan.max_age and plan.max_age + (COPY_TIME if copy_region else timedelta(0))
        overdue_since = behind_since + allowed if allowed and now - behind_since > allowed else None
        yield InstanceStatus(
            instance=instance,
            region=region,
            copy_region=copy_region,
            recovery_point_at=taken_at,
            age=max(now - behind_since, timedelta(0)),  # it may be newer than the request
            overdue_since=overdue_since,
        )
