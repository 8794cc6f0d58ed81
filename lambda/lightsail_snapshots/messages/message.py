"""A message that people read, and how every message is written.

The first 140 characters, which a locked phone shows, say what is wrong with which instance of which plan. Then it says
since when, why, what to do, and one command to paste.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lightsail_snapshots.naming import format_utc, is_name
from lightsail_snapshots.text import clean

LONGEST_SUBJECT = 99
"""Characters: "less than 100", in ASCII (SNS API reference, Publish)."""
LONGEST_HEADLINE = 140
LONGEST_TEXT = 1600
"""Characters: SNS splits an SMS up to here (developer guide, "Publishing SMS messages")."""
_LONGEST_LINE = 300
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")


@dataclass(frozen=True, kw_only=True)
class Message:
    """The parts of a message. Both its subject and its text are without quotation marks."""

    title: str
    headline: str
    """A sentence: what is wrong with which instance of which plan."""
    since: str
    why: str
    listed: Sequence[str] = ()
    """More about why, a line each; as many as there is room for."""
    not_listed: int = 0
    """How many more lines there would be."""
    to_do: str
    """A sentence that ends with a colon: the command follows."""
    paste: str
    """A command."""
    read_on: str
    """Where the documents say more."""

    @property
    def subject(self) -> str:
        """The title as SNS accepts it."""
        return truncate(self.title.encode("ascii", "replace").decode(), LONGEST_SUBJECT)

    @property
    def text(self) -> str:
        """All parts but the title; what follows the list always has its place."""
        since, why = (truncate(part, _LONGEST_LINE) for part in (self.since, self.why))
        above = [self.headline, "", f"Since: {since}", f"Why: {why}"]
        below = [f"To do: {self.to_do}", "", self.paste, "", f"Step by step: {self.read_on}"]
        used = sum(len(line) + 1 for line in (*above, *below))
        listed = as_many_as_fit([f"- {line}" for line in self.listed], LONGEST_TEXT - used, self.not_listed)
        return truncate("\n".join([*above, *listed, *below]), LONGEST_TEXT)


def as_many_as_fit(lines: Sequence[str], room: int, not_listed: int = 0) -> list[str]:
    """Return the first lines, of at most so many characters together; "and N more" says that there are others."""
    shortened = [truncate(line, _LONGEST_LINE) for line in lines]
    for count in range(len(lines), 0, -1):
        left = len(lines) - count + not_listed
        kept = [*shortened[:count], *([f"and {left} more"] if left else [])]
        if sum(len(line) + 1 for line in kept) <= room:
            return kept
    return []


def fit_title(form: str, **values: str) -> str:
    """Put values into the form of a title."""
    return _in_words(form, LONGEST_SUBJECT, **values)


def fit_headline(form: str, **values: str) -> str:
    """Put values into the form of a headline."""
    return _in_words(form, LONGEST_HEADLINE, **values)


def _in_words(form: str, longest: int, **values: str) -> str:
    """Put values into a sentence; the longest ones are shortened until it has at most so many characters."""
    for width in range(longest, 8, -1):
        sentence = form.format(**{name: truncate(value, width) for name, value in values.items()})
        if len(sentence) <= longest:
            return sentence
    return truncate(sentence, longest)


def truncate(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def text_at(event: object, *path: str) -> str:
    """Return the text at this path of an event, on one line; empty if there is none, or something else."""
    for key in path:
        event = event.get(key) if isinstance(event, dict) else None
    return one_line(event) if isinstance(event, str) else ""


def one_line(text: str) -> str:
    return " ".join(clean(text).replace('"', "'").split())


def read_time(text: str) -> str:
    """Write a time of an event as people read it; as it is, if it is none."""
    try:
        return f"{format_utc(datetime.fromisoformat(text))[:16].replace('T', ' ')} UTC"
    except (ValueError, OverflowError):  # no time, or one that has no equal in UTC
        return text


def of_plan(plan: str) -> str:
    return f"plan {plan}" if plan else "no plan"


def take(instance: str, region: str = "") -> str:
    """Write the command that takes a snapshot; without a name that is one, the command that shows all names."""
    where = f" --region {region}" if is_region(region) else ""
    return f"lightsail-snapshots take {instance}{where} --keep-for 14d --wait" if is_name(instance) else status()


def status(instance: str = "") -> str:
    return f"lightsail-snapshots status {instance}" if is_name(instance) else "lightsail-snapshots status"


def is_region(text: str) -> bool:
    """Tell whether a text looks like the name of a Region, so that a command line may have it."""
    return _REGION.fullmatch(text) is not None
