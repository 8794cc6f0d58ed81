"""Which snapshots prune may delete: a pure function of the listings of all Regions, with a reason for each decision.

- A *list* is counted together: the usable snapshots of one plan, instance and Region that have no `expires-at`. The
  keep rules of its plan decide on it (`keep_rules.py`), together with those that its snapshots still carry in the tag
  `snapshot-keep`: what any of them keeps stays. So routine, backlogs and missed runs drain by themselves, and a
  mistyped rule deletes nothing. `keep_confirmed` lets today's rules decide alone.
- A snapshot with `expires-at` is governed by that alone, and takes no place of a keep rule.
- A snapshot on hold keeps its place, so that a hold changes nothing for the others.
- Instances are told apart by Region, name *and* ARN: if two could be different instances, they are, and each has a
  newest snapshot, which stays.
- With `copy_to`, a snapshot goes only after it, or a newer one of its plan, is usable there. The newer one is enough,
  since a copy that was never made, or was pruned by the same plan a run earlier, must not keep its source forever.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from lightsail_snapshots.decision import Decision, Kept, KeptBecause
from lightsail_snapshots.inventory import InstanceKey, Inventory, Listed
from lightsail_snapshots.keep_rules import KEEP_ALL, Keep, apply_keep_rules, format_keep_tag, parse_keep_tag
from lightsail_snapshots.naming import (
    COPY_OF_KEY,
    EXPIRES_KEY,
    HOLD_KEY,
    KEEP_KEY,
    OUR_KEYS,
    PLAN_KEY,
    PROVEN_AT_KEY,
    is_hold,
)
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import read_instant
from lightsail_snapshots.snapshot import AVAILABLE, ERROR, PENDING, Snapshot


def decide(  # noqa: PLR0913 - what is there, what is wanted, and what could not be seen
    snapshots: Iterable[Snapshot],
    plans: Iterable[Plan],
    now: datetime,
    *,
    incomplete: Collection[str] = (),
    regions: Collection[str] | None = None,
    instances: Mapping[str, Collection[str]] | None = None,
) -> list[Decision]:
    """Decide on every snapshot that was listed, in any order and from any Region, copies among them.

    `incomplete` are the Regions whose listing failed or was cut short: nothing is deleted there, and nothing elsewhere
    that depends on what was not seen: sources of copies there, copies from there, snapshots of an unknown instance.
    `regions` are all that the plans are about (None: any): what is elsewhere, or was copied from elsewhere, is another
    stack's, or all that is left of a Region that was taken out of the plans, and stays.
    `instances` are the ARNs of the instances that are there, by Region; of Regions that it lacks nothing is known.
    The decisions are sorted for reading: by instance name, Region and instance, newest first. Takes O(n log n).
    """
    plans = tuple(plans)
    run = _Run(
        inventory=Inventory(snapshots, now),
        # A plan's own name comes before the earlier name of another.
        plans={name: plan for plan in plans for name in plan.was} | {plan.name: plan for plan in plans},
        now=now,
        incomplete=frozenset(incomplete),
        regions=None if regions is None else frozenset(regions),
        instances=instances or {},
    )
    decisions: list[Decision] = []
    for key in sorted(run.inventory.instances):
        decisions += _Instance(run, key).decide()
    return decisions


def instance_of(snapshot: Snapshot) -> tuple[str, str, str]:
    """Return what tells its instance and Region from all others: name, Region, ARN. `decide` sorts by it."""
    return snapshot.snapshot_of, snapshot.region, snapshot.origin.instance_arn


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What is the same for all decisions: see `decide`."""

    inventory: Inventory
    plans: Mapping[str, Plan]
    """By all their names."""
    now: datetime
    incomplete: Collection[str]
    regions: Collection[str] | None
    instances: Mapping[str, Collection[str]]


