"""Requests that botocore sends and Lightsail refuses, and operations that are not there."""

import pytest

from tests.emulator.builders import error_of, make_instance, make_snapshot
from tests.emulator.endpoints import Endpoint, Lightsail


@pytest.mark.parametrize("name", ["custom gitlab", "", "a", "-web", "web-", "web_", "a" * 256, "größe", "web\n"])
def test_a_bad_name_is_refused_in_the_services_words(lightsail: Lightsail, name: str) -> None:
    make_instance(lightsail)
    error = error_of(lightsail.create_instance_snapshot, instanceName="web-1", instanceSnapshotName=name)
    assert error["name"] == "InvalidInputException"
    assert error["message"] == (
        f"{name} is not a valid resource name. Resource names must be at least 2 characters long"
        " and contain only alphanumerics, -, _, and ."
    )


@pytest.mark.parametrize("name", ["ab", "1a", "a" * 255, "my.first_snap-1"])
def test_a_good_name_is_taken(lightsail: Lightsail, name: str) -> None:
    make_instance(lightsail)
    assert make_snapshot(lightsail, name)["name"] == name


def test_dots_in_snapshot_names_can_be_set_to_be_refused(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.tell("settings", dotsInSnapshotNames=False)
    make_instance(lightsail, "web.example")
    error = error_of(lightsail.create_instance_snapshot, instanceName="web.example", instanceSnapshotName="snap.1")
    assert error["name"] == "InvalidInputException"
    assert make_snapshot(lightsail, instance="web.example")["name"] == "snap-1"


def test_every_problem_of_a_request_is_reported_at_once(lightsail: Lightsail) -> None:
    error = error_of(
        lightsail.create_instance_snapshot,
        instanceName="a b",
        instanceSnapshotName="c d",
        tags=[{"key": "aws:x"}],
    )
    assert all(part in error["message"] for part in ("a b is not", "c d is not", "aws:x"))


def test_a_value_that_is_not_in_the_enum_is_refused(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    error = error_of(lightsail.disable_add_on, resourceName="web-1", addOnType="Backup")
    assert error["name"] == "InvalidInputException"
    assert "addOnType: Backup is not one of AutoSnapshot" in error["message"]


def test_a_value_that_does_not_match_the_pattern_is_refused(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    error = error_of(lightsail.tag_resource, resourceName="web-1", resourceArn="web-1", tags=[{"key": "a"}])
    assert "resourceArn: web-1 does not match" in error["message"]


def test_a_source_region_that_is_none_is_refused(lightsail: Lightsail) -> None:
    request = {"sourceSnapshotName": "snap-1", "targetSnapshotName": "snap-2"}
    for region in ("mars-north-1", "us-west-1"):  # the second is in the model's enum, but does not exist
        assert region in error_of(lightsail.copy_snapshot, **request, sourceRegion=region)["message"]


def test_an_operation_that_the_emulator_lacks_is_refused_by_name(lightsail: Lightsail) -> None:
    error = error_of(lightsail.get_disks)
    assert error["code"] == "UnsupportedOperation"
    assert error["message"] == "The emulator does not have GetDisks yet."
