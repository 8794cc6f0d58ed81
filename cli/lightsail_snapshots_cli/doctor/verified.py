"""docs/verified.md, made of the lists of beliefs: `python -m lightsail_snapshots_cli.doctor.verified` writes it."""

from collections.abc import Iterable
from pathlib import Path

from lightsail_snapshots_cli.doctor.belief import Belief
from lightsail_snapshots_cli.doctor.beliefs import CHECKED
from lightsail_snapshots_cli.doctor.other_beliefs import OTHERS

PAGE = Path(__file__).parents[3] / "docs" / "verified.md"

_HEAD = """\
# What we believe about AWS

<!-- Generated: python -m lightsail_snapshots_cli.doctor.verified -->

Nobody has run this project on AWS yet. Each row is a belief about AWS that the code relies on or allows for: who says
so, how sure that is, and how [`lightsail-snapshots doctor`](cli.md#doctor-is-what-we-believe-about-aws-true) checks it
in your account.

- **documented**: AWS says so, and we have not seen it in an account.
- **secondary**: the model of the SDK, sample output, or other people's tools and reports say so.
- **unknown**: AWS does not document it. The code works in both cases, unless the row says otherwise.

"""
_CHECKED = """\
## What doctor checks

| belief | how sure | source | what relies on it | how doctor checks it |
|---|---|---|---|---|
"""
_OTHERS = """
## What doctor does not check

| belief | how sure | source | what relies on it | why not, and how to |
|---|---|---|---|---|
"""


def page() -> str:
    """Return the page."""
    return _HEAD + _CHECKED + _rows(CHECKED) + _OTHERS + _rows(OTHERS)


def _rows(beliefs: Iterable[Belief]) -> str:
    return "".join(
        f"| {each.text} (`{each.id}`) | {each.certainty} | {each.source or 'none'} | {each.use} |"
        f" {each.check or each.by_hand} |\n"
        for each in beliefs
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
