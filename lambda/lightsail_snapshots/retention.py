"""Which snapshots may go: a pure function over one listing per Region, with a reason for each decision.

The interlocks come first, the keep rules after them, and last the check that not too much goes at once.

- A snapshot with `expires-at` is governed by that alone: it stays until then, is deleted after it, and takes no place
  of a keep rule. Nothing else ends a snapshot that no plan made, or one of a plan without keep rules.
- All others are governed by the keep rules of their plan (`keep.py`). A snapshot on hold keeps its place, so that a
  hold changes nothing for the others.
- Places are counted for each plan, and for each instance by Region, name *and* ARN: whatever could be another instance
  is one, and has a newest snapshot of its own that stays.
- With `copy_to`, a snapshot goes only after it, or a newer one of its plan, is usable there. The newer one is enough,
  since a copy that was never made, or was pruned by this same policy a run earlier, must not keep its source for ever.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from lightsail_snapshots.keep_rules import Keep, apply_keep_rules
from lightsail_snapshots.naming import COPY_OF_KEY, EXPIRES_KEY, HOLD_KEY, PLAN_KEY, is_hold
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import read_instant
from lightsail_snapshots.snapshot import AVAILABLE, ERROR, PENDING, Snapshot

UNPLANNED = ""
"""Stands for the plan of snapshots that other systems asked for: only their own `expires-at` ends them."""

FARTHEST_ALLOWANCE = timedelta(days=7)
"""How far ahead `allow_deletes_until` may lie: an allowance that is forgotten must not stay."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What is to become of one snapshot, and why."""

    snapshot: Snapshot
    action: Literal["keep", "delete"]
    reason: str
    """A part of a sentence, for a table that a person reads: "daily 3 of 7"."""
    refused: bool = False
    """Kept only because too many of its instance would have gone at once: this calls for an alarm."""
    dry_run: bool = False
    """Its plan only looks on: `delete` is reported, and not done."""


def decide(
    snapshots: Iterable[Snapshot],
    plans: Iterable[Plan],
    now: datetime,
    *,
    incomplete: Collection[str] = (),
    regions: Collection[str] | None = None,
) -> list[Decision]:
    """Decide on every snapshot, in any order and from all Regions of the plans, copies among them.

    `incomplete` are the Regions whose listing failed or was cut short: nothing is deleted there, and nothing elsewhere
    that hangs on what was not seen: sources of copies there, copies from there, snapshots of an unknown instance.
    `regions` are all that the plans are about (None: any): a copy from elsewhere is another stack's, or all that is
    left of a Region that was taken out of the plans, and stays. The decisions are sorted for reading: by instance name,
    Region and instance, newest first. Takes O(n log n).
    """
    listing = _Listing(snapshots, plans, now, incomplete, regions)
    instances: dict[tuple[str, str, str], list[Snapshot]] = defaultdict(list)
    for snapshot in listing.snapshots:
        instances[instance_of(snapshot)].append(snapshot)
    decisions = []
    for _, instance in sorted(instances.items()):
        instance.sort(key=lambda snapshot: (snapshot.origin.taken_at, snapshot.name), reverse=True)
        decisions += _stop_if_too_many(_limit_expirations(_decide_one(listing, instance)), listing)
    return decisions


def instance_of(snapshot: Snapshot) -> tuple[str, str, str]:
    """Return what tells its instance and Region from all others: name, Region, ARN. `decide` sorts by it."""
    return snapshot.snapshot_of, snapshot.region, snapshot.origin.instance_arn


def _plan_of(snapshot: Snapshot) -> str:
    return snapshot.tags.get(PLAN_KEY, UNPLANNED)


