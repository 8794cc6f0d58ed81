"""Which instances no plan selects, and why a person may think that one does."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import partial
from typing import Literal, NamedTuple, get_args

from lightsail_snapshots.instance import Instance
from lightsail_snapshots.naming import PLAN_KEY, is_temporary
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.selection import Select
from lightsail_snapshots.snapshot import AVAILABLE, Snapshot

Because = Literal["left_plan", "similar_tag", "region_not_configured", "no_plan"]
"""The first that applies, the most urgent first."""

_CUTOFF = 0.8
"""How alike two texts are, of 1: dayly and daily are, web1 and web2 are not."""


class PlanSnapshot(NamedTuple):
    """When a plan took a snapshot, and which plan."""

    taken_at: datetime
    plan: str


class Spelling(NamedTuple):
    """A tag of an instance that resembles one that a plan selects, both as key=value."""

    plan: str
    tag: str
    meant: str


@dataclass(frozen=True, kw_only=True)
class UnprotectedInstance:
    """One instance that no plan selects."""

    instance: Instance
    region: str
    because: Because
    plan: str | None = None
    """left_plan: the plan of its newest snapshot; else the plan that would select it elsewhere, or spelled right."""
    spelling: Spelling | None = None
    """The tag that keeps it out of `plan`, if that is known."""
    snapshot_at: datetime | None = None
    """left_plan: when that snapshot was taken."""


def newest_plan_snapshots(snapshots: Iterable[Snapshot]) -> dict[str, PlanSnapshot]:
    """Return the newest usable snapshot that a plan took of each instance, by the instance's ARN; copies count too."""
    newest: dict[str, PlanSnapshot] = {}
    for snapshot in snapshots:
        origin, plan = snapshot.origin, snapshot.tags.get(PLAN_KEY)
        if plan and origin.instance_arn and snapshot.state == AVAILABLE and not snapshot.why_foreign(origin):
            found = PlanSnapshot(origin.taken_at, plan)
            newest[origin.instance_arn] = max(found, newest.get(origin.instance_arn, found))
    return newest


def find_unprotected(
    plans: Sequence[Plan],
    instances: Mapping[str, Sequence[Instance]],
    newest: Mapping[str, PlanSnapshot],
    meant: Select,
) -> list[UnprotectedInstance]:
    """Return the instances of all Regions that no plan selects, unless `meant` excludes them; the most urgent first."""

    def is_selected(region: str, instance: Instance) -> bool:
        return any(region in plan.regions and plan.select.matches(instance.name, instance.tags) for plan in plans)

    found = [
        _classify(plans, region, instance, newest.get(instance.arn))
        for region, here in instances.items()
        for instance in here
        if not is_temporary(instance.tags)
        and not is_selected(region, instance)
        and not meant.excludes(instance.name, instance.tags)
    ]
    order = get_args(Because)
    return sorted(found, key=lambda each: (order.index(each.because), each.region, each.instance.name))


def _classify(
    plans: Sequence[Plan], region: str, instance: Instance, newest: PlanSnapshot | None
) -> UnprotectedInstance:
    make = partial(UnprotectedInstance, instance=instance, region=region)
    spelling = next(_spellings(plans, instance), None)
    if newest:
        plan = next((plan.name for plan in plans if newest.plan in plan.was), newest.plan)
        its_own = spelling if spelling and spelling.plan == plan else None
        return make(because="left_plan", plan=plan, spelling=its_own, snapshot_at=newest.taken_at)
    for each in plans:
        if each.select.matches(instance.name, instance.tags):
            return make(because="region_not_configured", plan=each.name)
    if spelling:
        return make(because="similar_tag", plan=spelling.plan, spelling=spelling)
    is_configured = not plans or any(region in plan.regions for plan in plans)
    return make(because="no_plan" if is_configured else "region_not_configured")


def _spellings(plans: Sequence[Plan], instance: Instance) -> Iterator[Spelling]:
    """Yield each plan that would select the instance if its tags were spelled right, with the first wrong one."""
    for plan in plans:
        tags = [_find_tag(instance.tags, *each) for each in plan.select.tags.items()]
        wrong = [tag for tag in tags if tag and tag.given != tag.meant]
        right = dict(tag.meant for tag in tags if tag)
        if wrong and plan.select.matches(instance.name, {**instance.tags, **right}):
            yield Spelling(plan.name, "=".join(wrong[0].given), "=".join(wrong[0].meant))


class _Tag(NamedTuple):
    given: tuple[str, str]
    meant: tuple[str, str]


def _find_tag(tags: Mapping[str, str], key: str, glob: str) -> _Tag | None:
    """Return the tag that a plan selects by this key and glob, or one that is spelled nearly so."""
    for given, value in sorted(tags.items(), key=lambda tag: tag[0] != key):
        if _is_alike(given, key):
            if fnmatchcase(value, glob):
                return _Tag((given, value), (key, value))
            if _is_alike(value, glob):
                return _Tag((given, value), (key, glob))
    return None


def _is_alike(given: str, meant: str) -> bool:
    return bool(get_close_matches(given.strip().casefold(), [meant.casefold()], cutoff=_CUTOFF))
