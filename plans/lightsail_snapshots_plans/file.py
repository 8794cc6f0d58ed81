"""`plans.toml` while it is read: its tables, the line of each key, and everything that is wrong, reported at once."""

import difflib
import json
import re
import textwrap
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

KeyPath = tuple[str, ...]
T = TypeVar("T")
D = TypeVar("D")

_HEADER = re.compile(r"\s*\[{1,2}(?P<keys>[^\[\]]+)\]{1,2}\s*(?:#.*)?")
_LONGEST_FOUND = 90


class InvalidValueError(ValueError):
    """Raised by the check of one value; `problems` are pairs of a path inside the value, often (), and a text."""

    def __init__(self, *problems: tuple[KeyPath, str]) -> None:
        """Keep the problems; each becomes a `Problem` of the file."""
        super().__init__("; ".join(text for _, text in problems))
        self.problems = problems


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, with its place."""

    file: str
    line: int | None
    path: KeyPath
    found: str | None
    """The value as TOML; None where a key is missing."""
    text: str

    @property
    def place(self) -> str:
        """The place as editors and terminals link it, the key and the value."""
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line}: {_dotted(self.path)}{'' if self.found is None else f' = {self.found}'}"

    def __str__(self) -> str:
        """Write the place, and below it what is wrong and what is allowed."""
        return f"{self.place}\n{_paragraph(self.text)}"


class InvalidPlansError(Exception):
    """Raised when plans.toml cannot be used; the message lists every problem, `problems` holds them."""

    def __init__(self, headline: str, problems: Sequence[Problem] = ()) -> None:
        """Write the headline and the problems by place, in the order of the file."""
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        places: dict[str, list[str]] = {}
        for problem in self.problems:
            places.setdefault(problem.place, []).append(_paragraph(problem.text))
        super().__init__("\n\n".join([headline, *("\n".join([place, *texts]) for place, texts in places.items())]))


class PlanFile:
    """The parsed file and the problems found in it so far."""

    def __init__(self, path: Path) -> None:
        """Read and parse the file; raise InvalidPlansError where it is missing or is not TOML."""
        self.name = path.name
        self.problems: list[Problem] = []
        try:
            text = path.read_text(encoding="utf-8-sig")
            self.values: Mapping[str, Any] = tomllib.loads(text)
        except FileNotFoundError as error:
            raise InvalidPlansError(
                f"{path} does not exist. It names the instances to take snapshots of; without plans, for custom events "
                "alone, an empty file will do."
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidPlansError(f"{path} cannot be read: {error}") from error
        except (ValueError, RecursionError) as error:  # also a number of 5,000 digits, and 1,000 brackets
            raise InvalidPlansError(f"{path} is not TOML: {error}") from error
        self._lines = line_numbers(text)

    def problem(self, path: KeyPath, text: str) -> Problem:
        """Describe something about a key, or about a table that lacks one."""
        near = path
        while near and near not in self._lines:
            near = near[:-1]
        value: Any = self.values
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        is_whole_plan = isinstance(value, Mapping) and len(path) <= len(("plans", "name"))
        found = None if value is None or is_whole_plan else as_toml(value)
        return Problem(self.name, self._lines.get(near), path, found, text)

    def report(self, path: KeyPath, text: str) -> None:
        """Note a problem."""
        self.problems.append(self.problem(path, text))

    def check(self) -> None:
        """Raise InvalidPlansError where anything was reported."""
        if self.problems:
            count = f"{len(self.problems)} problems" if len(self.problems) > 1 else "a problem"
            raise InvalidPlansError(f"{self.name} has {count}; nothing was synthesized.", self.problems)


class Table:
    """One table of the file: hands out its values checked, and reports what is wrong with them."""

    def __init__(self, file: PlanFile, path: KeyPath, values: Any, example: str = "") -> None:
        """Take the parsed values; anything but a table is reported, with an example, and read as an empty one."""
        self.file, self.path = file, path
        self.values: Mapping[str, Any] = values if isinstance(values, Mapping) else {}
        self.failed = False
        """Whether anything was reported, so that what follows from it is not reported as well."""
        if not isinstance(values, Mapping):
            self.report(f"must be a table, such as {example}")

    def __contains__(self, key: str) -> bool:
        """Tell whether the file gives the key."""
        return key in self.values

    def take(self, key: str, check: Callable[[Any], T], default: D) -> T | D:
        """Return what `check` makes of the value; the default where there is none or it is reported."""
        if key not in self.values:
            return default
        try:
            return check(self.values[key])
        except InvalidValueError as error:
            for inner, text in error.problems:
                self.report(text, key, *inner)
        return default

    def table(self, key: str, example: str) -> "Table":
        """Return a table inside this one, empty where there is none."""
        return Table(self.file, (*self.path, key), self.values.get(key, {}), example)

    def report(self, text: str, *keys: str) -> None:
        """Note a problem of a key of this table, or of the table itself."""
        self.failed = True
        self.file.report((*self.path, *keys), text)

    def rest(self, allowed: Collection[str], elsewhere: Mapping[str, str] | None = None) -> None:
        """Report every key that is not allowed here; `elsewhere` says where it belongs instead."""
        for key in self.values:
            if key not in allowed:
                self.report((elsewhere or {}).get(key) or unknown_key(key, allowed), key)


def unknown_key(key: str, allowed: Collection[str]) -> str:
    """Say that a key is unknown, with the nearest known one, or with all of them."""
    near = difflib.get_close_matches(key, allowed, n=1)
    return f"unknown key; did you mean {near[0]}?" if near else f"unknown key; allowed are {', '.join(allowed)}"


def line_numbers(text: str) -> dict[KeyPath, int]:
    """Find the line of each table header and key; tomllib tells none.

    Keys inside an inline table have no line of their own: that of the nearest key around them is used.
    """
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.fullmatch(line)
        if header:
            path = table = _keys(header["keys"])
        elif "=" in line and (keys := _keys(line.partition("=")[0])):
            path = (*table, *keys)
        else:
            continue
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], number)
    return lines


def _keys(text: str) -> KeyPath:
    """Read a dotted key as tomllib does; () where it is none, as in a comment or inside a list."""
    try:
        value: Any = tomllib.loads(f"{text} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(value, dict) and value:
        ((key, value),) = value.items()
        path.append(key)
    return tuple(path)


def _dotted(path: KeyPath) -> str:
    return ".".join(
        key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False) for key in path
    )


def _paragraph(text: str) -> str:
    indent = "    "
    return textwrap.fill(
        text, 100, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def as_toml(value: Any) -> str:
    """Write a value as the file would, cut where it is long."""
    text = _toml(value)
    return text if len(text) <= _LONGEST_FOUND else f"{text[:_LONGEST_FOUND]}..."


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str | bool):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