class _Instance:
    """The snapshots of one instance in one Region, and what they mean for each other."""

    def __init__(self, run: _Run, key: InstanceKey) -> None:
        self._run = run
        self._name, self._region, arn, self._home = key
        self._is_gone = bool(arn) and self._home in run.instances and arn not in run.instances[self._home]
        self._elsewhere = _elsewhere(run, self._region, self._home)
        self._unseen = _unseen(run, self._region, self._home, arn)
        self._is_unclear = not arn and run.inventory.has_namesakes(self._name)
        self._newest_first = run.inventory.newest_first(key)
        usable = list(filter(run.inventory.is_usable, self._newest_first))
        self._newest = usable[0] if usable else None
        self._newest_proven = next((each for each in usable if PROVEN_AT_KEY in each.snapshot.tags), None)
        self._of_plans: dict[str, list[Listed]] = defaultdict(list)
        for each in usable:
            if plan := run.plans.get(each.snapshot.tags.get(PLAN_KEY, "")):
                self._of_plans[plan.name].append(each)
        self._kept_by_rules: dict[str, Kept] = {}
        for name, of_plan in self._of_plans.items():
            self._kept_by_rules |= keep_by_rules(run.plans[name], of_plan)
        # What many decisions have in common, by the name of the plan.
        self._copied: dict[str, dict[str, Listed | None]] = {}
        self._relied_on: dict[tuple[str, bool], tuple[Snapshot, ...]] = {}

    def _newest_copied(self, plan: Plan) -> Mapping[str, Listed | None]:
        """Return the newest that has a usable copy, for each Region where the plan's must have one.

        It lets all older sources go.
        """
        if plan.name not in self._copied:
            has_copy, usable = self._run.inventory.has_usable_copy, self._of_plans[plan.name]
            self._copied[plan.name] = {
                region: next((each for each in usable if has_copy(region, each)), None)
                for region in plan.copy_to
                if region != self._region == self._home  # copies are not copied again
            }
        return self._copied[plan.name]

    def decide(self) -> list[Decision]:
        """Decide on each, newest first."""
        return [self._decide(each) for each in self._newest_first]

    def _decide(self, listed: Listed) -> Decision:
        """Find the first class of reasons that applies; if there is none, it may go."""
        snapshot = listed.snapshot
        plan = self._run.plans.get(snapshot.tags.get(PLAN_KEY, ""))
        kept = (
            self._protect(listed, plan)
            or self._keep_newest(listed)
            or self._keep_by_plan(listed, plan)
            or self._keep_unseen(snapshot)
        )
        if kept and plan and kept.because is not KeptBecause.FOREIGN:
            kept = _left_behind(snapshot, plan) or kept
        dry_run = plan is not None and plan.dry_run
        if kept:
            return Decision(snapshot, *kept, self._is_gone, dry_run)
        key = plan.name if plan else "", PROVEN_AT_KEY in snapshot.tags
        relies_on = self._relied_on.get(key)
        if relies_on is None:
            relies_on = self._relied_on[key] = tuple(self._find_relied_on(plan, is_proven=key[1]))
        return Decision(snapshot, None, _why_deleted(snapshot, plan), "", self._is_gone, dry_run, relies_on)

    def _find_relied_on(self, plan: Plan | None, *, is_proven: bool) -> Iterator[Snapshot]:
        """Yield the newest usable snapshot, the newest proven one, and in each Region the newest copy of the plan."""
        if self._newest:
            yield self._newest.snapshot
        if is_proven and self._newest_proven and self._newest_proven is not self._newest:
            yield self._newest_proven.snapshot
        for region, source in self._newest_copied(plan).items() if plan else ():
            if source and (copy := self._run.inventory.find_copy(region, source)):
                yield copy

    def _protect(self, listed: Listed, plan: Plan | None) -> Kept | None:
        """Keep snapshots that no rule may delete."""
        snapshot = listed.snapshot
        tags = snapshot.tags
        if listed.why_foreign:
            return Kept(KeptBecause.FOREIGN, listed.why_foreign)
        if plan is None and tags.get(PLAN_KEY):
            return Kept(KeptBecause.UNKNOWN_PLAN, f"its plan {tags[PLAN_KEY]} is not among the plans")
        if self._elsewhere:
            return self._elsewhere
        if not tags.keys() <= OUR_KEYS and any(map(is_hold, tags)):
            return Kept(KeptBecause.HOLD, f"tagged {HOLD_KEY}")
        why_pending = (
            "dated in the future" if listed.origin.taken_at > self._run.now else _why_unfinished(snapshot.state)
        )
        return Kept(KeptBecause.PENDING, why_pending) if why_pending else None

    def _keep_newest(self, listed: Listed) -> Kept | None:
        """Keep the newest usable one, one that may be it or has no newer one, and the newest proven one."""
        if listed is self._newest:
            return Kept(KeptBecause.NEWEST, f"the newest usable snapshot of {self._name}")
        if listed is self._newest_proven and not self._is_unclear:
            return Kept(KeptBecause.PROVEN, f"the newest proven snapshot of {self._name}")
        if self._is_unclear:
            several = f"several instances were named {self._name}, and it does not say which it is of"
            return Kept(KeptBecause.NEWEST, several)
        if listed.snapshot.state == ERROR:
            newest = self._newest
            if newest is None or newest.origin.taken_at <= listed.origin.taken_at:
                return Kept(KeptBecause.NEWEST, f"failed, but there is no newer usable snapshot of {self._name}")
        return None

    def _keep_by_plan(self, listed: Listed, plan: Plan | None) -> Kept | None:
        """Keep what a keep rule keeps, what has not expired, and what is not copied yet."""
        snapshot = listed.snapshot
        if snapshot.state == ERROR:
            return None
        expires = snapshot.tags.get(EXPIRES_KEY)
        if expires is not None:
            kept = _keep_until(expires, self._run.now)
        elif plan is not None:
            kept = self._kept_by_rules.get(snapshot.name)
        else:
            kept = Kept(KeptBecause.RULE, f"no plan made it, and it has no {EXPIRES_KEY}")
        return kept or (self._keep_until_copied(listed, plan) if plan else None)

    def _keep_until_copied(self, listed: Listed, plan: Plan) -> Kept | None:
        for region, newest in self._newest_copied(plan).items():
            copy = self._run.inventory.find_copy(region, listed)
            if copy is not None and copy.state not in (AVAILABLE, ERROR):
                return Kept(KeptBecause.NOT_COPIED, f"its copy in {region} is not usable yet")
            if newest is None or newest.origin.taken_at < listed.origin.taken_at:
                return Kept(KeptBecause.NOT_COPIED, f"neither it nor a newer one has a usable copy in {region}")
        return None

    def _keep_unseen(self, snapshot: Snapshot) -> Kept | None:
        if self._run.inventory.is_ambiguous(snapshot):
            return Kept(KeptBecause.INCOMPLETE_LISTING, "listed twice, and not the same both times")
        return self._unseen