class _Listing:
    """Everything that was listed, and what can be said of a snapshot without looking at those of its own instance."""

    def __init__(
        self,
        snapshots: Iterable[Snapshot],
        plans: Iterable[Plan],
        now: datetime,
        incomplete: Collection[str],
        regions: Collection[str] | None,
    ) -> None:
        self.now = now
        self.plans = {plan.name: plan for plan in plans}
        self.dry_run_plans = {name for name, plan in self.plans.items() if plan.dry_run}
        self._incomplete = frozenset(incomplete)
        self._regions = regions
        # A page may repeat what an earlier one had: it is one snapshot, unless it changed in between.
        self._first: dict[tuple[str, str], Snapshot] = {}
        self._changed: dict[tuple[str, str], list[Snapshot]] = {}
        self._namesakes: dict[str, set[str]] = defaultdict(set)
        for snapshot in snapshots:
            self._add(snapshot)
        once = (snapshot for key, snapshot in self._first.items() if key not in self._changed)
        changed = (snapshot for versions in self._changed.values() for snapshot in versions)
        self.snapshots = [*once, *sorted(changed, key=repr)]

    def _add(self, snapshot: Snapshot) -> None:
        key = (snapshot.region, snapshot.name)
        first = self._first.setdefault(key, snapshot)
        if first is not snapshot and snapshot not in (versions := self._changed.get(key, [first])):
            self._changed[key] = [*versions, snapshot]
        if arn := snapshot.origin.instance_arn:
            self._namesakes[snapshot.snapshot_of].add(arn)

    def is_good(self, snapshot: Snapshot) -> bool:
        """Whether an instance could be restored from it, now and as far as we know."""
        return (
            snapshot.is_ours
            and not snapshot.has_tags_of_another
            and not snapshot.is_unclear_copy
            and snapshot.state == AVAILABLE
            and snapshot.origin.taken_at <= self.now
            and not self._is_ambiguous(snapshot)
        )

    def reasons_protected(self, snapshot: Snapshot) -> Iterator[str]:
        """Say why it must stay, whatever any rule says."""
        plan, state = _plan_of(snapshot), snapshot.state
        if not snapshot.is_ours:
            yield "not managed by lightsail-snapshots"
        if snapshot.has_tags_of_another:
            yield f"made by somebody else, of {snapshot.instance_name}: our tags on it were handed on to it"
        if snapshot.is_unclear_copy:
            yield f"a copy, and its tag {COPY_OF_KEY} does not say of what"
        yield from self._unseen(snapshot)
        if self._is_ambiguous(snapshot):
            yield "listed twice, and not the same both times"
        if plan != UNPLANNED and plan not in self.plans:
            yield f"its plan {plan} is not among the plans"
        if any(map(is_hold, snapshot.tags)):
            yield f"tagged {HOLD_KEY}"
        if state not in (AVAILABLE, ERROR):
            yield "pending" if state == PENDING else f"its state {state} is not known"
        if snapshot.origin.taken_at > self.now:
            yield "dated in the future"
        if not snapshot.origin.instance_arn and len(self._namesakes[snapshot.snapshot_of]) > 1:
            yield f"several instances were named {snapshot.snapshot_of}, and it does not say which it is of"

    def _unseen(self, snapshot: Snapshot) -> Iterator[str]:
        """Say why it must stay while something was not listed, or not to its end."""
        home = snapshot.origin.region
        if self._regions is not None and home not in self._regions:
            yield f"a copy from {home}, which is not among the Regions of the plans"
        if not self._incomplete:
            return
        if snapshot.region in self._incomplete:
            yield f"the listing of {snapshot.region} is not complete"
        elif home in self._incomplete:
            # Where a whole Region is out of reach, the copies from there may be all that is left.
            yield f"a copy from {home}, whose listing is not complete"
        elif not snapshot.origin.instance_arn:
            yield "it does not say which instance it is of, and not every listing is complete"

    def copy_in(self, region: str, source: Snapshot) -> Snapshot | None:
        """Return our copy of a snapshot in another Region: it has the same name, and names its source in a tag."""
        copy = self._first.get((region, source.name))
        if copy is None or not copy.is_ours or self._is_ambiguous(copy):
            return None
        # Its time too: a name that was used again may have a copy of what had it before.
        return copy if copy.tags.get(COPY_OF_KEY) == source.copy_of else None

    def has_usable_copy(self, region: str, source: Snapshot) -> bool:
        copy = self.copy_in(region, source)
        return copy is not None and copy.state == AVAILABLE

    def _is_ambiguous(self, snapshot: Snapshot) -> bool:
        return bool(self._changed) and (snapshot.region, snapshot.name) in self._changed


