"""CopySnapshot: called in the Region that gets the copy."""

from tests.emulator.builders import error_of, make_instance, make_snapshot, snapshot
from tests.emulator.endpoints import Endpoint, client

SOURCE = "eu-central-1"
DESTINATION = "eu-west-1"
COPY = {"sourceSnapshotName": "snap-1", "sourceRegion": SOURCE, "targetSnapshotName": "snap-1"}


def make_source(endpoint: Endpoint) -> str:
    """An available, tagged snapshot in SOURCE; the ARN of its instance."""
    source = client(endpoint, SOURCE)
    instance = make_instance(source)
    make_snapshot(source, tags=[{"key": "env", "value": "prod"}])
    endpoint.tell("clock", advance=60)
    return str(instance["arn"])


def test_a_copy_answers_one_operation_of_a_type_that_the_model_does_not_list(endpoint: Endpoint) -> None:
    make_source(endpoint)
    (operation,) = client(endpoint, DESTINATION).copy_snapshot(**COPY)["operations"]
    assert str(operation["operationType"]) == "CopySnapshot"
    assert operation["operationDetails"] == "eu-central-1:snap-1"
    assert (operation["resourceType"], operation["status"]) == ("InstanceSnapshot", "Started")


def test_a_copy_becomes_available_in_the_region_that_was_called(endpoint: Endpoint) -> None:
    instance_arn = make_source(endpoint)
    destination = client(endpoint, DESTINATION)
    destination.copy_snapshot(**COPY)
    assert snapshot(destination)["state"] == "pending"
    endpoint.tell("clock", advance=60)
    copy = snapshot(destination)
    assert copy["state"] == "available"
    assert copy["location"]["regionName"] == DESTINATION
    assert copy["fromInstanceArn"] == instance_arn
    assert copy["arn"] != snapshot(client(endpoint, SOURCE))["arn"]


def test_a_copy_carries_no_tags(endpoint: Endpoint) -> None:
    make_source(endpoint)
    destination = client(endpoint, DESTINATION)
    destination.copy_snapshot(**COPY)
    assert snapshot(destination)["tags"] == []


def test_a_copy_can_be_set_to_carry_its_tags(endpoint: Endpoint) -> None:
    make_source(endpoint)
    endpoint.tell("settings", copyCarriesTags=True)
    destination = client(endpoint, DESTINATION)
    destination.copy_snapshot(**COPY)
    assert snapshot(destination)["tags"] == [{"key": "env", "value": "prod"}]


def test_a_copy_within_a_region_needs_a_name_of_its_own(endpoint: Endpoint) -> None:
    make_source(endpoint)
    source = client(endpoint, SOURCE)
    assert error_of(source.copy_snapshot, **COPY)["code"] == "NameExists"
    source.copy_snapshot(**{**COPY, "targetSnapshotName": "snap-2"})
    assert snapshot(source, "snap-2")["state"] == "pending"


def test_a_source_that_does_not_exist_is_not_found(endpoint: Endpoint) -> None:
    error = error_of(client(endpoint, DESTINATION).copy_snapshot, **COPY)
    assert (error["name"], error["code"]) == ("NotFoundException", "DoesNotExist")


def test_a_pending_source_is_refused(endpoint: Endpoint) -> None:
    source = client(endpoint, SOURCE)
    make_instance(source)
    make_snapshot(source)
    error = error_of(client(endpoint, DESTINATION).copy_snapshot, **COPY)
    assert error["name"] == "OperationFailureException"


def test_a_copy_of_nothing_and_a_copy_of_two_things_are_refused(endpoint: Endpoint) -> None:
    destination = client(endpoint, DESTINATION)
    nothing = {"sourceRegion": SOURCE, "targetSnapshotName": "snap-1"}
    two = {**COPY, "sourceResourceName": "web-1", "useLatestRestorableAutoSnapshot": True}
    for request in (nothing, two):
        error = error_of(destination.copy_snapshot, **request)
        assert error["message"] == "Give either sourceSnapshotName or sourceResourceName."


def test_an_automatic_snapshot_is_kept_by_copying_it(endpoint: Endpoint) -> None:
    source = client(endpoint, SOURCE)
    make_instance(source)
    source.enable_add_on(resourceName="web-1", addOnRequest={"addOnType": "AutoSnapshot"})
    endpoint.tell("clock", advance=2 * 86400)
    destination = client(endpoint, DESTINATION)
    destination.copy_snapshot(
        sourceRegion=SOURCE,
        sourceResourceName="web-1",
        useLatestRestorableAutoSnapshot=True,
        targetSnapshotName="kept",
    )
    assert snapshot(destination, "kept")["isFromAutoSnapshot"] is True


def test_an_automatic_snapshot_is_named_by_its_date_or_as_the_latest_but_not_by_both(endpoint: Endpoint) -> None:
    make_instance(client(endpoint, SOURCE))
    request = {"sourceRegion": SOURCE, "sourceResourceName": "web-1", "targetSnapshotName": "kept"}
    destination = client(endpoint, DESTINATION)
    both = {"restoreDate": "2026-11-23", "useLatestRestorableAutoSnapshot": True}
    for wrong in ({}, both, {"restoreDate": "23.11.2026"}):
        error = error_of(destination.copy_snapshot, **request, **wrong)
        assert error["name"] == "InvalidInputException"
    absent = error_of(destination.copy_snapshot, **request, restoreDate="2026-11-23")
    assert absent["name"] == "NotFoundException"
