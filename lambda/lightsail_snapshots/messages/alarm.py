"""The message about an alarm of the stack, for the chat: the topic gets alarms from CloudWatch itself."""

from collections.abc import Mapping
from typing import Any

from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.messages.message import Message, fit_headline, fit_title, read_time, status, text_at


def alarm_changed(event: Mapping[str, Any], runbook: str) -> Message:
    """Write what people read when an alarm goes off or is over.

    Its description says what it means, what to do first and where to read on: see infra/monitoring/alarms.py.
    """
    name, state, why, at = (
        text_at(event, "detail", *path)
        for path in (("alarmName",), ("state", "value"), ("state", "reason"), ("state", "timestamp"))
    )
    meaning, _, rest = text_at(event, "detail", "configuration", "description").partition(" First: ")
    first, _, read_on = rest.partition(" Step by step: ")
    is_over = state == "OK"
    about = {"state": state, "name": name.removeprefix(f"{SOURCE}-"), "meaning": "It is over." if is_over else meaning}
    return Message(
        title=fit_title("{state}: {name}", **about),
        headline=fit_headline("{state}: {name}. {meaning}", **about),
        since=read_time(at),
        why=why,
        to_do="nothing. To check:" if is_over else f"{first} To begin with:",
        paste=status(),
        read_on=read_on or runbook,
    )
