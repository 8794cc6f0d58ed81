"""The answers as Markdown, as a table and as JSON: pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from lightsail_snapshots.naming import format_utc
from lightsail_snapshots_cli.doctor.belief import (
    BY_HAND,
    DIFFERS,
    NOT_CHECKED,
    VERDICTS,
    Answer,
    Belief,
)

_HEAD = """\
# Report of `lightsail-snapshots doctor`

Version {version}, {time}, in {home}, copies to {away}. {summary}

It has no account number and no names of yours. "Other, handled": not as assumed, and the code works all the same.

| belief | found | verdict |
|---|---|---|
"""


def in_order(beliefs: Iterable[Belief], answers: Mapping[str, Answer], *, by_hand: bool) -> list[tuple[Belief, Answer]]:
    """Return each belief with its answer, the most urgent first; with those that a person has to check, if asked."""
    rows = [(each, answers.get(each.id) or Answer(BY_HAND, each.by_hand)) for each in beliefs]
    chosen = [row for row in rows if by_hand or row[1].verdict != BY_HAND]
    return sorted(chosen, key=lambda row: VERDICTS.index(row[1].verdict))


def summarize(answers: Mapping[str, Answer]) -> str:
    """Return how many answers there are of each verdict, as a sentence."""
    counts = {verdict: sum(each.verdict == verdict for each in answers.values()) for verdict in VERDICTS}
    parts = [f"{count} {verdict}" for verdict, count in counts.items() if count]
    return f"{len(answers)} beliefs: {'; '.join(parts)}."


def is_fine(answers: Mapping[str, Answer]) -> bool:
    """Whether the code works with every answer, and every check came to an end."""
    return not any(each.verdict in {DIFFERS, NOT_CHECKED} for each in answers.values())


class Facts(NamedTuple):
    """What was run, when and where."""

    version: str
    time: datetime
    home: str
    away: str


def as_markdown(beliefs: Sequence[Belief], answers: Mapping[str, Answer], facts: Facts) -> str:
    """Return the report. At its end stands what relies on those answers that a person has to look at."""
    named = facts._asdict() | {"time": format_utc(facts.time)}
    head = _HEAD.format(**named, summary=summarize(answers))
    rows = in_order(beliefs, answers, by_hand=True)
    lines = [
        f"| {_cell(belief.text)} (`{belief.id}`) | {_cell(found)} | {verdict} |" for belief, (verdict, found) in rows
    ]
    uses = [f"- `{belief.id}`: {belief.use}" for belief, answer in rows if answer.verdict in {DIFFERS, NOT_CHECKED}]
    tail = ["", "What relies on those that differ or were not checked:", "", *uses] if uses else []
    return head + "\n".join([*lines, *tail]) + "\n"


def as_json(beliefs: Iterable[Belief], answers: Mapping[str, Answer]) -> dict[str, Any]:
    """Return it with camelCase keys."""
    rows = in_order(beliefs, answers, by_hand=False)
    return {
        "answers": [
            {"id": belief.id, "belief": belief.text, "found": answer.found, "verdict": answer.verdict}
            for belief, answer in rows
        ]
    }


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
