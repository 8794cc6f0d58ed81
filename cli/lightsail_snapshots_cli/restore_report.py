"""What `restore` shows: the plan before anything is done, and what is left to do by hand."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.restore_facts import parse_tags
from lightsail_snapshots.restore_plan import CREATE, Call, RestorePlan, Step
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
        yield from _call_lines(step.call)
        if step.undo:
            by_hand = ", by hand" if step.call.operation == CREATE else ""
            arguments = ", ".join(f"{key} {value}" for key, value in step.undo.arguments.items())
            yield f"   To undo{by_hand}: {step.undo.operation} {arguments}"


def _call_lines(call: Call) -> Iterator[str]:
    """Write a call with one argument a line, and each object in a list on a line of its own."""
    yield f"   {call.operation}"
    for key, value in call.arguments.items():
        lists = value.values() if isinstance(value, dict) else [value] if isinstance(value, list) else []
        objects = [each for listed in lists for each in listed if isinstance(each, dict)]
        yield f"     {key}" if objects else f"     {key} {value if isinstance(value, str) else json.dumps(value)}"
        yield from (f"       {json.dumps(each)}" for each in objects)


def left_by_hand(
    plan: RestorePlan, snapshot: Snapshot, new: ExistingInstance, *, swapped: bool, is_old_there: bool
) -> list[str]:
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
    lines.append(f"Load balancers, distributions, alarms and plans that name {old} do not include {plan.name}.")
    if is_old_there:
        lines.append(f"{old} is still there, and costs: delete it when you no longer need it.")
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