def _why_unfinished(state: str) -> str:
    if state in (AVAILABLE, ERROR):
        return ""
    return PENDING if state == PENDING else f"its state {state} is not known"


def _elsewhere(run: _Run, region: str, home: str) -> Kept | None:
    """Keep what is in, or comes from, a Region that is in no plan."""
    for place, text in ((region, "in"), (home, "a copy from")):
        if run.regions is not None and place not in run.regions:
            outside = f"{text} {place}, which is not among the Regions of the plans"
            return Kept(KeptBecause.REGION_NOT_CONFIGURED, outside)
    return None


def _unseen(run: _Run, region: str, home: str, arn: str) -> Kept | None:
    """Keep what depends on something that was not listed, or not to its end."""
    why = ""
    if region in run.incomplete:
        why = f"the listing of {region} is not complete"
    elif home in run.incomplete:
        # If a whole Region is out of reach, the copies from there may be all that is left.
        why = f"a copy from {home}, whose listing is not complete"
    elif run.incomplete and not arn:
        why = "it does not say which instance it is of, and not every listing is complete"
    return Kept(KeptBecause.INCOMPLETE_LISTING, why) if why else None


def keep_by_rules(plan: Plan, usable: Sequence[Listed]) -> dict[str, Kept]:
    """Return what the keep rules keep of one list, by name; `usable` are all of the plan, newest first.

    With `keep_for` in place of `keep`, the rules that the snapshots carry decide alone.
    """
    own_list = [each for each in usable if EXPIRES_KEY not in each.snapshot.tags]
    if not plan.keep and not plan.keep_for:
        no_rules = Kept(KeptBecause.RULE, f"plan {plan.name} has no keep rules")
        return {each.snapshot.name: no_rules for each in own_list}
    kept: dict[str, Kept] = {}
    if plan.keep:
        for name, reason in _apply(plan.keep, own_list, plan):
            kept[name] = _by_rule(reason)
    if plan.keep and plan.keep == plan.keep_confirmed:
        return kept
    for older, carrier in _carried_rules(own_list, plan.keep):
        for name, reason in _apply(older, own_list if plan.keep else usable, plan):
            if name not in kept:
                kept[name] = _by_older_rules(reason, older, carrier, plan)
    return kept


