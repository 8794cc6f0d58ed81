"""Reads JSON that anyone may send, and collects everything that is wrong with it.

A `Reader` takes the fields of one object. The functions `read_*` turn a value into a typed one, or raise
InvalidValueError with one or more problems.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import NamedTuple, TypeVar

from lightsail_snapshots.naming import (
    MAX_OTHER_TAGS,
    MAX_PLAN_NAME,
    MAX_TAGS,
    is_name,
    is_plan_name,
    is_reserved_key,
    tag_problems,
)
from lightsail_snapshots.text import clean

T = TypeVar("T")

Path = tuple[str | int, ...]
"""Keys of objects and indexes of lists, from the outside in."""

_LONGEST_SHOWN = 60
_LONGEST_PROBLEM = 500
_ZONE = re.compile(r"(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9]+)(?:-[a-z]+-[0-9]+)?[a-z]")
_SHORT_DURATION = re.compile(
    r"(?:(?P<days>[1-9][0-9]{0,4})d|(?P<hours>[1-9][0-9]{0,5})h|(?P<minutes>[1-9][0-9]{0,7})m)"
)
_ISO_DURATION = re.compile(
    r"P(?:(?P<weeks>[0-9]{1,4})W"
    r"|(?=[0-9T])(?:(?P<days>[0-9]{1,5})D)?(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,8})M)?)?)"
)
LONGEST_DURATION = timedelta(days=36_525)


class Problem(NamedTuple):
    """One thing that is wrong with a value."""

    path: Path
    """Where, seen from the value that was read."""
    text: str

    def __str__(self) -> str:
        """Write the path as people do: `detail.tags[0].key: is missing`."""
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{truncate(part)}" for part in self.path)
        return clean(truncate(f"{path.removeprefix('.')}: {self.text}" if path else self.text, _LONGEST_PROBLEM))


class InvalidValueError(ValueError):
    """Raised by the functions that read a value."""

    def __init__(self, *problems: Problem) -> None:
        """Keep the problems, and join them for those who print the error."""
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def invalid(text: str) -> InvalidValueError:
    """Build the error of a value that has one problem."""
    return InvalidValueError(Problem((), text))


class Reader:
    """The fields of one JSON object, taken one by one."""

    def __init__(
        self, fields: Mapping[str, object] | None, path: Path = (), problems: list[Problem] | None = None
    ) -> None:
        """Start at the fields of an object; None stands for one that is missing or wrong, and was reported as such.

        Problems are added to `problems`, with `path` before their own.
        """
        self.problems = [] if problems is None else problems
        self._path = path
        self._left = dict(fields or {})
        self._reports_missing = fields is not None
        self._known: list[str] = []
        self._wrong: set[str] = set()

    def take(self, name: str, read: Callable[[object], T]) -> T | None:
        """Return what `read` makes of a field; None if the field is not there, or is wrong and reported."""
        self._known.append(name)
        if name not in self._left:
            return None
        try:
            return read(self._left.pop(name))
        except InvalidValueError as error:
            for path, text in error.problems:
                self.report(text, name, *path)
            return None

    def require(self, name: str, read: Callable[[object], T]) -> T | None:
        """Do the same, and report a field that is not there."""
        if name not in self._left and self._reports_missing:
            self.report("is missing", name)
        return self.take(name, read)

    def open(self, name: str) -> "Reader":
        """Return a reader of the object in a required field; its problems are added to these."""
        return Reader(self.require(name, read_object), (*self._path, name), self.problems)

    def forbid(self, name: str, text: str) -> None:
        """Report a field if it is there."""
        if name in self._left:
            del self._left[name]
            self.report(text, name)

    def report(self, text: str, name: str, *path: str | int) -> None:
        """Add a problem of a field."""
        self._wrong.add(name)
        self.problems.append(Problem((*self._path, name, *path), text))

    def is_wrong(self, name: str) -> bool:
        """Whether a field has a problem."""
        return name in self._wrong

    def reject_unknown(self) -> None:
        """Report each field that nobody took; to compare a hundred thousand names would take a minute."""
        for number, name in enumerate(self._left):
            self.report(f"unknown key; {suggestion(name, self._known)}" if number < 100 else "unknown key", name)


def suggestion(word: str, known: Collection[str], otherwise: str = "", *, cutoff: float = 0.6) -> str:
    """Return "did you mean names?", or `otherwise` if nothing is near; its default lists all that is known."""
    near = nearest(word, known, cutoff=cutoff)
    return f"did you mean {near}?" if near else otherwise or f"allowed are {', '.join(known)}"


def nearest(word: str, known: Collection[str], *, cutoff: float) -> str | None:
    """Return the known word that is spelled most alike, if any is alike enough: 1 is equal but for the case."""
    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[near[0]] if near else None


def truncate(text: str, longest: int = _LONGEST_SHOWN) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."


def format_value(value: object) -> str:
    """Show a value of any size so that a person finds it in what was sent."""
    return "null" if value is None else truncate(repr(value))


def read_object(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise invalid(f"must be a JSON object, not {format_value(value)}")
    return value


def read_list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise invalid(f"must be a list, not {format_value(value)}")
    return value


def read_each(values: Sequence[object], read: Callable[[object], T]) -> tuple[T, ...]:
    """Read each value of a list; raise InvalidValueError with the problems of all."""
    found, problems = [], []
    for index, value in enumerate(values):
        try:
            found.append(read(value))
        except InvalidValueError as error:
            problems += [Problem((index, *path), text) for path, text in error.problems]
    if problems:
        raise InvalidValueError(*problems)
    return tuple(found)


def read_text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise invalid(f"must be a text, not {format_value(value)}")
    return value


def read_texts(value: object) -> tuple[str, ...]:
    return read_each(read_list(value), read_text)


def read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise invalid(f"must be true or false, not {format_value(value)}")
    return value


def read_number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid(f"must be a whole number, not {format_value(value)}")
    return value


def read_instant(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        instant = None
    # The year is limited so that adding a duration cannot overflow.
    if instant is None or instant.tzinfo is None or not 1970 < instant.year < 9000:
        raise invalid(f"must be a time such as 2026-11-23T03:15:00Z, not {format_value(value)}")
    return instant


def parse_duration(text: str) -> timedelta:
    """Read `14d`, `26h` or `90m`, or ISO 8601 in weeks, days, hours and minutes; raise ValueError for anything else.

    Years and months are rejected, since their length depends on the calendar.
    """
    match = _SHORT_DURATION.fullmatch(text) or _ISO_DURATION.fullmatch(text)
    length = timedelta(**{unit: int(count or 0) for unit, count in match.groupdict().items()}) if match else None
    if not length or length > LONGEST_DURATION:
        raise ValueError("must be a duration such as 14d, 26h, 90m, or in ISO 8601: P14D, P2W, PT36H")
    return length


def format_duration(length: timedelta) -> str:
    """Write a duration of whole minutes as ISO 8601: P14D, PT36H, PT90M."""
    minutes = length // timedelta(minutes=1)
    if minutes % (24 * 60) == 0:
        return f"P{minutes // (24 * 60)}D"
    return f"PT{minutes // 60}H" if minutes % 60 == 0 else f"PT{minutes}M"


def read_duration(value: object) -> timedelta:
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except ValueError as error:
        raise invalid(f"{error}, not {format_value(value)}") from None


def read_name(value: object) -> str:
    """Read the name of an instance or a snapshot."""
    name = read_text(value)
    if not is_name(name):
        raise invalid(
            "must have 2 to 255 letters, digits, hyphens, underscores and dots, with a letter or digit at both ends, "
            f"not {format_value(name)}"
        )
    return name


def read_plan(value: object) -> str:
    """Read the name of a plan."""
    plan = read_text(value)
    if not is_plan_name(plan):
        raise invalid(f"must have 1 to {MAX_PLAN_NAME} letters, digits, - _ and ., not {format_value(plan)}")
    return plan


def region_of_zone(name: str) -> str | None:
    """Return the Region if the name looks like that of an Availability Zone or a Local Zone."""
    zone = _ZONE.fullmatch(name)
    return zone["region"] if zone else None


def read_region(
    regions: Collection[str], *, for_copies: bool = False, is_other: Callable[[str], bool] = lambda _: False
) -> Callable[[object], str]:
    """Make the function that reads one of these Regions, or another one that `is_other` accepts."""
    purpose = "that this stack copies to" if for_copies else "of this stack"

    def read(value: object) -> str:
        name = read_text(value)
        if name in regions or is_other(name):
            return name
        region = region_of_zone(name)
        hint = f"; the Region of that zone is {region}" if region else ""
        known = ", ".join(sorted(regions)) or "none"
        raise invalid(f"must be a Region {purpose} ({known}), not {format_value(name)}{hint}")

    return read


def read_regions(
    regions: Collection[str],
    *sources: str,
    for_copies: bool = False,
    is_other: Callable[[str], bool] = lambda _: False,
) -> Callable[[object], tuple[str, ...]]:
    """Make the function that reads a list of such Regions; `sources` are Regions that a copy cannot go to."""

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not value:
            raise invalid(f'must be a list of Regions such as ["eu-central-1"], not {format_value(value)}')
        found = read_each(value, read_region(regions, for_copies=for_copies, is_other=is_other))
        problems = [f"{region} is listed twice" for region in dict.fromkeys(found) if found.count(region) > 1]
        problems += [f"{source} is the Region of the snapshot itself" for source in sources if source in found]
        if problems:
            raise InvalidValueError(*(Problem((), problem) for problem in problems))
        return found

    return read


def read_tags(value: object) -> dict[str, str]:
    """Read the tags that a request sets: `[{"key": "env", "value": "prod"}]`, value optional, or `{"env": "prod"}`."""
    return _read_tags(value, MAX_OTHER_TAGS, is_reserved_key)


def read_all_tags(value: object) -> dict[str, str]:
    """Read the tags of a snapshot of ours, which may have one more when it is copied."""
    return _read_tags(value, MAX_TAGS - 1, lambda _: False)


def _read_tags(value: object, most: int, is_reserved: Callable[[str], bool]) -> dict[str, str]:
    problems: list[Problem] = []
    tags: dict[str, str] = {}
    for path, key, text in _tag_pairs(value, problems):
        found = tag_problems(key, text) if isinstance(text, str) else [f"must be a text, not {format_value(text)}"]
        if is_reserved(key):
            found.append(f"the key {truncate(key)} is reserved for lightsail-snapshots")
        if key in tags:
            found.append(f"the key {truncate(key)} is given twice")
        problems += [Problem(path, each) for each in found]
        tags[key] = str(text)
    if len(tags) > most:
        problems.append(Problem((), f"has {len(tags)} tags, at most {most} are allowed: Lightsail takes {MAX_TAGS}"))
    if problems:
        raise InvalidValueError(*problems)
    return tags


def _tag_pairs(value: object, problems: list[Problem]) -> list[tuple[Path, str, object]]:
    if isinstance(value, Mapping):
        return [((key,), key, text) for key, text in value.items()]
    if not isinstance(value, list):
        raise invalid(f'must be a list such as [{{"key": "env", "value": "prod"}}], not {format_value(value)}')
    pairs: list[tuple[Path, str, object]] = []
    for index, item in enumerate(value):
        if isinstance(item, Mapping) and isinstance(item.get("key"), str) and item.keys() <= {"key", "value"}:
            pairs.append(((index,), item["key"], item.get("value", "")))
        else:
            text = f'must be {{"key": "env", "value": "prod"}}, in lower case, not {format_value(item)}'
            problems.append(Problem((index,), text))
    return pairs
