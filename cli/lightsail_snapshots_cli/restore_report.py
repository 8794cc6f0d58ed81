"""What `restore` shows: the plan before anything is done, and what is left to do by hand."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.restore_facts import parse_tags
from lightsail_snapshots.restore_plan import RestorePlan, Step
from lightsail_snapshots.snapshot import Snapshot
from lightsail_snapshots_cli.restore_account import ExistingInstance

_WINDOWS = "WINDOWS"


def plan_lines(plan: RestorePlan, snapshot: Snapshot, existing: ExistingInstance | None) -> Iterator[str]:
    """Write the plan for a person."""
    taken_at = format_utc(snapshot.origin.taken_at)
    yield f"{plan.name} in {snapshot.region}, from {snapshot.name}, taken on {taken_at}:"
    if existing:
        yield f"It was created on {format_utc(existing.created_at)} already; this run continues."
    yield from step_lines(plan.steps)
    yield from (f"Note: {note}" for note in plan.notes)


def step_lines(steps: Sequence[Step]) -> Iterator[str]:
    """Write each step with its call, and how to take it back."""
    for number, step in enumerate(steps, start=1):
        yield f"{number}. {step.title}"
        yield f"   {step.call.operation} {json.dumps(step.call.arguments)}"
        if step.undo:
            yield f"   to undo: {step.undo.operation} {json.dumps(step.undo.arguments)}"


def left_by_hand(plan: RestorePlan, snapshot: Snapshot, new: ExistingInstance, *, swapped: bool) -> list[str]:
    """Say what this command cannot do."""
    lines = []
    old = snapshot.instance_name or snapshot.snapshot_of
    facts = parse_tags(snapshot.tags)
    address = (facts.static_ip or facts.address) if facts else ""
    if not swapped:
        before = f" from {address}" if address else ""
        lines.append(f"DNS: point the records{before} to {new.address or new.ipv6_address}.")
        if facts and facts.static_ip:
            lines.append(f"Static IP: {old} had {facts.static_ip}; --swap-ip moves it to the new instance.")
    elif new.ipv6_address:
        lines.append(f"DNS: AAAA records point to the old IPv6 address; the new one is {new.ipv6_address}.")
    if plan.bundle and plan.bundle.platform == _WINDOWS:
        lines.append("Windows: the Administrator's password is that of the old instance.")
    lines += [f"Disk: {disk.name} was at {disk.path}; its copy is a new disk." for disk in snapshot.disks]
    lines.append(f"Whatever names the old instance: load balancers, distributions and alarms do not know {plan.name}.")
    lines.append(f"{old}, if it is still there: nothing of it was deleted.")
    return lines


def plan_as_json(plan: RestorePlan, snapshot: Snapshot) -> dict[str, Any]:
    """Return the plan for a script."""
    return {
        "instanceName": plan.name,
        "region": snapshot.region,
        "instanceSnapshotName": snapshot.name,
        "recoveryPointAt": format_utc(snapshot.origin.taken_at),
        "steps": steps_as_json(plan.steps),
        "notes": list(plan.notes),
    }


def steps_as_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return the steps for a script."""
    return [
        {
            "title": step.title,
            "call": step.call._asdict(),
            "undo": step.undo._asdict() if step.undo else None,
        }
        for step in steps
    ]
