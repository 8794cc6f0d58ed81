"""Patterns that never match, patterns that match our own events, and what a pattern could match."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from moto.events.models import EventPattern

from lightsail_snapshots_plans.event_pattern import could_match, pattern_problems

SOURCE = "lightsail-snapshots"

SOUND: list[dict[str, Any]] = [
    {"source": ["aws.ec2", "my-ci"], "detail-type": ["x"], "account": ["111122223333"]},
    {"source": ["x"], "detail": {"a": {"b": [1, True, "x", {"suffix": {"equals-ignore-case": "S"}}]}}},
    {"source": ["x"], "detail": {"n": [{"numeric": [">", 0, "<=", 5]}, 10**12], "ip": [{"cidr": "10.0.0.0/24"}]}},
    {"source": ["x"], "detail": {"x": [{"anything-but": ["a", ""]}, {"anything-but": {"prefix": ["a", "b"]}}]}},
    {"$or": [{"source": ["a"]}, {"source": ["b"], "detail": {"$or": [{"x": ["1"]}, {"y": ["2"]}]}}]},
    {"resources": [{"wildcard": "arn:aws:s3:::*"}], "source": ["aws.s3"], "replay-name": ["r"]},
    {"detail-type": ["EC2 Instance State-change Notification"]},
    {"detail-type": [{"prefix": "Our release"}], "detail": {"state": ["done"]}},
]


def test_sound_pattern_has_no_problem() -> None:
    assert [pattern_problems(pattern) for pattern in SOUND] == [[]] * len(SOUND)


def test_pattern_that_eventbridge_rejects_at_deployment_is_left_to_it() -> None:
    matchers: list[Any] = [{"prefx": "a"}, {"prefix": 3}, {"numeric": 5}, {"anything-but": []}, {"prefix": "a", "x": 1}]
    for matcher in matchers:
        assert pattern_problems({"source": ["ci"], "detail": {"x": [matcher]}}) == []


def found(pattern: dict[str, Any]) -> list[tuple[str, str]]:
    return [(".".join(map(str, path)), text) for path, text in pattern_problems(pattern)]


FIELDS = "version, id, detail-type, source, account, time, region, resources, detail, replay-name"
TEXT_ONLY = "must hold text in quotes or operators only"
JSON_ONLY = "must hold text in quotes, numbers, true, false or operators only"
NEVER_MATCH: list[tuple[dict[str, Any], str, str]] = [
    ({}, "", "must not be empty: an empty pattern matches nothing"),
    ({"detail": ["x"]}, "detail", 'must be a table, such as { state = ["SUCCEEDED"] }'),
    ({"source": "aws.ec2"}, "source", 'must be a list: ["aws.ec2"]'),
    ({"source": {"prefix": "aws."}}, "source", 'must be a list: [{"prefix": "aws."}]'),
    ({"detail": {"a": True}}, "detail.a", "must be a list: [true]"),
    ({"sorce": ["a"]}, "sorce", "events have no such field; did you mean source?"),
    ({"x": ["a"]}, "x", f"events have no such field; allowed are {FIELDS}"),
    ({"account": [111122223333]}, "account", TEXT_ONLY),
    ({"source": [["a"]]}, "source", TEXT_ONLY),
    ({"detail": {"a": [float("inf")]}}, "detail.a", JSON_ONLY),
    ({"detail": {"a": [{"prefix": float("nan")}]}}, "detail.a", JSON_ONLY),
    ({"$or": {"source": ["a"]}}, "$or", "must be a list of tables"),
    ({"detail": {"$or": [3]}}, "detail.$or", "must be a list of tables"),
    ({"$or": [{"source": ["a"]}, {"sorce": ["a"]}]}, "$or.sorce", "events have no such field; did you mean source?"),
]


def test_pattern_that_can_never_match_is_rejected() -> None:
    found = [
        [(".".join(map(str, path)), text) for path, text in pattern_problems(pattern)] for pattern, *_ in NEVER_MATCH
    ]
    assert found == [[(path, text)] for _, path, text in NEVER_MATCH]


def test_every_problem_of_a_pattern_is_reported() -> None:
    assert [path for path, _ in pattern_problems({"source": "a", "sorce": ["a"], "detail": {"b": 1, "c": [[]]}})] == [
        ("source",),
        ("sorce",),
        ("detail", "b"),
        ("detail", "c"),
    ]


def test_pattern_for_our_own_events_is_rejected() -> None:
    for pattern in (
        {"source": [SOURCE]},
        {"detail-type": ["Prune Refused"]},
        {"detail-type": [{"prefix": "Instance Snapshot"}]},
        {"detail-type": [{"anything-but": ["Instance Snapshot Requested", ""]}]},
        {"source": [{"an-operator-of-tomorrow": "x"}]},
        {"source": [{"anything-but": {"an-operator-of-tomorrow": "x"}}]},
    ):
        ((path, text),) = pattern_problems(pattern)
        assert path == ()
        assert "so the plan would trigger itself forever" in text


ACCEPTS_SOURCE: list[tuple[Any, bool]] = [
    (SOURCE, True),
    ("aws.ec2", False),
    (3, False),
    ({"prefix": "light"}, True),
    ({"prefix": "aws."}, False),
    ({"prefix": ""}, True),
    ({"prefix": {"equals-ignore-case": "LIGHT"}}, True),
    ({"suffix": "snapshots"}, True),
    ({"suffix": {"equals-ignore-case": "SNAPSHOT"}}, False),
    ({"equals-ignore-case": "Lightsail-Snapshots"}, True),
    ({"wildcard": "*snap*"}, True),
    ({"wildcard": "light*sail"}, False),
    ({"wildcard": "lightsail-snapshot\\*"}, False),
    ({"anything-but": SOURCE}, False),
    ({"anything-but": ["a", SOURCE]}, False),
    ({"anything-but": "aws.ec2"}, True),
    ({"anything-but": {"prefix": "light"}}, False),
    ({"anything-but": {"suffix": ["x", "snapshots"]}}, False),
    ({"anything-but": {"wildcard": "*-snap*"}}, False),
    ({"anything-but": {"equals-ignore-case": ["LIGHTSAIL"]}}, True),
    ({"exists": True}, True),
    ({"exists": False}, False),
    ({"numeric": [">", 0]}, False),
    ({"cidr": "10.0.0.0/24"}, False),
]


def test_matcher_accepts_our_source_or_not() -> None:
    for matcher, accepts in ACCEPTS_SOURCE:
        assert (matcher, could_match({"source": [matcher]}, {"source": SOURCE})) == (matcher, accepts)
        assert (matcher, could_match({"source": ["other", matcher]}, {"source": SOURCE})) == (matcher, accepts)


def test_unknown_field_counts_as_a_match() -> None:
    assert could_match({"detail-type": ["anything"], "detail": {"a": ["b"]}}, {"source": SOURCE})
    assert could_match({"detail": {"a": ["b"], "c": ["d"]}}, {"detail": {"a": "b"}})
    assert not could_match({"detail": {"a": ["b"], "c": ["d"]}}, {"detail": {"a": "x"}})


def test_pattern_for_fields_inside_a_text_could_match() -> None:
    known = {"detail": {"a": "a text"}}
    assert could_match({"detail": {"a": {"text": [{"exists": False}]}}}, known)
    assert not could_match({"detail": {"a": {"text": [{"exists": False}]}, "$or": [{"a": ["x"]}, {"a": ["y"]}]}}, known)


def test_or_could_match_when_one_branch_could() -> None:
    pattern = {"$or": [{"source": ["ci"]}, {"detail-type": ["x"]}]}
    assert could_match(pattern, {"source": SOURCE})
    assert not could_match({"$or": [{"source": ["ci"]}, {"source": ["aws.ec2"]}]}, {"source": SOURCE})
    assert not could_match(pattern | {"source": ["ci"]}, {"source": SOURCE})


_words = st.sampled_from([SOURCE, "lightsail", "light", "snapshots", "LIGHTSAIL-SNAPSHOTS", "aws.ec2", "l"])
_matchers = (
    _words
    | st.builds(lambda key, word: {key: word}, st.sampled_from(["prefix", "suffix", "equals-ignore-case"]), _words)
    | _words.map(lambda word: {"wildcard": f"{word}*"})
    | st.lists(_words, min_size=1, max_size=5).map(lambda words: {"anything-but": words})
    | st.booleans().map(lambda exists: {"exists": exists})
)


@given(
    st.dictionaries(
        st.sampled_from(["source", "detail-type"]), st.lists(_matchers, min_size=1, max_size=5), min_size=1
    ),
    _words,
)
def test_answer_is_that_of_another_implementation(pattern: dict[str, Any], detail_type: str) -> None:
    event: Any = {"source": SOURCE, "detail-type": detail_type}
    matches = EventPattern.load(json.dumps(pattern)).matches_event(event)
    assert could_match(pattern, event) == matches
    assert could_match(pattern, {"source": SOURCE}) >= matches
