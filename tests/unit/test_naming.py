"""Names are the idempotency key, and tags are the ownership: both must hold for any input."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.naming import is_name, is_reserved_key, merge_tags, our_tags, snapshot_name, tag_problems

SLOT = datetime(2026, 11, 23, 3, 15, tzinfo=UTC)
LEGAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,253}[A-Za-z0-9]")
OURS = our_tags("web-1-20261123", "web-1")

names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,253}[A-Za-z0-9_]", fullmatch=True)
slots = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone beside
texts = st.text(max_size=8)
tags = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), texts, max_size=60)


def test_a_name_says_which_instance_and_when() -> None:
    assert re.fullmatch(r"web-1-20261123T031500Z-[0-9a-f]{8}", snapshot_name("web-1", SLOT, "daily"))


def test_a_name_is_the_same_in_every_version_of_the_code() -> None:
    assert snapshot_name("web-1", SLOT, "us-east-1", "daily", "") == "web-1-20261123T031500Z-6f105a05"


def test_a_slot_is_the_same_moment_in_every_zone() -> None:
    berlin = SLOT.astimezone(timezone(timedelta(hours=1)))
    assert snapshot_name("web-1", berlin) == snapshot_name("web-1", SLOT)


@given(name=names, slot=slots, distinct=st.lists(texts))
def test_every_name_is_legal(name: str, slot: datetime, distinct: list[str]) -> None:
    derived = snapshot_name(name, slot, *distinct)
    assert LEGAL.fullmatch(derived)
    assert is_name(derived)


@given(one=st.tuples(names, slots, texts), other=st.tuples(names, slots, texts))
def test_different_requests_have_different_names(
    one: tuple[str, datetime, str], other: tuple[str, datetime, str]
) -> None:
    def seconds(request: tuple[str, datetime, str]) -> tuple[str, datetime, str]:
        return (request[0], request[1].replace(microsecond=0), request[2])

    assert (snapshot_name(*one) == snapshot_name(*other)) == (seconds(one) == seconds(other))


@pytest.mark.parametrize(("one", "other"), [("a.b", "a-b"), ("x" * 254, "x" * 255), ("a_", "a")])
def test_names_that_are_cut_or_changed_stay_different(one: str, other: str) -> None:
    assert snapshot_name(one, SLOT) != snapshot_name(other, SLOT)


def test_the_request_wins_over_the_instance_and_we_win_over_both() -> None:
    merged, dropped = merge_tags({"env": "prod", "team": "web", "snapshot-of": "x"}, {"env": "test"}, OURS)
    assert merged == {
        "team": "web",
        "env": "test",
        "managed-by": "lightsail-snapshots",
        "snapshot-name": "web-1-20261123",
        "snapshot-of": "web-1",
    }
    assert dropped == ["snapshot-of"]


RESERVED = [
    "managed-by",
    "snapshot-plan",
    "snapshot-keep",
    "snapshot-name",
    "snapshot-of",
    "snapshot-hold",
    "expires-at",
    "copy-of",
]
RESERVED += ["restore-settings", "proven-at", "drill-of", "Managed-By", "EXPIRES-AT", "Snapshot-New", " Snapshot-Hold "]


@pytest.mark.parametrize("key", RESERVED)
def test_merge_tags_drops_a_reserved_key_of_the_instance(key: str) -> None:
    assert is_reserved_key(key)
    assert merge_tags({key: "theirs"}, {}, OURS) == (OURS, [key])


@pytest.mark.parametrize("key", ["managed", "my-managed-by", "snapshots", "env", "copy-of-it", "drill"])
def test_other_keys_are_not_reserved(key: str) -> None:
    assert not is_reserved_key(key)


def test_tags_of_aws_are_left_out() -> None:
    assert merge_tags({"aws:cloudformation:stack-name": "x"}, {}, OURS)[0] == OURS


def test_the_instances_tags_are_dropped_first_and_are_named() -> None:
    own = {f"own-{n:02}": "" for n in range(50)}
    merged, dropped = merge_tags(own, {"asked": "yes"}, OURS)
    assert merged["asked"] == "yes"
    assert dropped == [f"own-{n:02}" for n in range(34, 50)]


@given(instance=tags, request=tags.filter(lambda tags: len(tags) <= 35))
def test_tags_always_leave_room_for_ours_and_those_of_a_copy(instance: dict[str, str], request: dict[str, str]) -> None:
    all_of_ours = our_tags("web-1-20261123", "web-1", plan="daily", keep="last=7", expires_at=SLOT)
    merged, dropped = merge_tags(instance, request, all_of_ours)
    assert len(merged | {"copy-of": "x"}) <= 50
    assert {**request, **all_of_ours}.items() <= merged.items()
    assert set(dropped) == set(instance) - set(merged)


@pytest.mark.parametrize(
    ("key", "value"), [("env", "prod"), ("a+b-c=d.e_f:g/h@i j", ""), ("größe", "½"), ("k" * 128, "v" * 256)]
)
def test_a_tag_that_lightsail_takes_has_no_problem(key: str, value: str) -> None:
    assert tag_problems(key, value) == []
