"""Which instances a Fleet request selects."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.selection import InvalidSelectError, Select, parse_select


def selects(select: Mapping[str, Any], name: str = "web-1", **tags: str) -> bool:
    return parse_select(select).matches(name, tags)


def problems_of(select: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidSelectError) as raised:
        parse_select(select)
    return list(raised.value.problems)


def test_a_glob_selects_the_names_that_it_matches_as_a_whole() -> None:
    assert selects({"names": ["web-*"]}, "web-1")
    assert not selects({"names": ["web-*"]}, "my-web-1")
    assert not selects({"names": ["web"]}, "web-1")


def test_upper_and_lower_case_are_different() -> None:
    assert not selects({"names": ["web-*"]}, "Web-1")
    assert not selects({"tags": {"backup": "daily"}}, Backup="daily")
    assert not selects({"tags": {"backup": "daily"}}, backup="Daily")


def test_a_glob_knows_single_characters_and_sets() -> None:
    assert [name for name in ("web-1", "web-2", "web-3", "web-12") if selects({"names": ["web-[12]"]}, name)] == [
        "web-1",
        "web-2",
    ]
    assert selects({"names": ["web-[!3]"]}, "web-1")
    assert selects({"names": ["web-?"]}, "web-1")
    assert not selects({"names": ["web-?"]}, "web-12")


def test_a_dot_in_a_glob_is_a_dot() -> None:
    assert selects({"names": ["shop.example.*"]}, "shop.example.com")
    assert not selects({"names": ["shop.example.*"]}, "shop-example-com")


def test_one_of_several_names_is_enough() -> None:
    assert selects({"names": ["db", "web-*"]}, "web-1")


def test_a_tag_selects_by_key_and_value() -> None:
    assert selects({"tags": {"backup": "daily"}}, backup="daily")
    assert not selects({"tags": {"backup": "daily"}}, backup="weekly")
    assert not selects({"tags": {"backup": "daily"}})


def test_a_star_is_any_value_also_that_of_a_tag_that_is_a_key_only() -> None:
    assert selects({"tags": {"backup": "*"}}, backup="weekly")
    assert selects({"tags": {"backup": "*"}}, backup="")
    assert not selects({"tags": {"backup": "*"}}, other="x")


def test_an_empty_value_selects_a_tag_that_is_a_key_only() -> None:
    assert selects({"tags": {"backup": ""}}, backup="")
    assert not selects({"tags": {"backup": ""}}, backup="daily")


def test_a_tag_of_cloudformation_can_be_selected_by() -> None:
    select = {"tags": {"aws:cloudformation:stack-name": "shop"}}
    assert parse_select(select).matches("web-1", {"aws:cloudformation:stack-name": "shop"})


def test_all_conditions_must_hold() -> None:
    select = {"names": ["web-*"], "tags": {"backup": "daily", "env": "prod"}}
    assert selects(select, "web-1", backup="daily", env="prod")
    assert not selects(select, "db-1", backup="daily", env="prod")
    assert not selects(select, "web-1", backup="daily")


def test_all_selects_every_instance_that_no_other_condition_refuses() -> None:
    assert selects({"all": True}, "anything")
    assert not selects({"all": True, "names": ["web-*"]}, "db-1")


def test_exclude_wins_over_every_condition() -> None:
    for select in ({"all": True}, {"names": ["web-1"]}, {"tags": {"backup": "daily"}}):
        assert not selects(select | {"exclude": ["db", "web-[0-9]"]}, "web-1", backup="daily")


def test_a_select_without_a_condition_selects_nothing() -> None:
    assert not Select().matches("web-1", {"backup": "daily"})
    assert not Select(exclude=("db",)).matches("web-1", {})


@pytest.mark.parametrize("select", [{}, {"all": False}, {"exclude": ["a"]}, {"all": False, "exclude": ["a"]}])
def test_a_select_without_a_condition_is_refused(select: dict[str, Any]) -> None:
    assert problems_of(select) == [("", "selects nothing: give names, tags or all = true")]


@pytest.mark.parametrize("select", [None, [], "web-*", 3])
def test_what_is_not_a_table_is_refused(select: object) -> None:
    assert problems_of(select) == [("", "must be a table with at least one of names, tags, all")]


def test_every_problem_is_reported_at_once() -> None:
    assert problems_of(
        {
            "nams": ["a"],
            "names": ["web 1", "{a,b}", "", "x["],
            "tags": {"b": 7, "a/ß?": "d%"},
            "all": "yes",
            "exclude": [],
        }
    ) == [
        ("nams", "unknown key; did you mean names?"),
        ("names", "\"web 1\" holds ' ', and so matches no instance; allowed are letters, digits, - _ . and * ? [...]"),
        ("names", '"{a,b}": braces mean nothing here; write one glob for each name'),
        ("names", '"" is empty, and so matches no instance; allowed are letters, digits, - _ . and * ? [...]'),
        ("names", '"x[" has a [ or ] without its other half'),
        ("tags", 'b: the value must be text in quotes; "*" is any value'),
        ("tags", "a/ß?: the key may hold only letters, digits, spaces and + - = . _ : / @"),
        ("tags", "a/ß?: the value may hold only letters, digits, spaces and + - = . _ : / @"),
        ("all", "must be true or false"),
        ("exclude", 'must be a list of globs, such as ["web-*"]'),
    ]


def test_an_exclude_that_leaves_nothing_is_refused() -> None:
    assert problems_of({"all": True, "exclude": ["*"]}) == [("exclude", "takes out everything")]
    assert problems_of({"names": ["web-*"], "exclude": ["db", "web-*"]}) == [
        ("exclude", "takes out everything that names could select")
    ]


@pytest.mark.parametrize("tags", [{}, ["backup"], "backup"])
def test_tags_that_are_no_table_are_refused(tags: object) -> None:
    assert problems_of({"tags": tags}) == [
        ("tags", 'must be a table of tags, such as { backup = "daily" }; "*" is any value')
    ]


def test_the_error_reads_as_one_line_too() -> None:
    with pytest.raises(InvalidSelectError, match="all: must be true or false; exclude: must be a list"):
        parse_select({"all": 1, "exclude": "x"})


_names = st.text("abWEB-._01", min_size=2, max_size=8)
_globs = st.lists(st.text("abWEB-._01*?", min_size=1, max_size=4), min_size=1, max_size=3).map(tuple)
_tags = st.dictionaries(st.sampled_from(["backup", "env", "Env"]), st.sampled_from(["", "daily", "prod"]), max_size=3)
_selects = st.builds(
    Select,
    names=st.just(()) | _globs,
    tags=_tags,
    all_instances=st.booleans(),
    exclude=st.just(()) | _globs,
)


@given(_selects, st.lists(st.tuples(_names, _tags)), st.randoms())
def test_order_and_repeats_of_a_listing_change_nothing(
    select: Select, fleet: list[tuple[str, dict[str, str]]], random: Any
) -> None:
    def chosen(instances: list[tuple[str, dict[str, str]]]) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        return {(name, frozenset(tags.items())) for name, tags in instances if select.matches(name, tags)}

    again = [*fleet, *random.sample(fleet, len(fleet) // 2)]
    random.shuffle(again)
    assert chosen(again) == chosen(fleet)


@given(_selects, _names, _tags)
def test_order_and_repeats_inside_a_select_change_nothing(select: Select, name: str, tags: dict[str, str]) -> None:
    turned = Select(
        names=select.names[::-1] * 2,
        tags=dict(list(select.tags.items())[::-1]),
        all_instances=select.all_instances,
        exclude=select.exclude[::-1] * 2,
    )
    assert turned.matches(name, tags) == select.matches(name, tags)


@given(_selects, _globs, _names, _tags)
def test_excluding_more_never_selects_more(
    select: Select, more: tuple[str, ...], name: str, tags: dict[str, str]
) -> None:
    narrower = Select(
        names=select.names, tags=select.tags, all_instances=select.all_instances, exclude=(*select.exclude, *more)
    )
    assert narrower.matches(name, tags) <= select.matches(name, tags)


@given(_selects)
def test_a_select_survives_the_event_that_carries_it(select: Select) -> None:
    try:
        assert parse_select(select.as_detail()) == select
    except InvalidSelectError:
        assert not any(select.matches(name, dict(select.tags)) for name in (*select.names, "ab", "web-1"))
