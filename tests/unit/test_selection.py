"""Which instances a Fleet request selects."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.reader import InvalidValueError
from lightsail_snapshots.selection import Select, parse_select


def selects(select: Mapping[str, Any], name: str = "web-1", **tags: str) -> bool:
    return parse_select(select).matches(name, tags)


def problems_of(select: object) -> list[str]:
    with pytest.raises(InvalidValueError) as raised:
        parse_select(select)
    return list(map(str, raised.value.problems))


def test_glob_matches_the_whole_name() -> None:
    assert selects({"names": ["web-*"]}, "web-1")
    assert not selects({"names": ["web-*"]}, "my-web-1")
    assert not selects({"names": ["web"]}, "web-1")


def test_select_distinguishes_upper_and_lower_case() -> None:
    assert not selects({"names": ["web-*"]}, "Web-1")
    assert not selects({"tags": {"backup": "daily"}}, Backup="daily")
    assert not selects({"tags": {"backup": "daily"}}, backup="Daily")


def test_glob_matches_single_characters_and_sets() -> None:
    assert [name for name in ("web-1", "web-2", "web-3", "web-12") if selects({"names": ["web-[12]"]}, name)] == [
        "web-1",
        "web-2",
    ]
    assert selects({"names": ["web-[!3]"]}, "web-1")
    assert selects({"names": ["web-?"]}, "web-1")
    assert not selects({"names": ["web-?"]}, "web-12")


def test_glob_takes_a_dot_literally() -> None:
    assert selects({"names": ["shop.example.*"]}, "shop.example.com")
    assert not selects({"names": ["shop.example.*"]}, "shop-example-com")


def test_select_matches_if_one_of_several_names_does() -> None:
    assert selects({"names": ["db", "web-*"]}, "web-1")


def test_tag_selects_by_key_and_value() -> None:
    assert selects({"tags": {"backup": "daily"}}, backup="daily")
    assert not selects({"tags": {"backup": "daily"}}, backup="weekly")
    assert not selects({"tags": {"backup": "daily"}})


def test_star_matches_any_value_also_that_of_a_key_only_tag() -> None:
    assert selects({"tags": {"backup": "*"}}, backup="weekly")
    assert selects({"tags": {"backup": "*"}}, backup="")
    assert not selects({"tags": {"backup": "*"}}, other="x")


def test_empty_value_selects_a_key_only_tag() -> None:
    assert selects({"tags": {"backup": ""}}, backup="")
    assert not selects({"tags": {"backup": ""}}, backup="daily")


def test_select_accepts_tags_of_cloudformation() -> None:
    select = {"tags": {"aws:cloudformation:stack-name": "shop"}}
    assert parse_select(select).matches("web-1", {"aws:cloudformation:stack-name": "shop"})


def test_select_matches_only_if_all_conditions_hold() -> None:
    select = {"names": ["web-*"], "tags": {"backup": "daily", "env": "prod"}}
    assert selects(select, "web-1", backup="daily", env="prod")
    assert not selects(select, "db-1", backup="daily", env="prod")
    assert not selects(select, "web-1", backup="daily")


def test_all_selects_every_instance_unless_another_condition_fails() -> None:
    assert selects({"all": True}, "anything")
    assert not selects({"all": True, "names": ["web-*"]}, "db-1")


def test_exclude_wins_over_every_condition() -> None:
    for select in ({"all": True}, {"names": ["web-1"]}, {"tags": {"backup": "daily"}}):
        assert not selects(select | {"exclude": ["db", "web-[0-9]"]}, "web-1", backup="daily")


def test_select_matches_nothing_without_a_condition() -> None:
    assert not Select().matches("web-1", {"backup": "daily"})
    assert not Select(exclude=("db",)).matches("web-1", {})


@pytest.mark.parametrize("select", [{}, {"all": False}, {"exclude": ["a"]}, {"all": False, "exclude": ["a"]}])
def test_select_is_rejected_without_a_condition(select: dict[str, Any]) -> None:
    assert problems_of(select) == ["selects nothing: give names, tags or all"]


@pytest.mark.parametrize("select", [None, [], "web-*", 3])
def test_select_is_rejected_if_it_is_no_object(select: object) -> None:
    assert problems_of(select) == ["must have names, tags or all"]


def test_select_reports_every_problem_at_once() -> None:
    assert problems_of(
        {
            "nams": ["a"],
            "names": ["web 1", "{a,b}", "", "x[", 7],
            "tags": {"b": 7, "a/ß?": "d%", "c": "["},
            "all": "yes",
            "exclude": [],
        }
    ) == [
        "names[0]: \"web 1\" has ' ', so it matches no name; use letters, digits, - _ . and * ? [...]",
        'names[1]: "{a,b}": braces are not supported; list each name',
        'names[2]: must be a glob, such as "web-*"',
        'names[3]: "x[" has a [ or ] without its other half',
        'names[4]: must be a glob, such as "web-*"',
        'tags.b: must be a text; "*" is any value',
        "tags.a/ß?: the key may hold only letters, digits, spaces and + - = . _ : / @",
        "tags.a/ß?: the value may hold only letters, digits, spaces and + - = . _ : / @",
        'tags.c: "[" has a [ or ] without its other half',
        "all: must be true or false, not 'yes'",
        'exclude: must be a list of globs, such as ["web-*"]',
        "nams: unknown key; did you mean names?",
    ]


def test_select_is_rejected_if_exclude_leaves_nothing() -> None:
    assert problems_of({"all": True, "exclude": ["*"]}) == ["exclude: excludes everything"]
    assert problems_of({"names": ["web-*"], "exclude": ["db", "web-*"]}) == [
        "exclude: excludes everything that names selects"
    ]


@pytest.mark.parametrize("tags", [{}, ["backup"], "backup"])
def test_select_is_rejected_if_its_tags_are_no_table(tags: object) -> None:
    assert problems_of({"tags": tags}) == [
        'tags: must be a table of tags, such as { backup = "daily" }; "*" is any value'
    ]


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
def test_select_ignores_order_and_repeats_of_a_listing(
    select: Select, fleet: list[tuple[str, dict[str, str]]], random: Any
) -> None:
    def chosen(instances: list[tuple[str, dict[str, str]]]) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        return {(name, frozenset(tags.items())) for name, tags in instances if select.matches(name, tags)}

    again = [*fleet, *random.sample(fleet, len(fleet) // 2)]
    random.shuffle(again)
    assert chosen(again) == chosen(fleet)


@given(_selects, _names, _tags)
def test_select_ignores_order_and_repeats_of_its_own_globs(select: Select, name: str, tags: dict[str, str]) -> None:
    turned = Select(
        names=select.names[::-1] * 2,
        tags=dict(list(select.tags.items())[::-1]),
        all_instances=select.all_instances,
        exclude=select.exclude[::-1] * 2,
    )
    assert turned.matches(name, tags) == select.matches(name, tags)


@given(_selects, _globs, _names, _tags)
def test_select_never_matches_more_if_more_is_excluded(
    select: Select, more: tuple[str, ...], name: str, tags: dict[str, str]
) -> None:
    narrower = Select(
        names=select.names, tags=select.tags, all_instances=select.all_instances, exclude=(*select.exclude, *more)
    )
    assert narrower.matches(name, tags) <= select.matches(name, tags)


@given(_selects)
def test_select_survives_a_round_trip_through_an_event(select: Select) -> None:
    try:
        assert parse_select(select.as_detail()) == select
    except InvalidValueError:
        assert not any(select.matches(name, dict(select.tags)) for name in (*select.names, "ab", "web-1"))


@pytest.mark.parametrize(
    ("tags", "is_selected"), [({}, True), ({"backup": "none"}, False), ({"backup": "daily"}, True)]
)
def test_exclude_tags_leaves_out_instances_with_a_matching_tag(tags: dict[str, str], is_selected: bool) -> None:
    select = parse_select({"all": True, "excludeTags": {"backup": "no*", "stage": "*"}})
    assert select.matches("web-1", tags) is is_selected
    assert not select.matches("web-1", tags | {"stage": ""})
    assert parse_select(select.as_detail()) == select
