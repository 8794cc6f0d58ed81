"""The message about `Instance Snapshot Failed`: there is no snapshot, or no copy of it."""

from collections.abc import Mapping
from typing import Any

from lightsail_snapshots.events.instance_snapshot_outcomes import Reason
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
from lightsail_snapshots.messages.rejected import request_rejected

_FORBIDDEN = "somebody changed the function's role, or a policy of the organization forbids it: undo that"
_DEAD_LETTER = "look whether it is usable by now. If not, the request is a dead letter to send again. To check:"
_TAKE: Mapping[str, str] = {
    Reason.SOURCE_GONE: "take a new one:",
    Reason.INVALID_REQUEST: "correct the sender of the request, or take the snapshot yourself:",
    Reason.NAME_IN_USE: "leave instanceSnapshotName out of the request, or take the snapshot yourself:",
    Reason.ACCESS_DENIED: f"{_FORBIDDEN}, then take the snapshot:",
    Reason.SNAPSHOT_ERROR: "delete the broken snapshot {name}, then take a new one:",
    Reason.TOO_LATE: "nothing, if there is a newer snapshot. Else take one now:",
}
"""What to do by reason, if in the end a person takes the snapshot."""
_CHECK: Mapping[str, str] = {
    Reason.INSTANCE_NOT_FOUND: "correct name or Region in the request, unless the instance is gone. To find it:",
    Reason.TIMED_OUT: _DEAD_LETTER,
    Reason.REGION_REMOVED: "add the Region to plans.toml and deploy, or correct the sender of the request. To check:",
}
"""What to do by reason, if it is something else."""
_CHECK_COPY: Mapping[str, str] = {
    Reason.SOURCE_GONE: "nothing, if the next snapshot is copied. To check:",
    Reason.INVALID_REQUEST: "deploy again, so that all parts of the stack are of one version. To check:",
    Reason.NAME_IN_USE: "delete {name} in the other Region, if it is a leftover. To check:",
    Reason.ACCESS_DENIED: f"{_FORBIDDEN}. To check:",
    Reason.SNAPSHOT_ERROR: "delete the broken copy {name} in the other Region; the next one may succeed. To check:",
    Reason.TIMED_OUT: _DEAD_LETTER,
    Reason.REGION_REMOVED: "nothing, if you removed the Region from copy_to. To check:",
}
_LOOK = "look at the instance:"


def snapshot_failed(event: Mapping[str, Any], runbook: str) -> Message:
    """Write what people read about one failure; without an instance, the request itself was not valid."""
    of_event = ("instanceName", "instanceSnapshotName", "region", "destination", "plan", "reason", "message")
    instance, name, region, destination, plan, reason, why = (text_at(event, "detail", key) for key in of_event)
    if not instance:
        return request_rejected(event, runbook)
    subject = {
        "what": "Copy failed" if destination else "Snapshot failed",
        "instance": instance,
        "where": f"from {region} to {destination}" if destination else f"in {region}",
        "plan": of_plan(plan),
        "reason": reason,
    }
    check = _CHECK_COPY if destination else _CHECK
    take_it = None if destination else _TAKE.get(reason)
    return Message(
        title=fit_title("{what}: {instance} ({plan})", **subject),
        headline=fit_headline("{what}: {instance} {where}, {plan}, {reason}.", **subject),
        since=f"{read_time(text_at(event, 'time'))}, request {text_at(event, 'detail', 'requestId')}",
        why=why,
        to_do=(take_it or check.get(reason, _LOOK)).format(name=name),
        paste=take(instance, region) if take_it else status(instance),
        read_on=f"{runbook}#{'copies-failed' if destination else 'snapshots-failed'}",
    )