def _carried_rules(listed: Sequence[Listed], today: Keep | None) -> list[tuple[Keep | None, Snapshot]]:
    """Return the keep rules that differ from today's, each with the newest snapshot that carries them."""
    carriers: dict[str | None, Snapshot] = {}
    for each in listed:
        carriers.setdefault(each.snapshot.tags.get(KEEP_KEY), each.snapshot)
    rules = ((parse_keep_tag(text), carrier) for text, carrier in carriers.items())
    return [(keep, carrier) for keep, carrier in rules if today is None or keep != today]


def _apply(keep: Keep | None, listed: Sequence[Listed], plan: Plan) -> list[tuple[str, str]]:
    """Return the names of those that these rules keep, each with the reason; None keeps all."""
    if keep is None:
        return [(each.snapshot.name, "") for each in listed]
    reasons = apply_keep_rules([each.origin.taken_at for each in listed], keep, ZoneInfo(plan.timezone))
    return [(each.snapshot.name, reason) for each, reason in zip(listed, reasons, strict=True) if reason]


@lru_cache(maxsize=4096)  # the instances of a fleet share them
def _by_rule(reason: str) -> Kept:
    return Kept(KeptBecause.RULE, reason)


def _by_older_rules(reason: str, older: Keep | None, carrier: Snapshot, plan: Plan) -> Kept:
    if older:
        reason = f"{reason}, since {carrier.name} was taken under {format_keep_tag(older)}"
    elif carrier.tags.get(KEEP_KEY) == KEEP_ALL:
        reason = f"{carrier.name} was taken when plan {plan.name} had no keep rules"
    else:
        reason = f"{carrier.name} does not say under which keep rules it was taken"
    if not plan.keep:
        return Kept(KeptBecause.RULE, reason)
    return Kept(KeptBecause.RULES_TIGHTENED, f"held: {reason}", format_keep_tag(older))


def _keep_until(expires: str, now: datetime) -> Kept | None:
    try:
        is_due = read_instant(expires) <= now
    except ValueError:
        return Kept(KeptBecause.EXPIRES, f"its {EXPIRES_KEY} ({expires}) cannot be read")
    return None if is_due else Kept(KeptBecause.EXPIRES, f"expires on {expires}")


def _left_behind(snapshot: Snapshot, plan: Plan) -> Kept | None:
    """Say of one that stays that its plan has left the Region: no new ones come there to replace it."""
    regions = plan.copy_to if COPY_OF_KEY in snapshot.tags else plan.regions or (snapshot.region,)
    if snapshot.region in regions:
        return None
    return Kept(KeptBecause.REGION_NOT_CONFIGURED, f"plan {plan.name} has left {snapshot.region}")


def _why_deleted(snapshot: Snapshot, plan: Plan | None) -> str:
    if snapshot.state == ERROR:
        return f"failed, and there is a newer usable snapshot of {snapshot.snapshot_of}"
    if EXPIRES_KEY in snapshot.tags or plan is None:
        return f"expired on {snapshot.tags[EXPIRES_KEY]}"
    return _not_kept(plan.name)


@lru_cache(maxsize=4096)  # many snapshots share the text
def _not_kept(plan_name: str) -> str:
    return f"no keep rule of plan {plan_name} keeps it"
