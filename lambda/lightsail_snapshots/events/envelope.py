"""What all events have in common: id, time, source, detail."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from lightsail_snapshots.reader import Fields, format_value, read_instant, read_object, read_text

_MOST_PROBLEMS = 100


class InvalidRequestError(Exception):
    """Raised when an event is not a request that could ever succeed; `problems` lists everything that is wrong."""

    def __init__(self, problems: Sequence[str], request_id: str | None = None) -> None:
        """Keep all problems, up to a number that still fits into an event, and the request's id where it has one."""
        self.request_id = request_id
        more = len(problems) - _MOST_PROBLEMS
        self.problems = (*problems[:_MOST_PROBLEMS], *([f"and {more} more problems"] if more > 0 else []))
        super().__init__("; ".join(self.problems))


def open_event(event: object) -> tuple[str | None, datetime | None, Mapping[str, object] | None, list[str]]:
    """Read id, time and detail of an EventBridge event, and list what is wrong with them.

    Raises InvalidRequestError where it is nothing like an event.
    """
    if not isinstance(event, Mapping):
        raise InvalidRequestError([f"the event must be an EventBridge event, a JSON object, not {format_value(event)}"])
    problems: list[str] = []
    envelope = Fields(event, "", problems)
    return (
        envelope.take("id", read_text),
        envelope.take("time", read_instant),
        envelope.take("detail", read_object),
        problems,
    )
