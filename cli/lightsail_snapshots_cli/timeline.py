"""What happened to one instance, as the log lines of the functions and its snapshots tell it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.snapshot import Snapshot
from lightsail_snapshots_cli.logs import LogLine

_OF_CAPABILITY = {"Drill": "Restore drill"}
"""What a request is for, if not for a snapshot or a copy."""
_SKIPPED = {"Deleting a snapshot", "Took one step"}
"""Messages that another line repeats."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that happened."""

    time: datetime
    what: str
    why: str = ""
    snapshot: str = ""
    """The name of the snapshot that it is about; empty if there is none."""
    region: str = ""
    count: int = 1
    """How often it happened in a row."""
    until: datetime

    def as_json(self) -> dict[str, Any]:
        """Return it with camelCase keys."""
        return {
            "time": format_utc(self.time),
            "what": self.what,
            "why": self.why or None,
            "instanceSnapshotName": self.snapshot or None,
            "region": self.region or None,
            "count": self.count,
            "until": format_utc(self.until),
        }


def build_timeline(
    instance_name: str, lines: Iterable[LogLine], snapshots: Iterable[Snapshot], since: datetime
) -> list[Entry]:
    """Return what happened since then, oldest first; `lines` are in order.

    A snapshot is an entry of its own only if no line is about it.
    """
    entries = [entry for line in _requests_first(lines) for entry in _entries(instance_name, line)]
    logged = {(each.snapshot, each.region) for each in entries}
    entries += [
        _of_snapshot(each) for each in snapshots if each.created_at >= since and (each.name, each.region) not in logged
    ]
    return _collapse(sorted(entries, key=lambda entry: entry.time))


def _requests_first(lines: Iterable[LogLine]) -> Iterator[LogLine]:
    """Add a line for each new request: a function writes none when it receives one."""
    seen = set()
    for line in lines:
        fields = line.fields
        key = (line.capability, fields.get("correlation_id"), fields.get("instance_name"), fields.get("destination"))
        if fields.get("attempt") == 1 and key not in seen:
            seen.add(key)
            yield replace(line, fields={**fields, "message": "Requested", "level": "INFO", "state": None})
        yield line


def _entries(instance_name: str, line: LogLine) -> Iterator[Entry]:
    """Return what one line says of this instance, if anything."""
    fields = line.fields
    message = str(fields.get("message", ""))
    if message in _SKIPPED:
        return
    if isinstance(refused := fields.get("refused"), list):
        for each in refused:
            if each.get("instanceName") == instance_name:
                kept = f"Prune kept {each['deletionCount']} snapshots that only older rules keep"
                why = f"taken under {', '.join(each['rulesTakenUnder'])}, today's rules are {each['rules']}"
                yield _entry(line, kept, why, region=each["region"])
    elif _instance_name(fields) == instance_name:
        yield _of_instance(line, message)


def _instance_name(fields: Mapping[str, Any]) -> Any:
    """Return the instance that a line is about; a rejected request has it only in what was sent."""
    if "instance_name" in fields:
        return fields["instance_name"]
    try:
        return json.loads(fields["request"])["detail"]["instanceName"]
    except (KeyError, ValueError, TypeError):  # no such field, no JSON, or JSON of another shape
        return None


def _of_instance(line: LogLine, message: str) -> Entry:
    fields = line.fields
    region = str(fields.get("destination") or fields.get("region") or "")
    if message == "Requested":
        plan, destination = fields.get("plan"), fields.get("destination")
        what = (
            f"Copy to {destination} requested"
            if destination
            else f"{_OF_CAPABILITY.get(line.capability, 'Snapshot')} requested"
        )
        return _entry(line, what, f"plan {plan} selected it" if plan else "by an event that names it", region)
    if fields.get("state") == "failed":
        what = f"{_OF_CAPABILITY[line.capability]} failed" if line.capability in _OF_CAPABILITY else "Failed"
        return _entry(line, f"{what}: {fields.get('reason', 'rejected')}", str(fields.get("why", message)), region)
    if message == "Overdue":
        where = f" in {fields['copy_region']}" if fields.get("copy_region") else ""
        why = f"no usable snapshot{where} younger than the max_age of plan {fields.get('plan')} allows"
        return _entry(line, "Overdue", f"{why}, since {fields.get('overdue_since')}", region)
    why = next(filter(None, map(fields.get, ("why", "reason", "because", "error"))), "")
    if seconds := fields.get("seconds_to_available") or fields.get("seconds"):
        why = f"{seconds} s after the request"
    return _entry(line, message, str(why), region)


def _entry(line: LogLine, what: str, why: str, region: str) -> Entry:
    snapshot = str(line.fields.get("instance_snapshot_name") or "")
    return Entry(time=line.time, until=line.time, what=what, why=why, snapshot=snapshot, region=region)


def _of_snapshot(snapshot: Snapshot) -> Entry:
    why = snapshot.why_foreign(snapshot.origin)
    return Entry(
        time=snapshot.created_at,
        until=snapshot.created_at,
        what=f"Snapshot made; now {snapshot.state}",
        why=why,
        snapshot=snapshot.name,
        region=snapshot.region,
    )


def _collapse(entries: Sequence[Entry]) -> list[Entry]:
    """Join what happened several times in a row."""
    found: list[Entry] = []
    for entry in entries:
        last = found[-1] if found else None
        if last and replace(last, time=entry.time, until=entry.until, count=1) == entry:
            found[-1] = replace(last, count=last.count + 1, until=entry.until)
        else:
            found.append(entry)
    return found
