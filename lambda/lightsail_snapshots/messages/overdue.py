"""The message about `Recovery Point Overdue`: instances of one plan without a recent snapshot or copy."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from lightsail_snapshots.messages.message import (
    Message,
    fit_headline,
    fit_title,
    of_plan,
    read_time,
    status,
    take,
    text_at,
)
from lightsail_snapshots.recovery_points import COPY_TIME

_WHY = (
    "no {what} became usable in time. If one failed, a message said why. If none was requested, check the plan's"
    " schedule and select"
)


def recovery_point_overdue(event: Mapping[str, Any], runbook: str) -> Message:
    """Write what people read about the overdue instances of a plan; the longest overdue comes first."""
    entries = event["detail"]["instances"]
    first, count = entries[0], event["detail"]["instancesOverdue"]
    instance, region = text_at(first, "instanceName"), text_at(first, "region")
    more = f" and {count - 1} more" if count > 1 else ""
    what, hours = _what(entries, event["detail"]["maxAgeHours"])
    about = {
        "instance": instance,
        "where": f"in {region}{more}",
        "plan": of_plan(text_at(event, "detail", "plan")),
        "what": what,
        "age": f"{hours:g} hours",
    }
    is_one = len(entries) == 1
    is_snapshot = is_one and "copyRegion" not in first
    headline = "Overdue: {instance} {where}, {plan}: no usable {what} younger than {age}."
    return Message(
        title=fit_title(f"Overdue: {{instance}}{more} ({{plan}})", **about),
        headline=fit_headline(headline, **about),
        since=_since(first),
        why=_WHY.format(what=what) + ("." if is_one else ". All that are overdue:"),
        listed=[] if is_one else [_line(each) for each in entries],
        not_listed=count - len({each["instanceArn"] for each in entries}),
        to_do="take a snapshot, and see what happens:" if is_snapshot else "see what is there:",
        paste=take(instance, region) if is_snapshot else status("" if more else instance),
        read_on=f"{runbook}#overdue",
    )


def _what(entries: Sequence[Mapping[str, Any]], max_age: float) -> tuple[str, float]:
    """Return what is missing, and how many hours old it may be."""
    copy_regions = {text_at(each, "copyRegion") for each in entries}
    if copy_regions == {""}:
        return "snapshot", max_age
    if "" in copy_regions:
        return "snapshot or copy", max_age
    where = f" in {copy_regions.pop()}" if len(copy_regions) == 1 else ""
    return f"copy{where}", max_age + COPY_TIME / timedelta(hours=1)


def _since(entry: Mapping[str, Any]) -> str:
    since, taken_at = (read_time(text_at(entry, key)) for key in ("overdueSince", "recoveryPointAt"))
    return f"{since}, {f'the newest is of {taken_at}' if taken_at else 'and there is none at all'}"


def _line(entry: Mapping[str, Any]) -> str:
    copy_region = text_at(entry, "copyRegion")
    copy = f", copy in {copy_region}" if copy_region else ""
    return f"{text_at(entry, 'instanceName')} in {text_at(entry, 'region')}{copy}: since {_since(entry)}"
