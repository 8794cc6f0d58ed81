"""The messages about what is no valid request: a rejected event, and one with a misspelt detail-type."""

from collections.abc import Mapping
from typing import Any

from lightsail_snapshots.events import AUDIT_REQUESTED, FROM_ANYONE, PRUNE_REQUESTED, SOURCE
from lightsail_snapshots.messages.message import (
    Message,
    fit_headline,
    fit_title,
    of_plan,
    one_line,
    read_time,
    take,
    text_at,
)
from lightsail_snapshots.reader import nearest

ALIKE = 0.8
"""How alike a detail-type is if it is misspelt; "Snapshot Requested" and "Fleet Snapshot Requested" are just so."""
_OURS = ("deploy again, so that all parts of the stack are of one version:", "make deploy")
_BY_HAND = {
    PRUNE_REQUESTED: ("nothing, if you wanted a test. To prune now:", "lightsail-snapshots prune"),
    AUDIT_REQUESTED: ("nothing, if you wanted a test. To audit now:", "lightsail-snapshots audit"),
}


def request_rejected(event: Mapping[str, Any], runbook: str) -> Message:
    """Write what people read about a request that was not valid: what it was, from whom, and every problem."""
    request = event["detail"].get("request")
    detail_type, source = (text_at(request, key) for key in ("detail-type", "source"))
    instance, plan = (text_at(request, "detail", key) for key in ("instanceName", "plan"))
    problems = [one_line(str(each)) for each in event["detail"].get("problems", ())]
    paste = take(instance, text_at(request, "detail", "region"))
    to_do = (
        f"correct the sender and put the request again, or take a snapshot yourself{':' if instance else '. Names:'}"
    )
    if source == SOURCE:
        to_do, paste = _OURS
    elif detail_type in _BY_HAND:
        to_do, paste = _BY_HAND[detail_type]
    about = {
        "type": detail_type or "an event without a detail-type",
        "who": f"{instance}, {of_plan(plan)}" if instance else of_plan(plan),
        "source": source or "an unknown source",
    }
    return Message(
        title=fit_title("Request rejected: {type} ({who})", **about),
        headline=fit_headline("Request rejected: {type} from {source}, {who}.", **about),
        since=f"{read_time(text_at(event, 'time'))}, request {text_at(event, 'detail', 'requestId')}",
        why="nothing was done for it, since it is not valid:",
        listed=problems,
        to_do=to_do,
        paste=paste,
        read_on=f"{runbook}#request-rejected",
    )


def near_miss(event: Mapping[str, Any], runbook: str) -> Message | None:
    """Write what people read if the detail-type is nearly one of ours; None if it is another one altogether."""
    detail_type, source, instance = (
        text_at(event, *path) for path in (("detail-type",), ("source",), ("detail", "instanceName"))
    )
    meant = nearest(detail_type, FROM_ANYONE, cutoff=ALIKE)
    if meant is None:
        return None
    about = {"type": detail_type, "who": instance or "some instances", "source": source, "meant": meant}
    return Message(
        title=fit_title("Request ignored: {type} ({who}, no plan)", **about),
        headline=fit_headline("Request ignored: {type} for {who}, from {source}. Did you mean {meant}?", **about),
        since=f"{read_time(text_at(event, 'time'))}, event {text_at(event, 'id')}",
        why=f"nothing has that detail-type. It must be exactly: {meant}",
        to_do="correct the sender and put the event again, or take a snapshot yourself:",
        paste=take(instance),
        read_on=f"{runbook}#request-ignored",
    )
