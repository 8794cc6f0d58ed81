"""CopySnapshot, which is called in the destination Region."""

from tests.emulator.builders import error_from, make_instance, make_snapshot, snapshot
from tests.emulator.endpoints import Endpoint, client

SOURCE = "eu-central-1"
DESTINATION = "eu-west-1"
COPY = {"sourceSnapshotName": "snap-1", "sourceRegion": SOURCE, "targetSnapshotName": "snap-1"}


def make_source(endpoint: Endpoint) -> str:
    """Create an available, tagged snapshot in SOURCE, and return the ARN of its instance."""
    source = client(endpoint, SOURCE)
    instance = make_instance(source)
    make_snapshot(source, tags=[{"key": "env", "value": "prod"}])
    endpoint.control("clock", advance=60)
    return str(instance["arn"])


def test_copy_returns_one_operation_of_a_type_missing_in_the_model(endpoint: Endpoint) -> None:
    make_source(endpoint)
    (operation,) = client(endpoint, DESTINATION).copy_snapshot(**COPY)["operations"]
    assert str(operation["operationType"]) == "CopySnapshot"
    assert operation["operationDetails"] == "eu-central-1:snap-1"
    assert (operation["resourceType"], operation["status"]) == ("InstanceSnapshot", "Started")


def test_copy_becomes_available_in_the_called_region(endpoint: Endpoint) -> None:
    instance_arn = make_source(endpoint)
    destination = client(endpoint, DESTINATION)
    destination.copy_snapshot(**COPY)
    assert snapshot(destination)["state"] == "pending"
    endpoint.control("clock", advance=60)
    copy = snapshot(destination)
    assert copy["state"] == "available"
    assert copy["location"]["regionName"] == DESTINATION
    assert copy["fromInstanceArn"] == instance_arn
    assert copy["arn"] != snapshot(client(endpoint, SOURCE))["arn"]


def test_copy_has_no_tags(endpoint: Endpoint) -> None:
    make_source(endpoint)
    destination = client(endpoint, DESTINATION)
    destination.copy_snapshot(**COPY)
    assert snapshot(destination)["tags"] == []


def test_copy_has_the_source_tags_when_copy_carries_tags_is_set(endpoint: Endpoint) -> None:
    make_source(endpoint)
    endpoint.control("settings", copyCarriesTags=True)
    destination = client(endpoint, DESTINATION)
    destination.copy_snapshot(**COPY)
    assert snapshot(destination)["tags"] == [{"key": "env", "value": "prod"}]


def test_copy_needs_a_new_name_within_a_region(endpoint: Endpoint) -> None:
    make_source(endpoint)
    source = client(endpoint, SOURCE)
    assert error_from(source.copy_snapshot, **COPY)["code"] == "NameExists"
    source.copy_snapshot(**{**COPY, "targetSnapshotName": "snap-2"})
    assert snapshot(source, "snap-2")["state"] == "pending"


def test_copy_is_not_found_when_the_source_does_not_exist(endpoint: Endpoint) -> None:
    error = error_from(client(endpoint, DESTINATION).copy_snapshot, **COPY)
    assert (error["name"], error["code"]) == ("NotFoundException", "DoesNotExist")


def test_copy_fails_when_the_source_is_pending(endpoint: Endpoint) -> None:
    source = client(endpoint, SOURCE)
    make_instance(source)
    make_snapshot(source)
    error = error_from(client(endpoint, DESTINATION).copy_snapshot, **COPY)
    assert error["name"] == "OperationFailureException"


def test_copy_requires_exactly_one_source(endpoint: Endpoint) -> None:
    destination = client(endpoint, DESTINATION)
    nothing = {"sourceRegion": SOURCE, "targetSnapshotName": "snap-1"}
    two = {**COPY, "sourceResourceName": "web-1", "useLatestRestorableAutoSnapshot": True}
    for request in (nothing, two):
        error = error_from(destination.copy_snapshot, **request)
        assert error["message"] == "Give either sourceSnapshotName or sourceResourceName."


def test_copy_of_an_automatic_snapshot_is_rejected_by_name(endpoint: Endpoint) -> None:
    request = {"sourceRegion": SOURCE, "sourceResourceName": "web-1", "targetSnapshotName": "copy-1"}
    error = error_from(client(endpoint, DESTINATION).copy_snapshot, **request, useLatestRestorableAutoSnapshot=True)
    assert error["code"] == "UnsupportedOperation"
