"""The details of outcome events. Rules of users put the messages between quotation marks."""

import json

from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.instance_snapshot_outcomes import invalid_detail, one_line
from lightsail_snapshots.reader import Problem


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_one_line_needs_no_escaping_in_json(text: str) -> None:
    line = one_line(text)
    assert json.dumps(line, ensure_ascii=False) == f'"{line}"'


def test_one_line_keeps_the_words() -> None:
    assert one_line('Lightsail said: "no\nsuch" \\ thing') == "Lightsail said: 'no such' / thing"


def test_message_of_a_rejected_request_is_one_line() -> None:
    error = InvalidRequestError([Problem(("detail", "names", 0), '"{web" has braces'), Problem((), "is\nmissing")])
    detail = invalid_detail("one", error, {})
    assert detail["message"] == "detail.names[0]: '{web' has braces; is missing"
    assert detail["problems"] == ['detail.names[0]: "{web" has braces', "is\nmissing"]


def test_rejected_request_with_a_huge_number_is_valid_json() -> None:
    original = json.loads('{"keepFor": 1e400, "tags": [-1e400, 1.5]}')
    detail = invalid_detail("one", InvalidRequestError([Problem(("detail", "keepFor"), "is no duration")]), original)
    assert detail["request"] == {"keepFor": "Infinity", "tags": ["-Infinity", 1.5]}
