"""The reader of JSON objects, and the functions that read single values."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.reader import (
    InvalidValueError,
    Problem,
    Reader,
    format_duration,
    format_value,
    parse_duration,
    read_each,
    read_number,
    read_text,
    region_of_zone,
    suggestion,
)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "is wrong"),
        (("detail",), "detail: is wrong"),
        (("detail", "tags", 0, "key"), "detail.tags[0].key: is wrong"),
        ((3,), "[3]: is wrong"),
        (("detail", "x" * 61), f"detail.{'x' * 60}...: is wrong"),
    ],
)
def test_problem_shows_its_path(path: tuple[str | int, ...], text: str) -> None:
    assert str(Problem(path, "is wrong")) == text


def test_reader_reports_the_path_from_the_outside_in() -> None:
    reader = Reader({"plan": {"names": ["a", 7]}})
    plan = reader.open("plan")
    assert plan.take("names", lambda names: read_each(names, read_text)) is None  # type: ignore[arg-type]  # a list
    assert reader.problems == [Problem(("plan", "names", 1), "must be a text, not 7")]


def test_reader_reports_a_missing_field_only_if_it_is_required() -> None:
    reader = Reader({})
    assert reader.take("name", read_text) is None
    assert reader.problems == []
    assert reader.require("age", read_number) is None
    assert reader.problems == [Problem(("age",), "is missing")]


@pytest.mark.parametrize("fields", [{}, {"detail": None}, {"detail": []}])
def test_reader_reports_a_missing_object_once(fields: dict[str, object]) -> None:
    reader = Reader(fields)
    inner = reader.open("detail").open("event")
    assert inner.require("name", read_text) is None
    assert [problem.path for problem in reader.problems] == [("detail",)]


def test_reader_knows_which_fields_are_wrong() -> None:
    reader = Reader({"age": "old", "name": "web-1"})
    reader.take("age", read_number)
    reader.take("name", read_text)
    assert (reader.is_wrong("age"), reader.is_wrong("name")) == (True, False)


def test_reader_rejects_unknown_fields_with_the_nearest_known_one() -> None:
    reader = Reader({"Names": 1, "wait": 2})
    reader.take("names", read_text)
    reader.reject_unknown()
    assert list(map(str, reader.problems)) == [
        "Names: unknown key; did you mean names?",
        "wait: unknown key; allowed are names",
    ]


def test_reader_suggests_a_name_for_the_first_hundred_unknown_fields() -> None:
    reader = Reader({f"nam{number}": 0 for number in range(150)})
    reader.take("name", read_text)
    reader.reject_unknown()
    texts = [problem.text for problem in reader.problems]
    assert texts == ["unknown key; did you mean name?"] * 100 + ["unknown key"] * 50


def test_suggestion_ignores_case() -> None:
    zones = ["Europe/Berlin", "America/New_York"]
    assert suggestion("europe/berlim", zones) == "did you mean Europe/Berlin?"
    assert suggestion("mars", zones, "names are like Europe/Berlin") == "names are like Europe/Berlin"
    assert suggestion("europe", zones, "none", cutoff=0.9) == "none"


def test_read_each_reports_the_problems_of_all_values() -> None:
    with pytest.raises(InvalidValueError, match=r"^\[0\]: must be a text, not 1; \[2\]: must be a text, not null$"):
        read_each([1, "a", None], read_text)


@pytest.mark.parametrize("value", [True, 1.5, "1", None])
def test_read_number_rejects_anything_but_a_whole_number(value: object) -> None:
    with pytest.raises(InvalidValueError, match="must be a whole number, not "):
        read_number(value)


def test_format_value_truncates_long_values() -> None:
    assert format_value("x" * 1000) == f"'{'x' * 59}..."


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("eu-central-1a", "eu-central-1"),
        ("us-east-1-bos-1a", "us-east-1"),
        ("us-gov-west-1b", "us-gov-west-1"),
        ("eu-central-1", None),
        ("eu-central-1A", None),
        ("", None),
    ],
)
def test_region_of_zone(zone: str, region: str | None) -> None:
    assert region_of_zone(zone) == region


@given(st.integers(1, 36_525 * 24 * 60))
def test_duration_survives_a_round_trip(minutes: int) -> None:
    length = timedelta(minutes=minutes)
    assert parse_duration(format_duration(length)) == length
    assert parse_duration(f"{minutes}m") == length


@pytest.mark.parametrize("text", ["36526d", "P36526D", "P5218W", "99999999m"])
def test_duration_over_a_hundred_years_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="must be a duration such as 14d, 26h, 90m"):
        parse_duration(text)
