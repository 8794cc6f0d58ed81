"""What all events have: id, time, source and detail."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.reader import Problem, Reader, format_value, invalid, read_instant, read_text

T = TypeVar("T")

_MOST_PROBLEMS = 100
_MOST_BYTES_OF_PROBLEMS = 50_000
"""An event may have 256 KB, and repeats the request too."""
_MAX_DEPTH = 100
"""Objects and lists inside each other: far more than a valid request has, far fewer than Python can read and write."""
_LONGEST_ID = 100
"""Characters: EventBridge's own ids have 36."""
_NEVER = datetime.min.replace(tzinfo=UTC)


class InvalidRequestError(Exception):
    """Raised if an event is a request that can never succeed; `problems` has everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem], request_id: str | None = None) -> None:
        """Keep as many problems as an event has room for, and the id of the request if it has one."""
        self.problems = tuple(_first(problems))
        self.request_id = request_id
        super().__init__("; ".join(map(str, self.problems)))


def _first(problems: Sequence[Problem]) -> Iterator[Problem]:
    """Yield the problems that an event has room for, and how many more there are."""
    room = _MOST_BYTES_OF_PROBLEMS
    for number, problem in enumerate(problems):
        room -= len(str(problem).encode())
        if room < 0 or number == _MOST_PROBLEMS:
            yield Problem((), f"and {len(problems) - number} more problems")
            return
        yield problem


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
    fields = open_object(event, "the event must be an EventBridge event, a JSON object")
    return Envelope(
        id=fields.require("id", read_id) or "",
        time=fields.require("time", read_instant) or _NEVER,
        source=fields.take("source", read_text) or "",
        replay_name=fields.take("replay-name", read_text) or "",
        detail=fields.open("detail"),
    )


def open_object(value: object, required: str) -> Reader:
    """Return a reader of a JSON object that anyone may have written; raise InvalidRequestError if it is none.

    `required` says what the object must be.
    """
    if is_too_deep(value):
        known_id = Reader(value).take("id", read_id) if isinstance(value, Mapping) else None
        raise InvalidRequestError([Problem((), f"{required}, nested at most {_MAX_DEPTH} levels deep")], known_id)
    if not isinstance(value, Mapping):
        raise InvalidRequestError([Problem((), f"{required}, not {format_value(value)}")])
    return Reader(value)


def is_too_deep(value: object) -> bool:
    """Tell whether JSON is nested so deeply that Python may fail to write it. This itself needs no recursion."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        if not level:
            return False
        level = [inner for outer in level for inner in _inside(outer)]
    return bool(level)


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def read_id(value: object) -> str:
    """Read the id of a request, which becomes part of names, events and log lines."""
    text = read_text(value)
    if len(text) > _LONGEST_ID or not text.isprintable():
        raise invalid(f"must be a text of at most {_LONGEST_ID} visible characters, not {format_value(text)}")
    return text
