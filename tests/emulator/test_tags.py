"""Tags: how they come back, and what is refused."""

import pytest

from tests.emulator.builders import CREATE, error_of, make_instance, make_snapshot, snapshot, snapshot_names
from tests.emulator.endpoints import Lightsail


def tags(count: int) -> list[dict[str, str]]:
    """That many different tags."""
    return [{"key": f"key-{number}", "value": "x"} for number in range(count)]


def test_a_tag_without_a_value_comes_back_without_one(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    made = make_snapshot(lightsail, tags=[{"key": "no_delete"}, {"key": "env", "value": "prod"}])
    assert made["tags"] == [{"key": "no_delete"}, {"key": "env", "value": "prod"}]


def test_no_tags_come_back_as_an_empty_list(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    assert make_snapshot(lightsail)["tags"] == []


def test_a_snapshot_does_not_inherit_its_instances_tags(lightsail: Lightsail) -> None:
    assert make_instance(lightsail, tags=[{"key": "env", "value": "prod"}])["tags"]
    assert make_snapshot(lightsail)["tags"] == []


def test_tag_resource_adds_tags_and_gives_old_ones_their_new_value(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    made = make_snapshot(lightsail, tags=[{"key": "env", "value": "prod"}, {"key": "a", "value": "1"}])
    new = [{"key": "env", "value": "test"}, {"key": "b"}]
    (operation,) = lightsail.tag_resource(resourceName="snap-1", resourceArn=made["arn"], tags=new)["operations"]
    assert operation["status"] == "Succeeded"
    found = {tag["key"]: tag.get("value") for tag in snapshot(lightsail)["tags"]}
    assert found == {"env": "test", "a": "1", "b": None}


def test_untag_resource_takes_off_the_named_tags_only(lightsail: Lightsail) -> None:
    make_instance(lightsail, tags=tags(3))
    lightsail.untag_resource(resourceName="web-1", tagKeys=["key-1", "never-there"])
    left = lightsail.get_instance(instanceName="web-1")["instance"]["tags"]
    assert [tag["key"] for tag in left] == ["key-0", "key-2"]


def test_tagging_what_does_not_exist_is_not_found(lightsail: Lightsail) -> None:
    assert error_of(lightsail.tag_resource, resourceName="nope", tags=tags(1))["name"] == "NotFoundException"


def test_tagging_by_an_arn_that_is_not_the_names_is_refused(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    other = make_instance(lightsail, "web-2")["arn"]
    error = error_of(lightsail.tag_resource, resourceName="web-1", resourceArn=other, tags=tags(1))
    assert error["name"] == "InvalidInputException"


def test_fifty_tags_are_taken(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    assert len(make_snapshot(lightsail, tags=tags(50))["tags"]) == 50


def test_tag_resource_over_the_limit_adds_none_of_the_tags(lightsail: Lightsail) -> None:
    make_instance(lightsail, tags=tags(49))
    two = [{"key": "one"}, {"key": "two"}]
    assert error_of(lightsail.tag_resource, resourceName="web-1", tags=two)["name"] == "InvalidInputException"
    assert len(lightsail.get_instance(instanceName="web-1")["instance"]["tags"]) == 49


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(tags(51), id="51 tags"),
        pytest.param([{"key": "a", "value": "1"}, {"key": "a", "value": "2"}], id="a key twice"),
        pytest.param([{"value": "1"}], id="no key"),
        pytest.param([{"key": "", "value": "1"}], id="an empty key"),
        pytest.param([{"key": "k" * 129}], id="a key of 129 characters"),
        pytest.param([{"key": "a", "value": "v" * 257}], id="a value of 257 characters"),
        pytest.param([{"key": "aws:mine", "value": "1"}], id="a key that begins with aws:"),
        pytest.param([{"key": "a", "value": "AWS:1"}], id="a value that begins with AWS:"),
        pytest.param([{"key": "a*b", "value": "1"}], id="a character that no key may have"),
        pytest.param([{"key": "a", "value": "1\n"}], id="a value that ends a line"),
    ],
)
def test_a_snapshot_with_tags_that_cannot_be_applied_is_not_made(
    lightsail: Lightsail, bad: list[dict[str, str]]
) -> None:
    make_instance(lightsail)
    error = error_of(lightsail.create_instance_snapshot, **CREATE, tags=bad)
    assert (error["name"], error["status"]) == ("InvalidInputException", 400)
    assert snapshot_names(lightsail) == []


def test_letters_of_every_alphabet_and_the_allowed_signs_are_taken(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    tag = {"key": "Größe 大", "value": "a+b-c=d.e_f:g/h@i j"}
    assert make_snapshot(lightsail, tags=[tag])["tags"] == [tag]
