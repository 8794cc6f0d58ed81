"""Decides what `status` says about each instance; the text, the JSON and the page all show this."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from lightsail_snapshots.instance import Instance
from lightsail_snapshots.naming import DRILL_OF_KEY, PROVEN_AT_KEY, PROVEN_SECONDS_KEY, format_utc, is_temporary
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import InvalidValueError, format_duration, read_instant
from lightsail_snapshots.recovery_points import InstanceStatus, newest_recovery_points, report
from lightsail_snapshots.restore_proofs import clone_until, is_clone_left
from lightsail_snapshots.snapshot import AVAILABLE, Snapshot
from lightsail_snapshots_cli.listing import Listing
from lightsail_snapshots_cli.prices import DOLLARS_PER_GB
from lightsail_snapshots_cli.scope import Scope
from lightsail_snapshots_cli.uncovered import Uncovered
from lightsail_snapshots_plans.schedule_expression import parse_schedule

OVERDUE, NO_PLAN, OUTSIDE = "OVERDUE", "NO PLAN", "OUTSIDE YOUR REGIONS"
MARKS = (OVERDUE, NO_PLAN, OUTSIDE)


class NextRun(NamedTuple):
    """When a plan takes the next snapshots."""

    latest: datetime
    is_exact: bool
    """False: some time before that, since rate(...) counts from when it was deployed."""


class Proof(NamedTuple):
    """The newest restore of one of the instance's snapshots that was seen to work."""

    at: datetime
    seconds: int | None
    """How long it took; None if that is not known."""


class Failure(NamedTuple):
    """Why the last snapshot or copy failed."""

    at: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class Protection:
    """One instance under one plan."""

    plan: Plan
    statuses: Sequence[InstanceStatus]
    """By its own snapshots first, then by its copies in each Region that could be listed."""

    @property
    def copies(self) -> list[InstanceStatus]:
        """By its copies, one for each Region of them."""
        return [each for each in self.statuses if each.copy_region]

    @property
    def overdue_since(self) -> datetime | None:
        """None: it is not overdue."""
        return min((each.overdue_since for each in self.statuses if each.overdue_since), default=None)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One instance."""

    instance: Instance
    region: str
    protections: Sequence[Protection]
    """One for each plan that selects it."""
    recovery_point_at: datetime | None
    """When the data of its newest usable snapshot was taken."""
    age: timedelta | None
    """Of that data."""
    proof: Proof | None
    next_run: NextRun | None
    mark: str
    """One of MARKS; empty if the instance is protected, its plan has no `max_age`, or it is meant to be in no plan."""
    failure: Failure | None = None
    """Since its newest usable snapshot; None also if nobody asked for it."""

    @property
    def plans(self) -> list[str]:
        """The names of the plans that select it."""
        return [each.plan.name for each in self.protections]

    @property
    def has_drill(self) -> bool:
        """Whether a plan restores its snapshots to see whether they work."""
        return any(each.plan.drill for each in self.protections)

    @property
    def max_age(self) -> timedelta | None:
        """The strictest of its plans."""
        return min((each.plan.max_age for each in self.protections if each.plan.max_age), default=None)

    @property
    def overdue_since(self) -> datetime | None:
        """None: it is not overdue."""
        return min((each.overdue_since for each in self.protections if each.overdue_since), default=None)

    @property
    def copies(self) -> Mapping[str, datetime | None]:
        """When the data of the newest usable copy was taken, by Region that a plan copies to."""
        copies = (each for protection in self.protections for each in protection.copies)
        return {each.copy_region: each.recovery_point_at for each in copies if each.copy_region}

    def as_json(self) -> dict[str, Any]:
        """Return it with camelCase keys, as in the events."""
        return {
            "instanceName": self.instance.name,
            "instanceArn": self.instance.arn,
            "region": self.region,
            "plans": self.plans,
            "recoveryPointAt": self.recovery_point_at and format_utc(self.recovery_point_at),
            "ageSeconds": None if self.age is None else round(self.age.total_seconds()),
            "maxAge": self.max_age and format_duration(self.max_age),
            "copies": {region: at and format_utc(at) for region, at in self.copies.items()},
            "hasDrill": self.has_drill,
            "provenAt": self.proof and format_utc(self.proof.at),
            "provenSeconds": self.proof and self.proof.seconds,
            "nextRunAt": self.next_run and format_utc(self.next_run.latest),
            "nextRunIsExact": self.next_run and self.next_run.is_exact,
            "overdueSince": self.overdue_since and format_utc(self.overdue_since),
            "mark": self.mark or None,
        }


@dataclass(frozen=True, kw_only=True)
class CloneLeft:
    """An instance that a restore drill made, and that should be gone."""

    name: str
    region: str
    drill_of: str
    """The name of the instance that it is a clone of."""
    until: datetime

    def as_json(self) -> dict[str, Any]:
        """Return it with camelCase keys."""
        until = format_utc(self.until)
        return {"name": self.name, "region": self.region, "drillOf": self.drill_of, "drillUntil": until}


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """All snapshots of ours that were listed, copies included."""

    count: int
    size_in_gb: int
    """Of the instances' disks. What is billed is less: only data, and of a later snapshot only the changes."""

    @property
    def dollars(self) -> float:
        """The most that they can cost in a month."""
        return self.size_in_gb * DOLLARS_PER_GB


