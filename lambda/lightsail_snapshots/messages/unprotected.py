"""The message about `Instances Unprotected`: instances that no plan selects, in the daily report."""

from collections.abc import Mapping
from typing import Any

from lightsail_snapshots.messages.message import Message, fit_headline, fit_title, of_plan, read_time, status, text_at

_BECAUSE: Mapping[str, str] = {
    "left_plan": "it was in {plan}, which does not select it now",
    "similar_tag": "its tag is nearly the one that {plan} selects",
    "region_not_configured": "plans.toml does not name its Region",
    "no_plan": "it has no tag or name that a plan selects",
}


def instances_unprotected(event: Mapping[str, Any], runbook: str) -> Message:
    """Write what people read about all instances of a report; those that fell out of a plan come first."""
    entries, count = event["detail"]["instances"], event["detail"]["instancesUnprotected"]
    first = entries[0]
    instance = text_at(first, "instanceName")
    more = f" and {count - 1} more" if count > 1 else ""
    about = {
        "instance": instance,
        "where": f"in {text_at(first, 'region')}{more}",
        "plan": of_plan(text_at(first, "plan")),
        "why": _why(first),
    }
    return Message(
        title=fit_title(f"Unprotected: {{instance}}{more} ({{plan}})", **about),
        headline=fit_headline("Unprotected: {instance} {where}: {why}.", **about),
        since=_since(event, first),
        why="no plan takes snapshots of these:",
        listed=[_line(each) for each in entries],
        not_listed=count - len(entries),
        to_do="correct the tag, or the plan. If it needs no snapshots, say so in plans.toml (unprotected). To check:",
        paste=status("" if more else instance),
        read_on=f"{runbook}#instances-unprotected",
    )


def _since(event: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    newest = read_time(text_at(entry, "newestSnapshotAt"))
    return f"the newest snapshot is of {newest}" if newest else f"the report of {read_time(text_at(event, 'time'))}"


def _why(entry: Mapping[str, Any]) -> str:
    because = _BECAUSE.get(text_at(entry, "because"), "no plan selects it")
    return because.format(plan=of_plan(text_at(entry, "plan")))


def _line(entry: Mapping[str, Any]) -> str:
    tag, meant = text_at(entry, "tag"), text_at(entry, "meant")
    hint = f": {tag} should be {meant}" if meant else ""
    return f"{text_at(entry, 'instanceName')} in {text_at(entry, 'region')}, {_why(entry)}{hint}"
