"""Which instances a Fleet request selects: a pure function of an instance's name and tags.

A glob is matched against the whole name, upper and lower case being different: `*` is any number of characters, also
none, `?` is one character, `[ab]` and `[a-c]` one of these, `[!ab]` one that is none of these. The value of a tag is a
glob as well, which is unambiguous because Lightsail's tags cannot hold these characters: `*` is any value, also the
empty one of a tag that is a key only.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from lightsail_snapshots.naming import tag_problems

KEYS = ("names", "tags", "all", "exclude")

_CHARACTER_SET = re.compile(r"\[!?\]?[^\[\]]*\]")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.*?\[\]!-]")


class InvalidSelectError(ValueError):
    """Raised when a selection could never select an instance; `problems` are pairs of key and text, all of them."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        """Join the problems into one message."""
        super().__init__("; ".join(f"{key}: {text}" if key else text for key, text in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, kw_only=True)
class Select:
    """What an instance must be like to be selected: every condition that is given must hold, and no `exclude` glob."""

    names: tuple[str, ...] = ()
    """Globs, one of which the instance's name must match."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Key to glob: the instance must have every one of these tags, with such a value."""
    all_instances: bool = False
    """`all` in the event: no condition, so that `exclude` alone decides where neither `names` nor `tags` is given."""
    exclude: tuple[str, ...] = ()
    """Globs of names that are never selected."""

    def matches(self, instance_name: str, tags: Mapping[str, str]) -> bool:
        """Tell whether an instance is selected; a tag that is a key only has the value ''."""
        if not (self.all_instances or self.names or self.tags) or _matches(instance_name, self.exclude):
            return False
        if self.names and not _matches(instance_name, self.names):
            return False
        return all(key in tags and fnmatchcase(tags[key], glob) for key, glob in self.tags.items())

    def as_detail(self) -> dict[str, Any]:
        """Return the JSON form that `parse_select` reads, without what is not given."""
        detail = {
            "names": list(self.names),
            "tags": dict(self.tags),
            "all": self.all_instances,
            "exclude": list(self.exclude),
        }
        return {key: value for key, value in detail.items() if value}


def parse_select(value: object) -> Select:
    """Read the `select` of a Fleet request or of a plan; raise InvalidSelectError with every problem at once."""
    if not isinstance(value, Mapping):
        raise InvalidSelectError([("", f"must be a table with at least one of {', '.join(KEYS[:3])}")])
    checks: Mapping[str, Callable[[Any], Iterable[str]]] = {
        "names": _globs_problems,
        "tags": _tags_problems,
        "all": lambda flag: [] if isinstance(flag, bool) else ["must be true or false"],
        "exclude": _globs_problems,
    }
    problems = [(key, _unknown(key)) for key in value if key not in checks]
    for key, check in checks.items():
        if key in value:
            problems += [(key, text) for text in check(value[key])]
    problems = problems or _selects_nothing(value)
    if problems:
        raise InvalidSelectError(problems)
    return Select(
        names=tuple(value.get("names", ())),
        tags=dict(value.get("tags", {})),
        all_instances=value.get("all", False),
        exclude=tuple(value.get("exclude", ())),
    )


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _unknown(key: object) -> str:
    near = difflib.get_close_matches(str(key), KEYS, n=1)
    return f"unknown key; did you mean {near[0]}?" if near else f"unknown key; allowed are {', '.join(KEYS)}"


def _globs_problems(value: object) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(glob, str) for glob in value):
        return ['must be a list of globs, such as ["web-*"]']
    return [problem for glob in value for problem in _glob_problems(glob)]


def _glob_problems(glob: str) -> list[str]:
    if "{" in glob:
        return [f'"{glob}": braces mean nothing here; write one glob for each name']
    strange = sorted(set(_NOT_IN_NAMES.findall(glob)))
    if strange or not glob:
        what = f"holds {' '.join(map(repr, strange))}" if strange else "is empty"
        return [f'"{glob}" {what}, and so matches no instance; allowed are letters, digits, - _ . and * ? [...]']
    return _bracket_problems(glob)


def _bracket_problems(glob: str) -> list[str]:
    open_bracket = {"[", "]"} & set(_CHARACTER_SET.sub("", glob))
    return [f'"{glob}" has a [ or ] without its other half'] if open_bracket else []


def _tags_problems(value: object) -> list[str]:
    if not isinstance(value, Mapping) or not value:
        return ['must be a table of tags, such as { backup = "daily" }; "*" is any value']
    problems = []
    for key, glob in value.items():
        if not isinstance(glob, str):
            problems.append(f'{key}: the value must be text in quotes; "*" is any value')
            continue
        # Instances may have tags of AWS's own, such as aws:cloudformation:stack-name: they may be selected by, not set.
        bare = key.removeprefix("aws:"), re.sub(r"[*?\[\]!]", "", glob)
        problems += [f"{key}: {problem}" for problem in [*tag_problems(*bare), *_bracket_problems(glob)]]
    return problems


def _selects_nothing(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not any(value.get(key) for key in ("names", "tags", "all")):
        return [("", "selects nothing: give names, tags or all = true")]
    exclude = set(value.get("exclude", ()))
    if "*" in exclude:
        return [("exclude", "takes out everything")]
    if value.get("names") and set(value["names"]) <= exclude:
        return [("exclude", "takes out everything that names could select")]
    return []
