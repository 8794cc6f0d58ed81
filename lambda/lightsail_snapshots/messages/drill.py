"""The messages about `Restore Drill Failed` and `Restore Proof Overdue`."""

from collections.abc import Mapping
from typing import Any

from lightsail_snapshots.drill_result import DrillReason
from lightsail_snapshots.messages.message import Message, fit_headline, fit_title, of_plan, read_time, status, text_at
from lightsail_snapshots.naming import is_name

_LOOK = "see which snapshots there are, and restore one by hand:"
_TO_DO: Mapping[str, str] = {
    DrillReason.NOT_DRILLABLE: "restore it by hand once, or exclude the instance. To check:",
    DrillReason.TOO_EXPENSIVE: "raise max_price_per_hour in plans.toml, or accept it. To check:",
    DrillReason.NO_CAPACITY: "ask AWS for a higher quota of instances, or delete some. To check:",
    DrillReason.NAME_IN_USE: "rename or delete the instance that has the clone's name. To check:",
    DrillReason.SNAPSHOT_GONE: "nothing: the next run takes a newer snapshot. To check:",
    DrillReason.INSTANCE_GONE: "nothing, unless you do not know who deleted the clone. To check:",
    DrillReason.ACCESS_DENIED: "undo the change of the function's role, or the organization's policy. To check:",
    DrillReason.TIMED_OUT: "look for the clone in Lightsail, and delete it. To check the instance:",
}


def drill_failed(event: Mapping[str, Any], runbook: str) -> Message:
    """Write what people read about a drill without a proof; only some reasons put the snapshot in doubt."""
    of_event = ("instanceName", "instanceSnapshotName", "region", "plan", "reason", "message")
    instance, name, region, plan, reason, why = (text_at(event, "detail", key) for key in of_event)
    is_bad = event["detail"]["restoreFailed"] is True
    about = {
        "what": "Restore failed" if is_bad else "Restore not tried",
        "instance": instance or "all instances",
        "where": f"in {region}",
        "plan": of_plan(plan),
        "reason": reason,
    }
    restore = f"lightsail-snapshots restore {instance} --dry-run" if is_name(instance) else status()
    return Message(
        title=fit_title("{what}: {instance} ({plan})", **about),
        headline=fit_headline("{what}: {instance} {where}, {plan}, {reason}.", **about),
        since=f"{read_time(text_at(event, 'time'))}, snapshot {name or 'not chosen'}",
        why=why,
        to_do=_TO_DO.get(reason, _LOOK),
        paste=restore if is_bad else status(instance),
        read_on=f"{runbook}#drills-failed",
    )


def proof_overdue(event: Mapping[str, Any], runbook: str) -> Message:
    """Write what people read about the instances of a plan that were not proven for too long."""
    entries, count = event["detail"]["instances"], event["detail"]["instancesOverdue"]
    instance, region = text_at(entries[0], "instanceName"), text_at(entries[0], "region")
    more = f" and {count - 1} more" if count > 1 else ""
    about = {
        "instance": instance,
        "where": f"in {region}{more}",
        "plan": of_plan(text_at(event, "detail", "plan")),
        "age": f"{event['detail']['maxAgeHours'] / 24:g} days",
    }
    headline = "Not proven: {instance} {where}, {plan}: no restore was seen to work for {age}."
    return Message(
        title=fit_title(f"Not proven: {{instance}}{more} ({{plan}})", **about),
        headline=fit_headline(headline, **about),
        since=read_time(text_at(entries[0], "overdueSince")),
        why="drills failed, or have not come to these yet:",
        listed=[_line(each) for each in entries],
        not_listed=count - len(entries),
        to_do="read what the last drills said, and wait for the next one. To check:",
        paste=status("" if more else instance),
        read_on=f"{runbook}#drills-failed",
    )


def _line(entry: Mapping[str, Any]) -> str:
    at = read_time(text_at(entry, "provenAt"))
    last = f"last proven {at}" if at else "never proven"
    return f"{text_at(entry, 'instanceName')} in {text_at(entry, 'region')}: {last}"
