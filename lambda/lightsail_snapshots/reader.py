"""Reading the fields of JSON objects so that everything that is wrong with them is reported at once.

A reader raises ValueError with one argument for each problem; each begins where the name of the field ends.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TypeVar

from lightsail_snapshots.duration import parse_duration

T = TypeVar("T")


class Fields:
    """The fields of one JSON object, taken one by one; what is wrong with them is added to `problems`."""

    def __init__(self, fields: Mapping[str, object] | None, prefix: str, problems: list[str]) -> None:
        """Begin with an object, or with None where one is missing and that has been said already."""
        self._left = dict(fields or {})
        self._missing_is_news = fields is not None
        self._prefix = prefix
        self._problems = problems
        self._known: list[str] = []

    def take(self, name: str, read: Callable[[object], T], *, optional: bool = False) -> T | None:
        """Read one field; `read` raises ValueError with one argument for each problem."""
        self._known.append(name)
        if name not in self._left:
            if self._missing_is_news and not optional:
                self._problems.append(f"{self._prefix}{name}: is missing")
            return None
        try:
            return read(self._left.pop(name))
        except ValueError as error:
            self._problems.extend(f"{self._prefix}{name}{problem}" for problem in error.args)
            return None

    def pass_over(self, names: Iterable[str]) -> None:
        """Allow these fields, whatever is in them: somebody else reads them."""
        for name in names:
            self.take(name, lambda value: value, optional=True)

    def refuse_the_rest(self) -> None:
        """Report each field that nobody took, with the nearest one that is known."""
        for name in self._left:
            near = get_close_matches(name, self._known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(self._known)}"
            self._problems.append(f"{self._prefix}{truncate(name)}: is not a known field; {hint}")


def truncate(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}..."


def format_value(value: object) -> str:
    """Show a value of any size so that it can be found again in the request."""
    return "null" if value is None else truncate(repr(value))


def read_object(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError(f": must be a JSON object, not {format_value(value)}")
    return value


def read_list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError(f": must be a list, not {format_value(value)}")
    return value


def read_texts(value: object) -> tuple[str, ...]:
    return tuple(read_text(entry) for entry in read_list(value))


def read_text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f": must be a text, not {format_value(value)}")
    return value


def read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f": must be true or false, not {format_value(value)}")
    return value


def read_instant(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(read_text(value))
    except ValueError:
        instant = datetime.min.replace(tzinfo=UTC)
    if instant.tzinfo is None or not 1970 < instant.year < 9000:  # so that adding a duration cannot overflow
        raise ValueError(f": must be a time such as 2026-11-23T03:15:00Z, not {format_value(value)}")
    return instant


def read_duration(value: object) -> timedelta:
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ValueError(f": {error}, not {format_value(value)}") from None
