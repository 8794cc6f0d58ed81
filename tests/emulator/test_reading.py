"""Lists, their pages, and what else can only be read."""

import pytest

from tests.emulator.builders import CREATE, error_of, make_instance, make_snapshot, snapshot_names
from tests.emulator.endpoints import Endpoint, Lightsail, client


@pytest.mark.parametrize("page_size", [1, 2, 5, 6, 100])
def test_a_paginator_finds_everything_once_and_in_order_whatever_the_page_size(
    endpoint: Endpoint, lightsail: Lightsail, page_size: int
) -> None:
    endpoint.tell("settings", pageSize=page_size)
    make_instance(lightsail)
    names = [f"snap-{number}" for number in range(5)]
    for name in names:
        make_snapshot(lightsail, name)
    assert snapshot_names(lightsail) == names


def test_the_last_page_has_no_token(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.tell("settings", pageSize=2)
    make_instance(lightsail, "web-1", instanceNames=["web-1", "web-2", "web-3"])
    first = lightsail.get_instances()
    last = lightsail.get_instances(pageToken=first["nextPageToken"])
    assert [one["name"] for one in first["instances"]] == ["web-1", "web-2"]
    assert [one["name"] for one in last["instances"]] == ["web-3"]
    assert "nextPageToken" not in last


def test_a_page_goes_on_where_the_last_one_ended_although_something_was_deleted(
    endpoint: Endpoint, lightsail: Lightsail
) -> None:
    endpoint.tell("settings", pageSize=2)
    make_instance(lightsail, "a-1", instanceNames=["a-1", "a-2", "a-3", "a-4"])
    token = lightsail.get_instances()["nextPageToken"]
    lightsail.delete_instance(instanceName="a-1")
    rest = lightsail.get_instances(pageToken=token)["instances"]
    assert [one["name"] for one in rest] == ["a-3", "a-4"]


@pytest.mark.parametrize("token", ["1", "nonsense!", "ZXUtY2VudHJhbC0xOng=", "dXMtZWFzdC0xOjE="])
def test_a_page_token_that_was_not_given_out_is_refused(lightsail: Lightsail, token: str) -> None:
    assert error_of(lightsail.get_instances, pageToken=token)["name"] == "InvalidInputException"


def test_a_page_token_of_another_region_is_refused(endpoint: Endpoint) -> None:
    endpoint.tell("settings", pageSize=1)
    elsewhere = client(endpoint, "us-east-1")
    make_instance(elsewhere, "web-1", instanceNames=["web-1", "web-2"])
    token = elsewhere.get_instances()["nextPageToken"]
    assert error_of(client(endpoint).get_instances, pageToken=token)["name"] == "InvalidInputException"


def test_a_list_is_of_one_region(endpoint: Endpoint) -> None:
    make_instance(client(endpoint, "us-east-1"))
    assert client(endpoint).get_instances()["instances"] == []


def test_active_names_are_those_of_every_type_of_resource(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    make_snapshot(lightsail)
    assert lightsail.get_active_names()["activeNames"] == ["web-1", "snap-1"]


def test_an_operation_is_found_by_its_id_and_succeeds_with_the_snapshot(
    endpoint: Endpoint, lightsail: Lightsail
) -> None:
    make_instance(lightsail)
    answer = lightsail.create_instance_snapshot(**CREATE)
    for started in answer["operations"]:
        assert lightsail.get_operation(operationId=started["id"])["operation"]["status"] == "Started"
    endpoint.tell("clock", advance=60)
    for started in answer["operations"]:
        ended = lightsail.get_operation(operationId=started["id"])["operation"]
        assert (ended["status"], ended["isTerminal"]) == ("Succeeded", True)
        assert ended["statusChangedAt"] > started["statusChangedAt"]


def test_an_operation_that_never_was_is_not_found(lightsail: Lightsail) -> None:
    assert error_of(lightsail.get_operation, operationId="nope")["name"] == "NotFoundException"


def test_operations_are_listed_oldest_first(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    lightsail.stop_instance(instanceName="web-1")
    lightsail.delete_instance(instanceName="web-1")
    pages = lightsail.get_paginator("get_operations").paginate()
    types = [operation["operationType"] for page in pages for operation in page["operations"]]
    assert types == ["CreateInstance", "StopInstance", "DeleteInstance"]


def test_operations_of_a_resource_come_newest_first_and_outlive_it(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.tell("settings", pageSize=2)
    make_instance(lightsail)
    make_instance(lightsail, "web-2")
    lightsail.stop_instance(instanceName="web-1")
    lightsail.delete_instance(instanceName="web-1")
    first = lightsail.get_operations_for_resource(resourceName="web-1")
    rest = lightsail.get_operations_for_resource(resourceName="web-1", pageToken=first["nextPageToken"])
    types = [operation["operationType"] for operation in first["operations"] + rest["operations"]]
    assert types == ["DeleteInstance", "StopInstance", "CreateInstance"]


def test_operations_of_what_never_was_are_not_found(lightsail: Lightsail) -> None:
    assert error_of(lightsail.get_operations_for_resource, resourceName="nope")["name"] == "NotFoundException"


def test_regions_are_those_with_an_endpoint_and_not_those_of_the_enum(lightsail: Lightsail) -> None:
    names = [str(region["name"]) for region in lightsail.get_regions()["regions"]]
    assert {"us-east-1", "ap-southeast-3", "eu-north-1"} <= set(names)
    assert "us-west-1" not in names


def test_availability_zones_are_listed_when_asked_for(lightsail: Lightsail) -> None:
    regions = lightsail.get_regions(includeAvailabilityZones=True)["regions"]
    zones = next(region["availabilityZones"] for region in regions if region["name"] == "eu-west-1")
    assert {"zoneName": "eu-west-1a", "state": "available"} in zones
    assert lightsail.get_regions()["regions"][0]["availabilityZones"] == []


@pytest.mark.parametrize("region", ["us-west-1", "eu-central-1a", "xx-north-9"])
def test_a_region_without_lightsail_is_refused(endpoint: Endpoint, region: str) -> None:
    error = error_of(client(endpoint, region).get_instances)
    assert error["name"] == "UnrecognizedClientException"
    assert region in error["message"]
