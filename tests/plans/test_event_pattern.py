"""What EventBridge accepts as an event pattern, and what a pattern could match."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.events.models import EventPattern

from lightsail_snapshots_plans.event_pattern import could_match, pattern_problems

SOURCE = "lightsail-snapshots"


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.ec2", "my-ci"], "detail-type": ["x"], "account": ["111122223333"]},
        {"detail": {"a": {"b": [1, True, "x", {"prefix": "p"}, {"suffix": {"equals-ignore-case": "S"}}]}}},
        {"detail": {"n": [{"numeric": [">", 0, "<=", 5]}, {"numeric": ["=", 3]}], "ip": [{"cidr": "10.0.0.0/24"}]}},
        {"detail": {"x": [{"exists": False}, {"wildcard": "a*b\\*"}, {"equals-ignore-case": "E"}]}},
        {
            "detail": {
                "x": [{"anything-but": ["a", "b"]}, {"anything-but": 3}, {"anything-but": {"prefix": ["a", "b"]}}]
            }
        },
        {"$or": [{"source": ["a"]}, {"detail": {"$or": [{"x": ["1"]}, {"y": ["2"]}]}}]},
        {"resources": [{"wildcard": "arn:aws:s3:::*"}], "time": [{"prefix": "2026"}], "replay-name": ["r"]},
    ],
)
def test_a_sound_pattern_has_no_problem(pattern: dict[str, Any]) -> None:
    assert pattern_problems(pattern) == []


TEXT_OR_MORE = "anything-but must be text, a number, a list of one of them, or a table with one operator"
RANGE = 'numeric must be a list such as [">", 0, "<=", 5]'


@pytest.mark.parametrize(
    ("pattern", "path", "text"),
    [
        ({}, "", "must not be empty: an empty pattern matches nothing"),
        ({"detail": {}}, "detail", "must not be empty: an empty pattern matches nothing"),
        ({"detail": ["x"]}, "detail", 'must be a table, such as { state = ["SUCCEEDED"] }'),
        ({"source": []}, "source", "must not be an empty list: EventBridge refuses it"),
        ({"source": "aws.ec2"}, "source", 'must be a list: ["aws.ec2"]'),
        ({"source": {"prefix": "aws."}}, "source", 'must be a list: [{"prefix": "aws."}]'),
        ({"detail": {"a": True}}, "detail.a", "must be a list: [true]"),
        ({"sorce": ["a"]}, "sorce", "no event has this field; did you mean source?"),
        (
            {"x": ["a"]},
            "x",
            "no event has this field; allowed are version, id, detail-type, source, account, time, region, resources, "
            "detail, replay-name",
        ),
        (
            {"source": [["a"]]},
            "source",
            "may hold text, numbers, true, false and matchers such as { prefix = \"a\" }, not ['a']",
        ),
        (
            {"detail": {"a": [float("inf")]}},
            "detail.a",
            'may hold text, numbers, true, false and matchers such as { prefix = "a" }, not inf',
        ),
        ({"source": [{"prefx": "a"}]}, "source", "unknown operator prefx; did you mean prefix?"),
        (
            {"source": [{"regex": ".*"}]},
            "source",
            "unknown operator regex; allowed are prefix, suffix, equals-ignore-case, wildcard, anything-but, exists, "
            "numeric, cidr",
        ),
        ({"source": [{}]}, "source", "a matcher has exactly one operator, not 0"),
        ({"source": [{"prefix": "a", "suffix": "b"}]}, "source", "a matcher has exactly one operator, not 2"),
        ({"source": [{"prefix": 3}]}, "source", "prefix must be text"),
        ({"source": [{"suffix": {"prefix": "a"}}]}, "source", "suffix must be text"),
        ({"source": [{"equals-ignore-case": ["a"]}]}, "source", "equals-ignore-case must be text"),
        ({"source": [{"wildcard": "a**"}]}, "source", "wildcard must be text with single * in it"),
        ({"source": [{"wildcard": "a\\b"}]}, "source", "wildcard must be text with single * in it"),
        ({"source": [{"exists": "true"}]}, "source", "exists must be true or false"),
        ({"source": [{"anything-but": []}]}, "source", TEXT_OR_MORE),
        ({"source": [{"anything-but": ["a", 1]}]}, "source", TEXT_OR_MORE),
        ({"source": [{"anything-but": True}]}, "source", TEXT_OR_MORE),
        ({"source": [{"anything-but": {"prefix": ""}}]}, "source", TEXT_OR_MORE),
        ({"source": [{"anything-but": {"exists": True}}]}, "source", TEXT_OR_MORE),
        ({"detail": {"n": [{"numeric": 5}]}}, "detail.n", RANGE),
        ({"detail": {"n": [{"numeric": [">"]}]}}, "detail.n", RANGE),
        ({"detail": {"n": [{"numeric": [">", "5"]}]}}, "detail.n", RANGE),
        ({"detail": {"n": [{"numeric": ["<", 5, ">", 1]}]}}, "detail.n", RANGE),
        ({"detail": {"n": [{"numeric": [">", 5, "<", 5]}]}}, "detail.n", RANGE),
        ({"detail": {"n": [{"cidr": "10.0.0.0"}]}}, "detail.n", 'cidr must be an address range such as "10.0.0.0/24"'),
        ({"detail": {"n": [{"cidr": "10.0.0/24"}]}}, "detail.n", 'cidr must be an address range such as "10.0.0.0/24"'),
        ({"$or": [{"source": ["a"]}]}, "$or", "must be a list of at least two tables"),
        ({"$or": [{"source": ["a"]}, {"sorce": ["a"]}]}, "sorce", "no event has this field; did you mean source?"),
        (
            {"detail": {"a": ["x" * 2048]}},
            "",
            "is longer than 2048 characters as JSON, which EventBridge refuses",
        ),
    ],
)
def test_what_eventbridge_would_refuse_is_named(pattern: dict[str, Any], path: str, text: str) -> None:
    assert [(".".join(where), what) for where, what in pattern_problems(pattern)] == [(path, text)]


def test_every_problem_of_a_pattern_is_reported() -> None:
    assert [path for path, _ in pattern_problems({"source": "a", "sorce": ["a"], "detail": {"b": [], "c": [{}]}})] == [
        ("source",),
        ("sorce",),
        ("detail", "b"),
        ("detail", "c"),
    ]


@pytest.mark.parametrize(
    ("matcher", "accepts"),
    [
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
    ],
)
def test_a_matcher_accepts_our_source_or_not(matcher: Any, accepts: bool) -> None:
    assert could_match({"source": [matcher]}, {"source": SOURCE}) is accepts
    assert could_match({"source": ["other", matcher]}, {"source": SOURCE}) is accepts


def test_what_is_not_known_of_an_event_could_be_what_the_pattern_asks_for() -> None:
    assert could_match({"detail-type": ["anything"], "detail": {"a": ["b"]}}, {"source": SOURCE})
    assert could_match({"detail": {"a": ["b"], "c": ["d"]}}, {"detail": {"a": "b"}})
    assert not could_match({"detail": {"a": ["b"], "c": ["d"]}}, {"detail": {"a": "x"}})


def test_a_pattern_that_looks_for_fields_inside_a_text_could_match() -> None:
    known = {"detail": {"a": "a text"}}
    assert could_match({"detail": {"a": {"text": [{"exists": False}]}}}, known)
    assert not could_match({"detail": {"a": {"text": [{"exists": False}]}, "$or": [{"a": ["x"]}, {"a": ["y"]}]}}, known)


def test_a_choice_could_match_where_one_of_its_branches_could() -> None:
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
def test_what_another_implementation_matches_could_match(pattern: dict[str, Any], detail_type: str) -> None:
    assert pattern_problems(pattern) == []
    event: Any = {"source": SOURCE, "detail-type": detail_type}
    matches = EventPattern.load(json.dumps(pattern)).matches_event(event)
    assert could_match(pattern, event) == matches
    assert could_match(pattern, {"source": SOURCE}) >= matches
