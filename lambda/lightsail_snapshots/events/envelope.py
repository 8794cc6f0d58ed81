"""What all events have: id, time, source and detail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.reader import Problem, Reader, format_value, read_instant, read_text

T = TypeVar("T")

_MOST_PROBLEMS = 100
_NEVER = datetime.min.replace(tzinfo=UTC)


class InvalidRequestError(Exception):
    """Raised if an event is a request that can never succeed; `problems` has everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem], request_id: str | None = None) -> None:
        """Keep as many problems as an event has room for, and the id of the request if it has one."""
        more = len(problems) - _MOST_PROBLEMS
        self.problems = (*problems[:_MOST_PROBLEMS], *([Problem((), f"and {more} more problems")] if more > 0 else []))
        self.request_id = request_id
        super().__init__("; ".join(map(str, self.problems)))


@dataclass(frozen=True)
class Envelope:
    """An EventBridge event that is being read: use it after `check`."""

    id: str
    """The same whenever the event is delivered again."""
    time: datetime
    source: str
    """Empty if a person invoked the function, or a rule that sends the id, the time and the detail only."""
    replay_name: str
    """Empty unless EventBridge replays the event from the archive."""
    detail: Reader

    @property
    def is_ours(self) -> bool:
        """Whether the stack itself put the event: the policy of the bus lets nobody else use our source."""
        return self.source == SOURCE

    def take_ours(self, name: str, read: Callable[[object], T]) -> T | None:
        """Return what `read` makes of a field of the detail that only our own events may have."""
        self.reserve(name)
        return self.detail.take(name, read) if self.is_ours else None

    def reserve(self, *names: str) -> None:
        """Report these fields of the detail if the event is not ours."""
        if not self.is_ours:
            for name in names:
                self.detail.forbid(name, f"only {SOURCE} itself may set it")

    def require_own_source(self, instead: str) -> None:
        """Report an event that the stack did not put itself; `instead` says how a person gets the same done."""
        if not self.is_ours:
            self.detail.problems.append(
                Problem(("source",), f"must be {SOURCE}, not {format_value(self.source)}: {instead}")
            )

    def reject_replay(self, instead: str) -> None:
        """Report an event that is replayed: it is of an earlier day, and so are its plans."""
        if self.replay_name:
            self.detail.problems.append(Problem(("replay-name",), f"a replay is rejected: {instead}"))

    def check(self) -> None:
        """Raise InvalidRequestError if there are problems."""
        if self.detail.problems:
            raise InvalidRequestError(self.detail.problems, self.id or None)


def open_event(event: object) -> Envelope:
    """Read the envelope of an event; raise InvalidRequestError if it is nothing like an event."""
    if not isinstance(event, Mapping):
        text = f"the event must be an EventBridge event, a JSON object, not {format_value(event)}"
        raise InvalidRequestError([Problem((), text)])
    fields = Reader(event)
    return Envelope(
        id=fields.require("id", read_text) or "",
        time=fields.require("time", read_instant) or _NEVER,
        source=fields.take("source", read_text) or "",
        replay_name=fields.take("replay-name", read_text) or "",
        detail=fields.open("detail"),
    )
