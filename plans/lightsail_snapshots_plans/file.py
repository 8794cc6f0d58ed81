"""`plans.toml` while it is read: its tables, the line of each key, and everything that is wrong with it."""

import json
import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightsail_snapshots_plans.syntax import explain_syntax_error

KeyPath = tuple[str, ...]

_HEADER = re.compile(r"\s*\[{1,2}(?P<keys>[^\[\]]+)\]{1,2}\s*(?:#.*)?")
_LONGEST_FOUND = 90


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the file, or suspicious in it."""

    file: str
    line: int | None
    path: KeyPath
    found: str | None
    """The value as TOML; None if a key is missing."""
    text: str

    @property
    def place(self) -> str:
        """The line, in the form that editors and terminals link, then the key and its value."""
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line}: {_dotted(self.path)}{'' if self.found is None else f' = {self.found}'}"

    def __str__(self) -> str:
        """Write the place and, below it, the problem and the remedy."""
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
        """Read and parse the file; raise InvalidPlansError if it is missing or is not TOML."""
        self.name = path.name
        self.problems: list[Problem] = []
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise InvalidPlansError(
                f"{path} does not exist. It names the instances to take snapshots of; an empty file is enough if only "
                "custom events ask for snapshots."
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidPlansError(f"{path} cannot be read: {error}") from error
        self.values = self._parse(text)
        self._lines = line_numbers(text)

    def _parse(self, text: str) -> Mapping[str, Any]:
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            number, cause = _repeated(text, str(error)) or explain_syntax_error(text, str(error))
            line = text.splitlines()[number - 1].strip() if text else ""
            raise InvalidPlansError(
                f"{self.name} is not valid TOML; nothing was synthesized.\n\n"
                f"{self.name}:{number}: {_truncate(line)}\n{_paragraph(cause)}"
            ) from error
        except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 1,000 brackets
            raise InvalidPlansError(f"{self.name} is not valid TOML: {error}") from error

    def problem(self, path: KeyPath, text: str) -> Problem:
        """Describe a problem of a key, or of a table that lacks one."""
        near = path
        while near and near not in self._lines:
            near = near[:-1]
        value: Any = self.values
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        is_whole_plan = isinstance(value, Mapping) and len(path) <= len(("plans", "name"))
        found = None if value is None or is_whole_plan else as_toml(value)
        return Problem(self.name, self._lines.get(near), path, None if found is None else _truncate(found), text)

    def report(self, path: KeyPath, text: str) -> None:
        self.problems.append(self.problem(path, text))

    def check(self) -> None:
        """Raise InvalidPlansError if anything was reported."""
        if self.problems:
            count = f"{len(self.problems)} problems" if len(self.problems) > 1 else "a problem"
            raise InvalidPlansError(f"{self.name} has {count}; nothing was synthesized.", self.problems)


def line_numbers(text: str) -> dict[KeyPath, int]:
    """Find the line of each table header and key, which tomllib does not tell.

    Keys inside an inline table have no line of their own: the line of the nearest key around them is used.
    """
    lines: dict[KeyPath, int] = {}
    for number, path in _keys_by_line(text):
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], number)
    return lines


def _keys_by_line(text: str) -> Iterator[tuple[int, KeyPath]]:
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.fullmatch(line)
        if header:
            table = _keys(header["keys"])
            yield number, table
        elif "=" in line and (keys := _keys(line.partition("=")[0])):
            yield number, (*table, *keys)


def _keys(text: str) -> KeyPath:
    """Read a dotted key as tomllib does; () if it is not a key, as in a comment or inside a list."""
    try:
        value: Any = tomllib.loads(f"{text} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(value, dict) and value:
        ((key, value),) = value.items()
        path.append(key)
    return tuple(path)


def _repeated(text: str, error: str) -> tuple[int, str] | None:
    """Explain a table or key that is there twice: return the line of the second, and name the line of the first."""
    match = re.match(r"Cannot (?:declare .* twice|overwrite a value) \(at line (\d+)", error)
    path = dict(_keys_by_line(text)).get(int(match[1])) if match else None
    if match is None or path is None:
        return None
    return int(
        match[1]
    ), f"{_dotted(path)} is already in line {line_numbers(text)[path]}: rename or remove one of the two"


def _dotted(path: KeyPath) -> str:
    return ".".join(
        key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False) for key in path
    )


def _paragraph(text: str) -> str:
    indent = "    "
    return textwrap.fill(
        text, 100, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _truncate(text: str) -> str:
    return text if len(text) <= _LONGEST_FOUND else f"{text[:_LONGEST_FOUND]}..."


def as_toml(value: Any) -> str:
    """Write a value as TOML does, on one line."""
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_dotted((key,))} = {as_toml(inner)}" for key, inner in value.items()) + " }"
            if value
            else "{}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, str | bool):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