def _decide_one(listing: _Listing, snapshots: Sequence[Snapshot]) -> list[Decision]:
    """Decide on the snapshots of one instance in one Region, newest first."""
    instance = _Instance(listing, [snapshot for snapshot in snapshots if listing.is_good(snapshot)])
    decisions = []
    for snapshot in snapshots:
        kept = next(instance.reasons_to_keep(snapshot), None)
        decisions.append(
            Decision(
                snapshot=snapshot,
                action="keep" if kept else "delete",
                reason=kept or _reason_to_delete(snapshot),
                dry_run=_plan_of(snapshot) in listing.dry_run_plans,
            )
        )
    return decisions


def _reason_to_delete(snapshot: Snapshot) -> str:
    if snapshot.state == ERROR:
        return f"failed, and there is a newer usable snapshot of {snapshot.snapshot_of}"
    if EXPIRES_KEY in snapshot.tags:
        return f"expired on {snapshot.tags[EXPIRES_KEY]}"
    return f"no keep rule of plan {_plan_of(snapshot)} keeps it"


class _Instance:
    """The good snapshots of one instance in one Region, newest first, and what they mean for the others."""

    def __init__(self, listing: _Listing, good: Sequence[Snapshot]) -> None:
        self._listing = listing
        self._newest = good[0] if good else None
        self._places: dict[str, list[str]] = {}
        self._copied_until: dict[tuple[str, str], datetime] = {}
        by_plan: dict[str, list[Snapshot]] = defaultdict(list)
        for snapshot in good:
            by_plan[_plan_of(snapshot)].append(snapshot)
        for name in by_plan.keys() & listing.plans.keys():
            self._count(by_plan[name], listing.plans[name])

    def _count(self, good: Sequence[Snapshot], plan: Plan) -> None:
        """Give out the places of one plan, and see how far its copies have come."""
        governed = [snapshot for snapshot in good if EXPIRES_KEY not in snapshot.tags]
        taken = [snapshot.origin.taken_at for snapshot in governed]
        names = (snapshot.name for snapshot in governed)
        rules = apply_keep_rules(taken, plan.keep or Keep(), ZoneInfo(plan.timezone))
        self._places.update(zip(names, rules, strict=True))
        for region in plan.copy_to:
            copied = (each.origin.taken_at for each in good if self._listing.has_usable_copy(region, each))
            if newest := next(copied, None):
                self._copied_until[plan.name, region] = newest

    def reasons_to_keep(self, snapshot: Snapshot) -> Iterator[str]:
        """Say why it stays, the weightiest reason first; nothing where it may go."""
        yield from self._listing.reasons_protected(snapshot)
        if snapshot is self._newest:
            yield f"the newest usable snapshot of {snapshot.snapshot_of}"
        expires = EXPIRES_KEY in snapshot.tags
        plan = self._listing.plans.get(_plan_of(snapshot))
        if not expires and plan is None:
            yield f"no plan made it, and it has no {EXPIRES_KEY}"
        elif not expires and plan and not plan.keep:
            yield f"plan {plan.name} has no keep rules"
        if snapshot.state == ERROR:
            if self._newest is None or self._newest.origin.taken_at <= snapshot.origin.taken_at:
                yield f"failed, but there is no newer usable snapshot of {snapshot.snapshot_of}"
            return
        if expires:
            yield from self._expiry(snapshot)
        elif rules := self._places[snapshot.name]:
            yield ", ".join(rules)
        if plan is not None:
            yield from self._missing_copies(snapshot, plan)

    def _expiry(self, snapshot: Snapshot) -> Iterator[str]:
        text = snapshot.tags[EXPIRES_KEY]
        try:
            expires_at = read_instant(text)
        except ValueError:
            yield f"its {EXPIRES_KEY} ({text}) cannot be read"
            return
        if expires_at > self._listing.now:
            yield f"expires on {text}"

    def _missing_copies(self, snapshot: Snapshot, plan: Plan) -> Iterator[str]:
        for region in plan.copy_to:
            if snapshot.is_copy or region == snapshot.region:
                continue
            copy = self._listing.copy_in(region, snapshot)
            copied_until = self._copied_until.get((plan.name, region))
            if copy is not None and copy.state not in (AVAILABLE, ERROR):
                yield f"its copy in {region} is not usable yet"
            elif copied_until is None or copied_until < snapshot.origin.taken_at:
                yield f"neither it nor a newer one has a usable copy in {region}"


