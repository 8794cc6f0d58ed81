"""Event patterns: what EventBridge would refuse, and whether a pattern could match a given event.

The rules are those of the EventBridge user guide, "Creating Amazon EventBridge event patterns" and "Comparison
operators for use in event patterns".
"""

import difflib
import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

ENVELOPE = ("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name")
MAX_LENGTH = 2048
"""Characters of a pattern: the default quota of EventBridge."""

_LARGEST_NUMBER = 5e9

Problem = tuple[tuple[str, ...], str]
"""Path of the key in the pattern, and what is wrong with it."""


def pattern_problems(pattern: Mapping[str, Any]) -> list[Problem]:
    """Say everything that makes this no pattern of an event, as EventBridge sees it or because no event looks so."""
    problems = list(_object_problems(pattern, (), top=True))
    if not problems and len(json.dumps(pattern)) > MAX_LENGTH:
        problems.append(((), f"is longer than {MAX_LENGTH} characters as JSON, which EventBridge refuses"))
    return problems


def could_match(pattern: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Tell whether a sound pattern could match an event of which only the `known` fields are known.

    Every other field may have just the value that the pattern asks for, so that the answer errs towards yes.
    """
    return all(_key_could_match(key, expected, known) for key, expected in pattern.items())


def _key_could_match(key: str, expected: Any, known: Mapping[str, Any]) -> bool:
    if key == "$or":
        return any(could_match(branch, known) for branch in expected)
    if key not in known:
        return True
    if isinstance(expected, Mapping):  # it may ask that fields inside a text do not exist
        return not isinstance(known[key], Mapping) or could_match(expected, known[key])
    return any(_accepts(matcher, known[key]) for matcher in expected)


def _accepts(matcher: Any, value: str) -> bool:
    """Tell whether one entry of a list accepts a text."""
    if not isinstance(matcher, Mapping):
        return bool(matcher == value)
    ((operator, operand),) = matcher.items()
    if operator == "anything-but":
        operands = operand if isinstance(operand, list) else [operand]
        return not any(_accepts_negated(entry, value) for entry in operands)
    if isinstance(operand, Mapping):  # a prefix or suffix that ignores case
        return _accepts({operator: operand["equals-ignore-case"].lower()}, value.lower())
    accepts: Mapping[str, Callable[[Any], bool]] = {
        "prefix": value.startswith,
        "suffix": value.endswith,
        "equals-ignore-case": lambda text: text.lower() == value.lower(),
        "wildcard": lambda text: _wildcard(text).fullmatch(value) is not None,
        "exists": bool,
    }
    return accepts[operator](operand) if operator in accepts else False


def _accepts_negated(entry: Any, value: str) -> bool:
    if not isinstance(entry, Mapping):
        return bool(entry == value)
    ((operator, operand),) = entry.items()
    operands = operand if isinstance(operand, list) else [operand]
    return any(_accepts({operator: text}, value) for text in operands)


def _wildcard(text: str) -> re.Pattern[str]:
    r"""Translate `*`, and `\*` for the character itself."""
    parts = re.findall(r"\\.|\*|[^*\\]+", text, re.DOTALL)
    return re.compile("".join(".*" if part == "*" else re.escape(part.removeprefix("\\")) for part in parts), re.DOTALL)


def _object_problems(pattern: Mapping[str, Any], path: tuple[str, ...], *, top: bool = False) -> Iterator[Problem]:
    if not pattern:
        yield path, "must not be empty: an empty pattern matches nothing"
    for key, value in pattern.items():
        here = (*path, key)
        if key == "$or":
            yield from _or_problems(value, here, path, top=top)
        elif top and key not in ENVELOPE:
            near = difflib.get_close_matches(key, ENVELOPE, n=1)
            hint = f"did you mean {near[0]}?" if near else f"allowed are {', '.join(ENVELOPE)}"
            yield here, f"no event has this field; {hint}"
        elif isinstance(value, Mapping) and (key == "detail" or not top):
            yield from _object_problems(value, here)
        elif top and key == "detail":
            yield here, 'must be a table, such as { state = ["SUCCEEDED"] }'
        else:
            yield from ((here, text) for text in _list_problems(value))


def _or_problems(value: Any, here: tuple[str, ...], path: tuple[str, ...], *, top: bool) -> Iterator[Problem]:
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(branch, Mapping) for branch in value):
        yield here, "must be a list of at least two tables"
        return
    for branch in value:
        yield from _object_problems(branch, path, top=top)


def _list_problems(value: Any) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"must be a list: [{json.dumps(value, default=str)}]"
        return
    if not value:
        yield "must not be an empty list: EventBridge refuses it"
    for entry in value:
        if isinstance(entry, Mapping):
            yield from _matcher_problems(entry)
        elif not isinstance(entry, str | bool) and not _is_number(entry):
            yield f'may hold text, numbers, true, false and matchers such as {{ prefix = "a" }}, not {entry!r}'


def _matcher_problems(matcher: Mapping[str, Any]) -> Iterator[str]:
    if len(matcher) != 1:
        yield f"a matcher has exactly one operator, not {len(matcher)}"
        return
    ((operator, operand),) = matcher.items()
    if operator not in _OPERANDS:
        near = difflib.get_close_matches(operator, _OPERANDS, n=1)
        yield f"unknown operator {operator}; " + (
            f"did you mean {near[0]}?" if near else f"allowed are {', '.join(_OPERANDS)}"
        )
        return
    is_sound, allowed = _OPERANDS[operator]
    if not is_sound(operand):
        yield f"{operator} must be {allowed}"


def _is_text(operand: Any) -> bool:
    return isinstance(operand, str)


def _is_affix(operand: Any) -> bool:
    return _is_text(operand) or (
        isinstance(operand, Mapping)
        and set(operand) == {"equals-ignore-case"}
        and _is_text(operand["equals-ignore-case"])
    )


def _is_wildcard(operand: Any) -> bool:
    return _is_text(operand) and re.fullmatch(r"(?:\\[*\\]|\*(?!\*)|[^*\\])*", operand, re.DOTALL) is not None


def _is_anything_but(operand: Any) -> bool:
    if isinstance(operand, Mapping):
        if len(operand) != 1 or not set(operand) <= {"prefix", "suffix", "equals-ignore-case", "wildcard"}:
            return False
        ((operator, inner),) = operand.items()
        is_sound = _is_wildcard if operator == "wildcard" else _is_text
        return bool(inner) and all(is_sound(text) and text for text in (inner if isinstance(inner, list) else [inner]))
    entries = operand if isinstance(operand, list) else [operand]
    kinds = {str if isinstance(entry, str) else _is_number(entry) for entry in entries}
    return len(kinds) == 1 and False not in kinds


def _is_number(operand: Any) -> bool:
    """Numbers that EventBridge compares: up to five thousand million on both sides of zero."""
    return isinstance(operand, int | float) and not isinstance(operand, bool) and abs(operand) <= _LARGEST_NUMBER


def _is_numeric(operand: Any) -> bool:
    if not isinstance(operand, list) or not all(map(_is_number, operand[1::2])):
        return False
    match operand[::2]:
        case ["=" | "<" | "<=" | ">" | ">="]:
            return len(operand) == 2
        case [">" | ">=", "<" | "<="]:
            return len(operand) == 4 and bool(operand[1] < operand[3])
    return False


def _is_cidr(operand: Any) -> bool:
    try:
        ipaddress.ip_network(operand, strict=False)
    except (TypeError, ValueError):
        return False
    return _is_text(operand) and "/" in operand


_OPERANDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "prefix": (_is_affix, "text"),
    "suffix": (_is_affix, "text"),
    "equals-ignore-case": (_is_text, "text"),
    "wildcard": (_is_wildcard, "text with single * in it"),
    "anything-but": (_is_anything_but, "text, a number, a list of one of them, or a table with one operator"),
    "exists": (lambda operand: isinstance(operand, bool), "true or false"),
    "numeric": (_is_numeric, 'a list such as [">", 0, "<=", 5]'),
    "cidr": (_is_cidr, 'an address range such as "10.0.0.0/24"'),
}
