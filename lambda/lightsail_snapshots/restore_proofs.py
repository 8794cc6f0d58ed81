"""How old the proofs are that instances can be restored: pure functions of what the audit lists.

A proof is a restore that was seen to work, from any snapshot or copy of this very instance. An instance without one is
as far behind as it is old.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lightsail_snapshots.instance import Instance
from lightsail_snapshots.naming import DRILL_UNTIL_KEY, PROVEN_AT_KEY, is_drill
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import read_instant
from lightsail_snapshots.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class ProofStatus:
    """How far one instance is behind."""

    instance: Instance
    region: str
    proven_at: datetime | None
    age: timedelta
    overdue_since: datetime | None


@dataclass(frozen=True, kw_only=True)
class ProofReport:
    """The status of all instances of one plan with drills."""

    plan: Plan
    max_age: timedelta
    statuses: Sequence[ProofStatus]

    @property
    def oldest(self) -> timedelta | None:
        """None if the plan selects no instance."""
        return max((each.age for each in self.statuses), default=None)

    @property
    def overdue(self) -> list[ProofStatus]:
        """The overdue ones, the longest first."""
        found = [each for each in self.statuses if each.overdue_since]
        return sorted(found, key=lambda each: (each.overdue_since, each.region, each.instance.name))


def newest_proofs(snapshots: Iterable[Snapshot]) -> dict[str, datetime]:
    """Return when each instance was last proven, by its ARN."""
    newest: dict[str, datetime] = {}
    for snapshot in snapshots:
        at = _instant(snapshot.tags.get(PROVEN_AT_KEY, ""))
        if at is None:
            continue
        origin = snapshot.origin
        if origin.instance_arn and not snapshot.why_foreign(origin):
            newest[origin.instance_arn] = max(at, newest.get(origin.instance_arn, at))
    return newest


def report_proofs(
    plan: Plan, instances: Mapping[str, Sequence[Instance]], newest: Mapping[str, datetime], now: datetime
) -> ProofReport | None:
    """Return the status of one plan's instances; None if the plan has no drills."""
    if plan.drill is None:
        return None
    max_age = plan.drill.max_age
    statuses = [
        _status(instance, region, newest.get(instance.arn), max_age, now)
        for region in plan.regions
        for instance in instances[region]
        if plan.select.matches(instance.name, instance.tags)
    ]
    return ProofReport(plan=plan, max_age=max_age, statuses=statuses)


def _status(
    instance: Instance, region: str, proven_at: datetime | None, max_age: timedelta, now: datetime
) -> ProofStatus:
    since = proven_at or instance.created_at
    age = max(now - since, timedelta())
    return ProofStatus(
        instance=instance,
        region=region,
        proven_at=proven_at,
        age=age,
        overdue_since=since + max_age if age > max_age else None,
    )


def clones_left(instances: Mapping[str, Sequence[Instance]], now: datetime) -> list[str]:
    """Return the names of the clones that are past their time."""
    return [each.name for here in instances.values() for each in here if is_clone_left(each, now)]


def is_clone_left(instance: Instance, now: datetime) -> bool:
    """Whether it is a clone that is past its time."""
    return is_drill(instance.tags) and clone_until(instance) < now


def clone_until(instance: Instance) -> datetime:
    """Return when a clone must be gone; one whose tag cannot be read should not be there at all."""
    return _instant(instance.tags.get(DRILL_UNTIL_KEY, "")) or instance.created_at


def _instant(text: str) -> datetime | None:
    try:
        return read_instant(text)
    except ValueError:
        return None
