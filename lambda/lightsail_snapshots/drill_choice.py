"""Which snapshots the next restore drill tries: pure functions of what is there."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import NamedTuple

from lightsail_snapshots.drill_options import Drill
from lightsail_snapshots.drill_result import DrillReason, tried_at
from lightsail_snapshots.instance import Instance
from lightsail_snapshots.restore_facts import parse_tags
from lightsail_snapshots.restore_plan import Bundle
from lightsail_snapshots.snapshot import AVAILABLE, Snapshot

HOURS_A_MONTH = 744
"""Lightsail's hourly price is that of the month by this: Lightsail pricing page, "5 USD a month, 0.00672 an hour"."""
_NEVER = datetime.min.replace(tzinfo=UTC)


class Candidate(NamedTuple):
    """The snapshot of one instance that a drill would try, in the Region whose turn it is."""

    tried_at: datetime
    """When any snapshot of the instance was last tried."""
    instance: Instance
    snapshot: Snapshot


class Refusal(NamedTuple):
    """Why a snapshot is not tried."""

    reason: DrillReason
    text: str


def choose(
    instances: Iterable[Instance], snapshots: Iterable[Snapshot], drill: Drill, every: timedelta
) -> list[Candidate]:
    """Return what one run tries: as many instances as needed so that each has its turn within `max_age`.

    The instance that was tried least recently comes first.
    """
    newest, tried = _by_region(snapshots)
    found = [
        _candidate(instance, newest[instance.arn], tried[instance.arn])
        for instance in instances
        if instance.arn in newest
    ]
    count = ceil(len(found) * every / drill.max_age)
    return sorted(found, key=lambda each: (each.tried_at, each.instance.name, each.instance.arn))[:count]


def refuse(snapshot: Snapshot, drill: Drill, bundles: Mapping[str, Bundle]) -> Refusal | None:
    """Say why a snapshot is not tried, if so."""
    if snapshot.disks:
        text = f"{snapshot.name} has {len(snapshot.disks)} attached disks, which a drill does not restore."
        return Refusal(DrillReason.NOT_DRILLABLE, text)
    bundle = bundles.get(choose_bundle(snapshot, bundles))
    if bundle is None:
        text = f"Lightsail no longer offers a bundle for {snapshot.name}, of {snapshot.bundle or 'an unknown one'}."
        return Refusal(DrillReason.NOT_DRILLABLE, text)
    price = bundle.price / HOURS_A_MONTH
    if drill.max_price_per_hour is not None and price > drill.max_price_per_hour:
        limit = f"the limit is {drill.max_price_per_hour:g}"
        text = f"An hour of {bundle.id} costs {price:.4f} USD, and {limit}: raise max_price_per_hour, or accept it."
        return Refusal(DrillReason.TOO_EXPENSIVE, text)
    return None


def choose_bundle(snapshot: Snapshot, bundles: Mapping[str, Bundle]) -> str:
    """Return the id of the snapshot's own bundle, or of the cheapest that takes its place; empty if there is none."""
    facts = parse_tags(snapshot.tags)
    old = bundles.get(snapshot.bundle or (facts.bundle if facts else ""))
    if old is None or old.is_active:
        return old.id if old else ""
    offers = [each for each in bundles.values() if each.is_active and each.fits(old)]
    return min(offers, key=lambda each: each.price).id if offers else ""


def choose_zone(snapshot: Snapshot) -> str:
    """Return the zone of the instance if it is in the snapshot's Region; else the first one, which each Region has."""
    facts = parse_tags(snapshot.tags)
    zone = facts.zone if facts else ""
    return zone if re.fullmatch(f"{re.escape(snapshot.region)}[a-z]", zone) else f"{snapshot.region}a"


def cost(bundle: Bundle | None, seconds: int) -> float:
    """Return what a clone costs in USD: each hour that has begun."""
    return max(1, ceil(seconds / 3600)) * bundle.price / HOURS_A_MONTH if bundle else 0


def _by_region(
    snapshots: Iterable[Snapshot],
) -> tuple[dict[str, dict[str, Snapshot]], dict[str, dict[str, datetime]]]:
    """Return the newest usable snapshot, and when any was last tried, by ARN of the instance and Region."""
    newest: dict[str, dict[str, Snapshot]] = defaultdict(dict)
    tried: dict[str, dict[str, datetime]] = defaultdict(dict)
    for snapshot in snapshots:
        origin = snapshot.origin
        if snapshot.state != AVAILABLE or snapshot.why_foreign(origin) or not origin.instance_arn:
            continue
        here = newest[origin.instance_arn]
        best = here.get(snapshot.region)
        if best is None or best.origin.taken_at < origin.taken_at:
            here[snapshot.region] = snapshot
        if at := tried_at(snapshot):
            times = tried[origin.instance_arn]
            times[snapshot.region] = max(at, times.get(snapshot.region, at))
    return newest, tried


def _candidate(instance: Instance, newest: Mapping[str, Snapshot], tried: Mapping[str, datetime]) -> Candidate:
    region = min(newest, key=lambda each: (tried.get(each, _NEVER), newest[each].is_copy, each))
    return Candidate(max(tried.values(), default=_NEVER), instance, newest[region])
