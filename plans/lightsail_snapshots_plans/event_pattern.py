"""Event patterns: those that can never match an event, and those by which a plan would trigger itself.

EventBridge checks operators and operands when the stack is deployed. Their meaning: EventBridge user guide,
"Comparison operators for use in event patterns".
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lightsail_snapshots.events import DETAIL_TYPES, SOURCE
from lightsail_snapshots.reader import Path, Problem, suggestion

ENVELOPE = ("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name")

_OUR_CALLS = ("CreateInstanceSnapshot", "CopySnapshot", "TagResource", "DeleteInstanceSnapshot")
_CAUSED_BY_US: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    *(
        (
            f"our own event {detail_type}",
            {"source": SOURCE, "detail-type": detail_type},
            'set source, such as source = ["aws.codepipeline"]',
        )
        for detail_type in DETAIL_TYPES
    ),
    *(
        (
            f"CloudTrail's event of our own call {call}",
            {"source": "aws.lightsail", "detail-type": "AWS API Call via CloudTrail", "detail": {"eventName": call}},
            "set another source, or set detail.eventName to the calls that should trigger the plan",
        )
        for call in _OUR_CALLS
    ),
    (
        "AWS's event about the tags of our own snapshots",
        {
            "source": "aws.tag",
            "detail-type": "Tag Change on Resource",
            "detail": {"service": "lightsail", "resource-type": "InstanceSnapshot"},
        },
        "set another source, or detail.resource-type",
    ),
)
"""Events that a plan's own run causes, as far as their fields are known, and how a pattern excludes them."""


def pattern_problems(pattern: Mapping[str, Any]) -> list[Problem]:
    """Return the reasons why a plan must not have this pattern."""
    problems = list(_never_matches(pattern))
    if not problems:
        for what, event, remedy in _CAUSED_BY_US:
            if could_match(pattern, event):
                return [Problem((), f"would match {what}, so the plan would trigger itself forever; {remedy}")]
    return problems


def _never_matches(pattern: Mapping[str, Any], path: Path = ()) -> Iterator[Problem]:
    if not pattern:
        yield Problem(path, "must not be empty: an empty pattern matches nothing")
    for key, value in pattern.items():
        here = (*path, key)
        if key == "$or":
            yield from _or_problems(value, here, _never_matches)
        elif key not in ENVELOPE:
            yield Problem(here, f"events have no such field; {suggestion(key, ENVELOPE)}")
        elif key != "detail":
            yield from _list_problems(value, here, (str, Mapping))
        elif isinstance(value, Mapping):
            yield from _detail_problems(value, here)
        else:
            yield Problem(here, 'must be a table, such as { state = ["SUCCEEDED"] }')


def _detail_problems(pattern: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    for key, value in pattern.items():
        here = (*path, key)
        if key == "$or":
            yield from _or_problems(value, here, _detail_problems)
        elif isinstance(value, Mapping):
            yield from _detail_problems(value, here)
        else:
            yield from _list_problems(value, here, (str, int, float, Mapping))


def _or_problems(
    value: Any, path: Path, check: Callable[[Mapping[str, Any], Path], Iterator[Problem]]
) -> Iterator[Problem]:
    if not isinstance(value, list) or not all(isinstance(branch, Mapping) for branch in value):
        yield Problem(path, "must be a list of tables")
        return
    for branch in value:
        yield from check(branch, path)


def _list_problems(value: Any, path: Path, kinds: tuple[type, ...]) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield Problem(path, f"must be a list: [{json.dumps(value, default=str)}]")
    elif not all(isinstance(entry, kinds) and _is_json(entry) for entry in value):
        numbers = ", numbers, true, false" if int in kinds else ""
        yield Problem(path, f"must hold text in quotes{numbers} or operators only")


def _is_json(value: Any) -> bool:
    """Tell whether JSON can hold a value of TOML: it has neither dates nor infinity."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def could_match(pattern: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Tell whether a pattern could match an event of which only the `known` fields are known.

    Fields that are not known, and operators that are not known here, count as a match.
    """
    return all(_key_could_match(key, expected, known) for key, expected in pattern.items())


def _key_could_match(key: str, expected: Any, known: Mapping[str, Any]) -> bool:
    if key == "$or":
        return any(could_match(branch, known) for branch in expected)
    if key not in known:
        return True
    if isinstance(expected, Mapping):  # it may require that fields inside a text do not exist
        return not isinstance(known[key], Mapping) or could_match(expected, known[key])
    return any(_accepts(matcher, known[key]) for matcher in expected)


def _accepts(matcher: Any, value: str) -> bool:
    """Tell whether one entry of a list accepts a text."""
    if not isinstance(matcher, Mapping):
        return bool(matcher == value)
    return all(_operator_accepts(operator, operand, value) for operator, operand in matcher.items())


def _operator_accepts(operator: str, operand: Any, value: str) -> bool:
    if operator == "anything-but":
        return not any(_rejects(entry, value) for entry in _as_list(operand))
    if isinstance(operand, Mapping):  # a prefix or suffix that ignores case
        operand, value = str(operand.get("equals-ignore-case", "")).lower(), value.lower()
    return operator not in _OPERATORS or _OPERATORS[operator](operand, value)


def _rejects(entry: Any, value: str) -> bool:
    """Tell whether one operand of anything-but rejects a text."""
    if not isinstance(entry, Mapping):
        return bool(entry == value)
    known = ((operator, operand) for operator, operand in entry.items() if operator in _OPERATORS)
    return any(_operator_accepts(operator, text, value) for operator, operand in known for text in _as_list(operand))


_OPERATORS: Mapping[str, Callable[[Any, str], bool]] = {
    "prefix": lambda operand, value: value.startswith(str(operand)),
    "suffix": lambda operand, value: value.endswith(str(operand)),
    "equals-ignore-case": lambda operand, value: value.lower() == str(operand).lower(),
    "wildcard": lambda operand, value: _wildcard(str(operand)).fullmatch(value) is not None,
    "exists": lambda operand, _: bool(operand),
    "numeric": lambda *_: False,
    "cidr": lambda *_: False,
}


def _as_list(operand: Any) -> list[Any]:
    return operand if isinstance(operand, list) else [operand]


def _wildcard(text: str) -> re.Pattern[str]:
    r"""Translate `*`, and `\*` for the character itself."""
    parts = re.findall(r"\\.|\*|[^*\\]+", text, re.DOTALL)
    return re.compile("".join(".*" if part == "*" else re.escape(part.removeprefix("\\")) for part in parts), re.DOTALL)