def _limit_expirations(decisions: Sequence[Decision]) -> list[Decision]:
    """Let what no plan made expire a few at a time, the oldest first.

    Its end was set when it was made, so no mistyped rule can have brought it about and nobody needs to allow it; but
    nothing goes all at once.
    """
    limit = _default_max_deletes(decisions)
    expiring = [each for each in decisions if each.action == "delete" and _plan_of(each.snapshot) == UNPLANNED]
    waiting = {each.snapshot.name for each in expiring[:-limit]}
    wait = f"older ones go first, {limit} in one run"
    return [
        replace(each, action="keep", reason=f"{each.reason}; {wait}") if each.snapshot.name in waiting else each
        for each in decisions
    ]


def _default_max_deletes(decisions: Sequence[Decision]) -> int:
    """Return how many of one instance may go in one run where its plan does not say.

    At least three: on one Monday a daily and a weekly one lose their places, and a failed one goes too.
    """
    return max(3, sum(decision.snapshot.is_ours for decision in decisions) // 4)


def _stop_if_too_many(decisions: Sequence[Decision], listing: _Listing) -> list[Decision]:
    """Withdraw all deletions of one instance where one of its plans would delete more than it may in one run."""
    usual = _default_max_deletes(decisions)
    going = Counter(_plan_of(decision.snapshot) for decision in decisions if decision.action == "delete")
    refusals = {
        plan: refusal for plan, count in sorted(going.items()) if (refusal := _refusal(listing, plan, count, usual))
    }
    # A plan that only looks on stops nobody else.
    stops_all = next((refusal for plan, refusal in refusals.items() if plan not in listing.dry_run_plans), None)

    def checked(decision: Decision) -> Decision:
        refusal = refusals.get(_plan_of(decision.snapshot), stops_all)
        if decision.action == "keep" or refusal is None:
            return decision
        return replace(decision, action="keep", reason=f"{decision.reason}; {refusal}", refused=True)

    return [checked(decision) for decision in decisions]


def _refusal(listing: _Listing, name: str, count: int, usual: int) -> str | None:
    """Say why so many deletions are too many, or None where they are not."""
    plan = listing.plans.get(name)
    if plan is None:  # what no plan made goes a few at a time already
        return None
    limit = usual if plan.max_deletes is None else plan.max_deletes
    today = listing.now.astimezone(ZoneInfo(plan.timezone)).date()
    until = plan.allow_deletes_until
    if count <= limit or (until and today <= until <= today + FARTHEST_ALLOWANCE):
        return None
    too_far = until is not None and until > today
    hint = f"; allow_deletes_until = {until} does not count, it is more than seven days ahead" if too_far else ""
    return f"not done: {count} deletions by plan {name} in one run, at most {limit} are allowed{hint}"
