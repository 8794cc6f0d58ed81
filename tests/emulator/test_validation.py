"""Requests that botocore sends and Lightsail rejects, and operations that the emulator lacks."""

from tests.emulator.builders import error_from, make_instance, make_snapshot
from tests.emulator.endpoints import Endpoint, Lightsail


def test_bad_name_gets_lightsails_message(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    for name in ("custom gitlab", "", "a", "-web", "web-", "web_", "a" * 256, "größe", "web\n"):
        error = error_from(lightsail.create_instance_snapshot, instanceName="web-1", instanceSnapshotName=name)
        assert error["name"] == "InvalidInputException"
        assert error["message"] == (
            f"{name} is not a valid resource name. Resource names must be at least 2 characters long"
            " and contain only alphanumerics, -, _, and ."
        )


def test_good_name_is_accepted(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    for name in ("ab", "1a", "a" * 255, "my.first_snap-1"):
        assert make_snapshot(lightsail, name)["name"] == name


def test_dot_in_a_snapshot_name_is_rejected_when_set_so(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("settings", dotsInSnapshotNames=False)
    make_instance(lightsail, "web.example")
    error = error_from(lightsail.create_instance_snapshot, instanceName="web.example", instanceSnapshotName="snap.1")
    assert error["name"] == "InvalidInputException"
    assert make_snapshot(lightsail, instance="web.example")["name"] == "snap-1"


def test_error_lists_all_problems_of_a_request(lightsail: Lightsail) -> None:
    error = error_from(
        lightsail.create_instance_snapshot,
        instanceName="a b",
        instanceSnapshotName="c d",
        tags=[{"key": "aws:x"}],
    )
    assert all(part in error["message"] for part in ("a b is not", "c d is not", "aws:x"))


def test_value_outside_the_enum_is_rejected(lightsail: Lightsail) -> None:
    error = error_from(make_instance, lightsail=lightsail, addOns=[{"addOnType": "Backup"}])
    assert error["name"] == "InvalidInputException"
    assert "addOns[0].addOnType: Backup is not one of AutoSnapshot" in error["message"]


def test_value_that_does_not_match_the_pattern_is_rejected(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    error = error_from(lightsail.tag_resource, resourceName="web-1", resourceArn="web-1", tags=[{"key": "a"}])
    assert "resourceArn: web-1 does not match" in error["message"]


def test_unknown_source_region_is_rejected(lightsail: Lightsail) -> None:
    request = {"sourceSnapshotName": "snap-1", "targetSnapshotName": "snap-2"}
    for region in ("mars-north-1", "us-west-1"):  # the second is in the model's enum
        assert region in error_from(lightsail.copy_snapshot, **request, sourceRegion=region)["message"]


def test_missing_operation_is_rejected_by_name(lightsail: Lightsail) -> None:
    error = error_from(lightsail.get_domains)
    assert error["code"] == "UnsupportedOperation"
    assert error["message"] == "The emulator does not have GetDomains yet."