@dataclass(frozen=True, kw_only=True)
class Report:
    """What `status` shows."""

    now: datetime
    rows: Sequence[Row]
    """By Region and name."""
    uncovered: Sequence[Uncovered]
    holdings: Holdings
    problems: Sequence[str] = ()
    """What could not be looked at, a sentence each."""
    clones_left: Sequence[CloneLeft] = ()
    skipped: Sequence[str] = ()
    """The Regions that the account has not enabled."""
    has_failures: bool = False
    """Whether the rows have the last failures: to read the logs takes time, so the page alone has them."""

    @property
    def is_overdue(self) -> bool:
        return any(row.overdue_since for row in self.rows)

    def count(self, mark: str) -> int:
        """Return how many instances have a mark."""
        return sum(row.mark == mark for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """Return it with camelCase keys."""
        return {
            "instances": [row.as_json() for row in self.rows],
            "notCovered": [each.as_json() for each in self.uncovered],
            "drillClonesLeft": [each.as_json() for each in self.clones_left],
            "snapshots": {
                "count": self.holdings.count,
                "sizeInGb": self.holdings.size_in_gb,
                "atMostDollarsPerMonth": round(self.holdings.dollars, 2),
            },
        }


def build_rows(scope: Scope, listing: Listing, regions: Sequence[str], now: datetime) -> list[Row]:
    """Return a row for each instance in these Regions, by Region and name, but for those of drills and of `doctor`."""
    instances: dict[str, Sequence[Instance]] = dict.fromkeys(scope.regions, ())
    found_here = {region: listing.instances.get(region, ()) for region in regions}
    instances |= {region: [each for each in here if not is_temporary(each.tags)] for region, here in found_here.items()}
    newest = newest_recovery_points(listing.snapshots)
    proofs = _proofs(listing.snapshots)
    next_runs = {plan.name: find_next_run(plan, now) for plan in scope.plans}
    found: dict[str, list[Protection]] = defaultdict(list)
    for plan in scope.plans:
        by_instance: dict[str, list[InstanceStatus]] = defaultdict(list)
        for each in report(plan, instances, newest, now).statuses:
            if each.copy_region not in listing.errors:
                by_instance[each.instance.arn].append(each)
        for arn, statuses in by_instance.items():
            found[arn].append(Protection(plan=plan, statuses=statuses))

    def build(region: str, instance: Instance) -> Row:
        at = newest.get((instance.arn, region))
        protections = found[instance.arn]
        is_overdue = any(each.overdue_since for each in protections)
        is_meant = scope.unprotected.excludes(instance.name, instance.tags)
        without_plan = "" if is_meant else NO_PLAN if region in scope.regions else OUTSIDE
        return Row(
            instance=instance,
            region=region,
            protections=protections,
            recovery_point_at=at,
            age=max(now - at, timedelta(0)) if at else None,
            proof=proofs.get(instance.arn),
            next_run=min(filter(None, (next_runs[each.plan.name] for each in protections)), default=None),
            mark=OVERDUE if is_overdue else "" if protections else without_plan,
        )

    ordered = ((region, sorted(instances[region], key=lambda each: each.name)) for region in sorted(regions))
    return [build(region, instance) for region, here in ordered for instance in here]


def find_next_run(plan: Plan, now: datetime) -> NextRun | None:
    """Return when a plan takes the next snapshots; None if that cannot be told: see `Schedule.next_run`."""
    if not plan.enabled or plan.schedule is None:
        return None
    schedule = parse_schedule(plan.schedule)
    if at := schedule.next_run(now, plan.timezone):
        return NextRun(at, is_exact=True)
    is_rate = plan.schedule.startswith("rate(") and schedule.longest_gap
    return NextRun(now + schedule.longest_gap, is_exact=False) if is_rate and schedule.longest_gap else None


def find_clones_left(listing: Listing, now: datetime) -> list[CloneLeft]:
    """Return the clones that are past their time, in all Regions that were listed."""
    return [
        CloneLeft(name=each.name, region=region, drill_of=each.tags.get(DRILL_OF_KEY, ""), until=clone_until(each))
        for region, here in sorted(listing.instances.items())
        for each in here
        if is_clone_left(each, now)
    ]


def count_holdings(snapshots: Iterable[Snapshot]) -> Holdings:
    """Count the snapshots of ours, in any state."""
    ours = [each for each in snapshots if not each.why_foreign(each.origin)]
    return Holdings(count=len(ours), size_in_gb=sum(each.size_in_gb for each in ours))


def _proofs(snapshots: Iterable[Snapshot]) -> dict[str, Proof]:
    """Return the newest proof of each instance, by its ARN; a tag that cannot be read is no proof."""
    found: dict[str, Proof] = {}
    for snapshot in snapshots:
        origin = snapshot.origin
        proof = _proof(snapshot.tags)
        if proof and snapshot.state == AVAILABLE and not snapshot.why_foreign(origin):
            found[origin.instance_arn] = max(proof, found.get(origin.instance_arn, proof), key=lambda each: each.at)
    return found


def _proof(tags: Mapping[str, str]) -> Proof | None:
    if PROVEN_AT_KEY not in tags:
        return None
    try:
        at = read_instant(tags[PROVEN_AT_KEY])
    except InvalidValueError:
        return None
    seconds = tags.get(PROVEN_SECONDS_KEY, "")
    return Proof(at, int(seconds) if seconds.isascii() and seconds.isdigit() else None)
