"""Tags and their limits."""

from tests.emulator.builders import CREATE, error_from, make_instance, make_snapshot, snapshot, snapshot_names
from tests.emulator.endpoints import Lightsail


def tags(count: int) -> list[dict[str, str]]:
    """Different tags."""
    return [{"key": f"key-{number}", "value": "x"} for number in range(count)]


def test_tag_without_a_value_is_returned_without_one(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    made = make_snapshot(lightsail, tags=[{"key": "no_delete"}, {"key": "env", "value": "prod"}])
    assert made["tags"] == [{"key": "no_delete"}, {"key": "env", "value": "prod"}]


def test_snapshot_without_tags_has_an_empty_list(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    assert make_snapshot(lightsail)["tags"] == []


def test_snapshot_does_not_inherit_the_instance_tags(lightsail: Lightsail) -> None:
    assert make_instance(lightsail, tags=[{"key": "env", "value": "prod"}])["tags"]
    assert make_snapshot(lightsail)["tags"] == []


def test_tag_resource_adds_tags_and_changes_values(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    made = make_snapshot(lightsail, tags=[{"key": "env", "value": "prod"}, {"key": "a", "value": "1"}])
    new = [{"key": "env", "value": "test"}, {"key": "b"}]
    (operation,) = lightsail.tag_resource(resourceName="snap-1", resourceArn=made["arn"], tags=new)["operations"]
    assert operation["status"] == "Succeeded"
    found = {tag["key"]: tag.get("value") for tag in snapshot(lightsail)["tags"]}
    assert found == {"env": "test", "a": "1", "b": None}


def test_untag_resource_removes_only_the_named_tags(lightsail: Lightsail) -> None:
    make_instance(lightsail, tags=tags(3))
    lightsail.untag_resource(resourceName="web-1", tagKeys=["key-1", "never-there"])
    left = lightsail.get_instance(instanceName="web-1")["instance"]["tags"]
    assert [tag["key"] for tag in left] == ["key-0", "key-2"]


def test_tag_resource_is_not_found_when_there_is_none(lightsail: Lightsail) -> None:
    assert error_from(lightsail.tag_resource, resourceName="nope", tags=tags(1))["name"] == "NotFoundException"


def test_tag_resource_rejects_the_arn_of_another_resource(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    other = make_instance(lightsail, "web-2")["arn"]
    error = error_from(lightsail.tag_resource, resourceName="web-1", resourceArn=other, tags=tags(1))
    assert error["name"] == "InvalidInputException"


def test_snapshot_takes_fifty_tags(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    assert len(make_snapshot(lightsail, tags=tags(50))["tags"]) == 50


def test_tag_resource_adds_no_tags_when_there_would_be_too_many(lightsail: Lightsail) -> None:
    make_instance(lightsail, tags=tags(49))
    two = [{"key": "one"}, {"key": "two"}]
    assert error_from(lightsail.tag_resource, resourceName="web-1", tags=two)["name"] == "InvalidInputException"
    assert len(lightsail.get_instance(instanceName="web-1")["instance"]["tags"]) == 49


def test_create_rejects_tags_that_break_a_limit(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    wrong: list[list[dict[str, str]]] = [
        tags(51),
        [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}],
        [{"value": "1"}],
        [{"key": ""}],
        [{"key": "k" * 129}],
        [{"key": "a", "value": "v" * 257}],
        [{"key": "aws:mine"}],
        [{"key": "a", "value": "AWS:1"}],
        [{"key": "a*b"}],
        [{"key": "a", "value": "1\n"}],
    ]
    for each in wrong:
        error = error_from(lightsail.create_instance_snapshot, **CREATE, tags=each)
        assert (error["name"], error["status"]) == ("InvalidInputException", 400)
    assert snapshot_names(lightsail) == []


def test_tags_take_all_letters_and_the_allowed_signs(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    tag = {"key": "Größe 大", "value": "a+b-c=d.e_f:g/h@i j"}
    assert make_snapshot(lightsail, tags=[tag])["tags"] == [tag]
