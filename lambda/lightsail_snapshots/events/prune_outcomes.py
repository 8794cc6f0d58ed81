"""What prune publishes: `Instance Snapshot Deleted` for each deletion, and `Prune Refused` in the daily report."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from lightsail_snapshots.decision import Decision
from lightsail_snapshots.events.prune_requested import PruneRequest
from lightsail_snapshots.keep_rules import confirmation, format_keep_tag
from lightsail_snapshots.naming import PLAN_KEY, format_utc
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.text import clean

MOST_LISTS = 50
"""Entries in `refused`. Even with the longest names each has at most 2.5 KB, and an event may have 256 KB."""
MOST_RULES = 5
"""Rules in each `rulesTakenUnder`."""
MOST_NAMED = 5
"""Plans in `message`, which people read on a phone."""


def deleted_detail(request: PruneRequest, decision: Decision) -> dict[str, Any]:
    """Build the detail of `Instance Snapshot Deleted`."""
    snapshot = decision.snapshot
    plan = snapshot.tags.get(PLAN_KEY)
    return {
        "requestId": request.request_id,
        "instanceName": snapshot.snapshot_of,
        "instanceSnapshotName": snapshot.name,
        "instanceSnapshotArn": snapshot.arn,
        "region": snapshot.region,
        **({"plan": plan} if plan else {}),
        "createdAt": format_utc(snapshot.created_at),
        "reason": decision.reason,
    }


def refused_detail(request: PruneRequest, held: Sequence[Decision]) -> dict[str, Any]:
    """Build the detail of `Prune Refused` from the decisions that only older rules made."""
    plans = {name: plan for plan in request.plans for name in (*plan.was, plan.name)}
    lists: dict[tuple[str, str, str], list[Decision]] = defaultdict(list)
    for decision in held:
        snapshot = decision.snapshot
        lists[plans[snapshot.tags[PLAN_KEY]].name, snapshot.snapshot_of, snapshot.region].append(decision)
    refused = [
        _list_detail(plans[name], instance_name, region, decisions)
        for (name, instance_name, region), decisions in sorted(lists.items())
    ]
    return {
        "requestId": request.request_id,
        "message": clean(_message(refused, plans)),
        "deletionCount": len(held),
        "refused": refused[:MOST_LISTS],
    }


def _list_detail(plan: Plan, instance_name: str, region: str, held: Sequence[Decision]) -> dict[str, Any]:
    return {
        "plan": plan.name,
        "instanceName": instance_name,
        "region": region,
        "deletionCount": len(held),
        "rules": format_keep_tag(plan.keep),
        "rulesTakenUnder": sorted({decision.older_rules for decision in held})[:MOST_RULES],
    }


def _message(refused: Sequence[dict[str, Any]], plans: dict[str, Plan]) -> str:
    first, others = refused[0], len(refused) - 1
    names = list(dict.fromkeys(one["plan"] for one in refused))
    lines = [f"[plans.{name}] {confirmation(keep)}" for name in names[:MOST_NAMED] if (keep := plans[name].keep)]
    if len(names) > MOST_NAMED:
        lines.append(f"and likewise for {len(names) - MOST_NAMED} more plans")
    return (
        f"Plan {first['plan']}: {first['deletionCount']} snapshots of {first['instanceName']} in {first['region']} stay"
        f"{f' (and {others} more lists)' if others else ''}, since they were taken under rules that keep more. "
        "If a rule of keep is mistyped, correct it. To delete them now, add this to plans.toml and deploy: "
        f"{'; '.join(lines)}. make preview shows each snapshot."
    ).replace('"', "'")
