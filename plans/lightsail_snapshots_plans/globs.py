"""Globs of a plan that can match no instance. They are allowed, since Lightsail alone decides on names."""

import re
import string
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from lightsail_snapshots.selection import Select

_ATOM = re.compile(r"\[!?+\]?+[^\]]*\]|.", re.DOTALL)
"""One character, or brackets as fnmatch reads them."""
_IN_NAME, _AT_ENDS_OF_NAME = re.compile(r"[A-Za-z0-9_.-]"), re.compile(r"[A-Za-z0-9_]")
_IN_TAG = re.compile(r"[\w +\-=.:/@]")
_NAMES = "names hold letters, digits, - _ . and begin and end with a letter, a digit or _"


def glob_warnings(select: Select) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the key of each glob that has no effect, and why."""
    for glob in _impossible(select.names, _IN_NAME, _AT_ENDS_OF_NAME):
        other = glob.replace("!", "")
        remedy = f'to leave out {other}, set exclude = ["{other}"]' if _negates(glob) else _NAMES
        yield ("select", "names"), f'"{glob}" matches no name: {remedy}'
    for glob in _impossible(select.exclude, _IN_NAME, _AT_ENDS_OF_NAME):
        other = glob.replace("!", "")
        remedy = f'to select only {other}, set names = ["{other}"]' if _negates(glob) else _NAMES
        yield ("select", "exclude"), f'"{glob}" matches no name, so it excludes nothing: {remedy}'
    for name, tags, effect in (
        ("tags", select.tags, ""),
        ("exclude_tags", select.exclude_tags, ", so it excludes none"),
    ):
        for key, glob in tags.items():
            if [*_impossible([glob], _IN_TAG, _IN_TAG)]:
                remedy = "a glob cannot negate, so tag the instances that you mean" if _negates(glob) else "check it"
                yield ("select", name, key), f'"{glob}" matches no value{effect}: {remedy}'
    yield from _contradictions(select)


def _contradictions(select: Select) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what excludes all that another key selects."""
    for excluded in select.exclude:
        if _covers(excluded, "*"):
            yield ("select", "exclude"), f'"{excluded}" excludes everything'
            continue
        for glob in select.names:
            if _covers(excluded, glob):
                yield ("select", "exclude"), f'"{excluded}" excludes everything that "{glob}" of names selects'
    for key, excluded in select.exclude_tags.items():
        if key in select.tags and _covers(excluded, select.tags[key]):
            yield (
                ("select", "exclude_tags", key),
                f'"{excluded}" excludes everything that "{select.tags[key]}" of tags selects',
            )


def _impossible(globs: Iterable[str], inside: re.Pattern[str], ends: re.Pattern[str]) -> Iterator[str]:
    for glob in globs:
        atoms = _ATOM.findall(glob)
        if not all(_accepts(atom, inside) for atom in atoms) or not all(
            _accepts(atom, ends) for atom in (*atoms[:1], *atoms[-1:])
        ):
            yield glob


def _accepts(atom: str, allowed: re.Pattern[str]) -> bool:
    """Tell whether one part of a glob can match a character that is allowed."""
    return any(allowed.fullmatch(each) and fnmatchcase(each, atom) for each in string.printable + atom)


def _negates(glob: str) -> bool:
    return "!" in _ATOM.findall(glob)


def _covers(excluded: str, glob: str) -> bool:
    """Tell whether a glob matches everything that another one does, as far as that is simple to say."""
    is_simple = not set("?[") & set(excluded) or not set("*?[") & set(glob)
    return is_simple and fnmatchcase(glob, excluded)
