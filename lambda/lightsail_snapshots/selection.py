"""Which instances a request selects, by name and tags.

A glob is matched against the whole name, and case matters: `*` is any number of characters, also none; `?` is one
character; `[ab]` and `[a-c]` are one of these; `[!ab]` is one that is none of these. The value of a tag is a glob too,
since Lightsail's tags cannot hold these characters: `*` is any value, also the empty one of a tag that is only a key.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from lightsail_snapshots.naming import is_temporary, tag_problems
from lightsail_snapshots.reader import InvalidValueError, Problem, Reader, invalid, read_each, read_flag

_CHARACTER_SET = re.compile(r"\[!?\]?[^\[\]]*\]")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.*?\[\]!-]")


@dataclass(frozen=True, kw_only=True)
class Select:
    """Every condition that is given must hold, and nothing in `exclude` or `exclude_tags` may match."""

    names: tuple[str, ...] = ()
    """Globs, one of which the instance's name must match."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Key to glob: the instance must have every one of these tags, with such a value."""
    all_instances: bool = False
    """`all` in the event: every instance, unless another condition or `exclude` says otherwise."""
    exclude: tuple[str, ...] = ()
    """Globs of names that are never selected."""
    exclude_tags: Mapping[str, str] = field(default_factory=dict)
    """Key to glob: an instance with any of these tags and such a value is never selected. `excludeTags` in events."""

    def matches(self, instance_name: str, tags: Mapping[str, str]) -> bool:
        """Tell whether an instance is selected; a tag that is only a key has the value ''.

        An instance of a restore drill or of `doctor` never is.
        """
        if is_temporary(tags):
            return False
        if not (self.all_instances or self.names or self.tags) or self.excludes(instance_name, tags):
            return False
        if self.names and not _matches(instance_name, self.names):
            return False
        return all(_has_tag(tags, key, glob) for key, glob in self.tags.items())

    def excludes(self, instance_name: str, tags: Mapping[str, str]) -> bool:
        """Tell whether `exclude` or `exclude_tags` match."""
        return _matches(instance_name, self.exclude) or any(
            _has_tag(tags, key, glob) for key, glob in self.exclude_tags.items()
        )

    def as_detail(self) -> dict[str, Any]:
        """Return the JSON that `parse_select` reads, without what is not given."""
        detail = {
            "names": list(self.names),
            "tags": dict(self.tags),
            "all": self.all_instances,
            "exclude": list(self.exclude),
            "excludeTags": dict(self.exclude_tags),
        }
        return {key: value for key, value in detail.items() if value}


def parse_select(value: object, exclude_tags_key: str = "excludeTags") -> Select:
    """Read the `select` of a request or of a plan; raise InvalidValueError with every problem at once.

    `exclude_tags_key` is how the field is written: plans.toml has `exclude_tags`.
    """
    if not isinstance(value, Mapping):
        raise invalid("must have names, tags or all")
    reader = Reader(value)
    select = Select(
        names=reader.take("names", read_globs) or (),
        tags=reader.take("tags", read_tag_globs) or {},
        all_instances=reader.take("all", read_flag) or False,
        exclude=reader.take("exclude", read_globs) or (),
        exclude_tags=reader.take(exclude_tags_key, read_tag_globs) or {},
    )
    reader.reject_unknown()
    if problems := reader.problems or _contradictions(select):
        raise InvalidValueError(*problems)
    return select


def _has_tag(tags: Mapping[str, str], key: str, glob: str) -> bool:
    return key in tags and fnmatchcase(tags[key], glob)


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def read_globs(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise invalid('must be a list of globs, such as ["web-*"]')
    return read_each(value, _read_glob)


def _read_glob(glob: object) -> str:
    if not isinstance(glob, str) or not glob:
        raise invalid('must be a glob, such as "web-*"')
    if "{" in glob:
        raise invalid(f'"{glob}": braces are not supported; list each name')
    if strange := sorted(set(_NOT_IN_NAMES.findall(glob))):
        found = " ".join(map(repr, strange))
        raise invalid(f'"{glob}" has {found}, so it matches no name; use letters, digits, - _ . and * ? [...]')
    if problem := _bracket_problem(glob):
        raise invalid(problem)
    return glob


def _bracket_problem(glob: str) -> str | None:
    lone = {"[", "]"} & set(_CHARACTER_SET.sub("", glob))
    return f'"{glob}" has a [ or ] without its other half' if lone else None


def read_tag_globs(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not value:
        raise invalid('must be a table of tags, such as { backup = "daily" }; "*" is any value')
    problems = [Problem((key,), text) for key, glob in value.items() for text in _tag_problems(key, glob)]
    if problems:
        raise InvalidValueError(*problems)
    return dict(value)


def _tag_problems(key: str, glob: object) -> list[str]:
    if not isinstance(glob, str):
        return ['must be a text; "*" is any value']
    # Instances may have tags of AWS's own, such as aws:cloudformation:stack-name: no request sets them.
    problems = tag_problems(key.removeprefix("aws:"), re.sub(r"[*?\[\]!]", "", glob))
    bracket = _bracket_problem(glob)
    return [*problems, bracket] if bracket else problems


def _contradictions(select: Select) -> list[Problem]:
    if not (select.names or select.tags or select.all_instances):
        return [Problem((), "selects nothing: give names, tags or all")]
    if "*" in select.exclude:
        return [Problem(("exclude",), "excludes everything")]
    if select.names and set(select.names) <= set(select.exclude):
        return [Problem(("exclude",), "excludes everything that names selects")]
    return []
