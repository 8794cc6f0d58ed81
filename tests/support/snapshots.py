"""Builders of plans and snapshots with defaults, as Lightsail would list them, and readers of the decisions."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lightsail_snapshots.decision import Decision, KeptBecause
from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.naming import COPY_OF_KEY, our_tags
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.retention import decide
from lightsail_snapshots.selection import Select
from lightsail_snapshots.snapshot import AVAILABLE, Snapshot

HOME = "eu-central-1"
AWAY = "eu-west-1"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEAKEST = "last=1"
"""Keep rules that never keep more than a plan's own: a list that carries them is decided by today's rules."""


def make_plan(name: str = "daily", keep: Keep | None = None, **more: Any) -> Plan:
    """Build a plan; which instances it selects does not matter here."""
    return Plan(name=name, select=Select(all_instances=True), keep=keep, **more)


LAST_1 = make_plan(keep=Keep(last=1))
DAILY_7 = make_plan(keep=Keep(daily=7))


def instance_arn(number: int = 1, region: str = HOME) -> str:
    return f"arn:aws:lightsail:{region}:123456789012:Instance/{number}"


def snapshot(  # noqa: PLR0913 - a builder, where each argument has a default
    created_at: datetime,
    *,
    name: str = "",
    region: str = HOME,
    state: str = AVAILABLE,
    instance: str = "web-1",
    of: str | None = None,
    plan: str | None = "daily",
    keep: str | None = WEAKEST,
    tags: Mapping[str, str] | None = None,
) -> Snapshot:
    """Build one of ours.

    `of` is the ARN of the instance, `keep` the rules that it was taken under; `tags` are added to ours.
    """
    name = name or f"{instance}-{created_at:%Y%m%dT%H%M%SZ}"
    return Snapshot(
        name=name,
        arn=f"arn:aws:lightsail:{region}:123456789012:InstanceSnapshot/{name}",
        region=region,
        state=state,
        created_at=created_at,
        instance_name=instance,
        instance_arn=instance_arn() if of is None else of,
        tags=our_tags(name, instance, plan=plan, keep=keep if plan else None) | dict(tags or {}),
    )


def copy_of(
    source: Snapshot, *, region: str = AWAY, state: str = AVAILABLE, after: timedelta = timedelta(hours=1)
) -> Snapshot:
    """Build our copy of a snapshot, made some time after it, of which Lightsail has forgotten the instance."""
    return Snapshot(
        name=source.name,
        arn=source.arn.replace(source.region, region),
        region=region,
        state=state,
        created_at=source.created_at + after,
        instance_name="",
        instance_arn="",
        tags={**source.tags, COPY_OF_KEY: source.copy_of},
    )


def nightly(nights: int, *, until: datetime = NOW, region: str = HOME, keep: str | None = WEAKEST) -> list[Snapshot]:
    """Build one snapshot for each of the last nights, newest first."""
    return [snapshot(until - (night + 1) * DAY, region=region, keep=keep) for night in range(nights)]


def deleted(decisions: Iterable[Decision]) -> list[str]:
    return sorted(each.snapshot.name for each in decisions if each.action == "delete")


def held(decisions: Iterable[Decision]) -> list[str]:
    return sorted(each.snapshot.name for each in decisions if each.is_held)


def names(snapshots: Iterable[Snapshot]) -> list[str]:
    return sorted(each.name for each in snapshots)


def decision_on(decisions: Iterable[Decision], about: Snapshot) -> Decision:
    [decision] = [each for each in decisions if each.snapshot == about]
    return decision


def reason(decisions: Iterable[Decision], about: Snapshot) -> str:
    decision = decision_on(decisions, about)
    return f"{decision.action}: {decision.reason}"


def decide_beside_newer(about: Snapshot, *others: Snapshot, plan: Plan = LAST_1) -> Decision:
    """Decide on one snapshot beside the newest one of the same instance, which makes it superfluous."""
    newest = snapshot(NOW - HOUR, name="newest")
    return decision_on(decide([about, newest, *others], [plan], NOW), about)


def reason_for(about: Snapshot, *others: Snapshot, plan: Plan = LAST_1) -> str:
    decision = decide_beside_newer(about, *others, plan=plan)
    return f"{decision.action}: {decision.reason}"


def class_of(about: Snapshot, *others: Snapshot, plan: Plan = LAST_1) -> KeptBecause | None:
    return decide_beside_newer(about, *others, plan=plan).kept_because
