"""`Prune Requested`: our schedule asks to delete what the plans do not keep; and the events about the outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from lightsail_snapshots.events.envelope import open_event
from lightsail_snapshots.keep_rules import confirmation
from lightsail_snapshots.naming import PLAN_KEY, format_utc
from lightsail_snapshots.plan import Plan, read_plans
from lightsail_snapshots.reader import read_instant
from lightsail_snapshots.retention import Decision, instance_of

RUN_NOW = "to prune now, use run_now of docs/operations.md"

MOST_INSTANCES = 50
MOST_NAMES = 25
"""Instances in one `Prune Refused`, and snapshots of each: an event may hold 256 KB, a name has up to 255 characters.
The rest is counted; the log and `make preview` have it all."""


@dataclass(frozen=True, kw_only=True)
class PruneRequest:
    """A valid request to delete what the plans do not keep."""

    request_id: str
    put_at: datetime
    """When it was put on the bus, with the plans of that moment."""
    time: datetime
    """Retention's "now": the time that the schedule meant, else the event's own."""
    plans: tuple[Plan, ...]


def parse_prune_request(event: object) -> PruneRequest:
    """Read an EventBridge event; raise InvalidRequestError with every problem at once."""
    envelope = open_event(event)
    envelope.require_own_source(RUN_NOW)
    envelope.reject_replay(RUN_NOW)
    detail = envelope.detail
    scheduled_time = detail.take("scheduledTime", read_instant)
    plans = detail.require("plans", read_plans) or ()
    detail.reject_unknown()
    envelope.check()
    return PruneRequest(request_id=envelope.id, put_at=envelope.time, time=scheduled_time or envelope.time, plans=plans)


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


def refusals(decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    """Say for each instance and Region what only older rules keep; `decisions` are sorted as `decide` does."""
    refused = [decision for decision in decisions if decision.is_held and not decision.dry_run]
    found = []
    for (instance, region, _), group in groupby(refused, key=lambda each: instance_of(each.snapshot)):
        those = [(each.snapshot, each.reason) for each in group]
        found.append(
            {
                "instanceName": instance,
                "region": region,
                "plans": sorted({plan for snapshot, _ in those if (plan := snapshot.tags.get(PLAN_KEY))}),
                "deletions": len(those),
                "reason": those[-1][1],
                "instanceSnapshotNames": [snapshot.name for snapshot, _ in those],
            }
        )
    return found


def refused_detail(request: PruneRequest, refused: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Build the detail of `Prune Refused` from `refusals`, cut to what an event can hold."""
    shown_here = [
        one | {"instanceSnapshotNames": one["instanceSnapshotNames"][:MOST_NAMES]} for one in refused[:MOST_INSTANCES]
    ]
    return {
        "requestId": request.request_id,
        "message": _how_to_confirm(request, refused),
        "instanceCount": len(refused),
        "deletionCount": sum(one["deletions"] for one in refused),
        "refused": shown_here,
    }


def _how_to_confirm(request: PruneRequest, refused: Sequence[dict[str, Any]]) -> str:
    first = refused[0]
    others = f" and of {len(refused) - 1} more" if len(refused) > 1 else ""
    names = {name for one in refused for name in one["plans"]}
    lines = " and ".join(
        f"{confirmation(plan.keep)} into [plans.{plan.name}]"
        for plan in request.plans
        if plan.keep and not names.isdisjoint((plan.name, *plan.was))
    )
    return (
        f"{first['deletions']} snapshots of {first['instanceName']} in {first['region']}{others} stay only because "
        "older keep rules keep them. If a keep rule is mistyped, correct it. If they may go now, write "
        # No quotation marks: the text is put between some on its way to people, see infra/monitoring/notifications.py.
        f"{lines} of plans.toml, and deploy; make preview shows each of them."
    ).replace('"', "'")
