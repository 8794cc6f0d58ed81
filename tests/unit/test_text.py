"""Text of others loses what cannot be seen, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.text import clean


@pytest.mark.parametrize("text", ["", "web-1", "Grüße, 世界 😀", "two\nlines", "a 'b' {c} <d>"])
def test_clean_keeps_text_that_people_can_read(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("web\u202egnp", "webgnp"),
        ("we\u200bb\u200d\u2060\ufeff", "web"),
        ("a\u2066b\u2069c\u061c", "abc"),
        ("red\x1b[31m\x00\x07\x7f\x9f", "red[31m"),
        ("half \ud800 a pair\udfff", "half  a pair"),
        ("one\u2028two\u2029three\x85four\tfive\u00a0six", "one two three four five six"),
    ],
)
def test_clean_removes_what_cannot_be_seen(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text(st.characters(exclude_categories=())))
def test_clean_text_is_encodable_and_printable(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.replace("\n", "").isprintable()
    assert json.dumps(cleaned, ensure_ascii=False).encode()
    assert clean(cleaned) == cleaned
