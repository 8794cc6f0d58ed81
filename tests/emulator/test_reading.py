"""The operations that only read, and their pages."""

from tests.emulator.builders import CREATE, error_from, make_instance, make_snapshot, snapshot_names
from tests.emulator.endpoints import Endpoint, Lightsail, client


def test_paginator_returns_each_item_once_with_any_page_size(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    names = [f"snap-{number}" for number in range(5)]
    for name in names:
        make_snapshot(lightsail, name)
    for page_size in (1, 2, 5, 6, 100):
        endpoint.control("settings", pageSize=page_size)
        assert snapshot_names(lightsail) == names


def test_last_page_has_no_token(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("settings", pageSize=2)
    make_instance(lightsail, "web-1", instanceNames=["web-1", "web-2", "web-3"])
    first = lightsail.get_instances()
    last = lightsail.get_instances(pageToken=first["nextPageToken"])
    assert [one["name"] for one in first["instances"]] == ["web-1", "web-2"]
    assert [one["name"] for one in last["instances"]] == ["web-3"]
    assert "nextPageToken" not in last


def test_next_page_skips_nothing_after_a_deletion(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("settings", pageSize=2)
    make_instance(lightsail, "a-1", instanceNames=["a-1", "a-2", "a-3", "a-4"])
    token = lightsail.get_instances()["nextPageToken"]
    lightsail.delete_instance(instanceName="a-1")
    rest = lightsail.get_instances(pageToken=token)["instances"]
    assert [one["name"] for one in rest] == ["a-3", "a-4"]


def test_unknown_page_token_is_rejected(lightsail: Lightsail) -> None:
    for token in ("1", "nonsense!", "ZXUtY2VudHJhbC0xOng="):
        assert error_from(lightsail.get_instances, pageToken=token)["name"] == "InvalidInputException"


def test_page_token_of_another_region_is_rejected(endpoint: Endpoint) -> None:
    endpoint.control("settings", pageSize=1)
    elsewhere = client(endpoint, "us-east-1")
    make_instance(elsewhere, "web-1", instanceNames=["web-1", "web-2"])
    token = elsewhere.get_instances()["nextPageToken"]
    assert error_from(client(endpoint).get_instances, pageToken=token)["name"] == "InvalidInputException"


def test_list_has_only_the_called_region(endpoint: Endpoint) -> None:
    make_instance(client(endpoint, "us-east-1"))
    assert client(endpoint).get_instances()["instances"] == []


def test_active_names_include_every_type_of_resource(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    make_snapshot(lightsail)
    assert lightsail.get_active_names()["activeNames"] == ["web-1", "snap-1"]


def test_operation_succeeds_when_the_snapshot_is_available(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    answer = lightsail.create_instance_snapshot(**CREATE)
    for started in answer["operations"]:
        assert lightsail.get_operation(operationId=started["id"])["operation"]["status"] == "Started"
    endpoint.control("clock", advance=60)
    for started in answer["operations"]:
        ended = lightsail.get_operation(operationId=started["id"])["operation"]
        assert (ended["status"], ended["isTerminal"]) == ("Succeeded", True)
        assert ended["statusChangedAt"] > started["statusChangedAt"]


def test_unknown_operation_is_not_found(lightsail: Lightsail) -> None:
    assert error_from(lightsail.get_operation, operationId="nope")["name"] == "NotFoundException"


def test_operations_are_listed_oldest_first(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    lightsail.stop_instance(instanceName="web-1")
    lightsail.delete_instance(instanceName="web-1")
    pages = lightsail.get_paginator("get_operations").paginate()
    types = [operation["operationType"] for page in pages for operation in page["operations"]]
    assert types == ["CreateInstance", "StopInstance", "DeleteInstance"]


def test_operations_of_a_deleted_resource_are_listed_newest_first(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("settings", pageSize=2)
    make_instance(lightsail)
    make_instance(lightsail, "web-2")
    lightsail.stop_instance(instanceName="web-1")
    lightsail.delete_instance(instanceName="web-1")
    first = lightsail.get_operations_for_resource(resourceName="web-1")
    rest = lightsail.get_operations_for_resource(resourceName="web-1", pageToken=first["nextPageToken"])
    types = [operation["operationType"] for operation in first["operations"] + rest["operations"]]
    assert types == ["DeleteInstance", "StopInstance", "CreateInstance"]


def test_operations_of_an_unknown_resource_are_not_found(lightsail: Lightsail) -> None:
    assert error_from(lightsail.get_operations_for_resource, resourceName="nope")["name"] == "NotFoundException"


def test_regions_are_those_with_an_endpoint(lightsail: Lightsail) -> None:
    names = [str(region["name"]) for region in lightsail.get_regions()["regions"]]
    assert {"us-east-1", "ap-southeast-3", "eu-north-1"} <= set(names)
    assert "us-west-1" not in names


def test_regions_have_zones_only_on_request(lightsail: Lightsail) -> None:
    regions = lightsail.get_regions(includeAvailabilityZones=True)["regions"]
    zones = next(region["availabilityZones"] for region in regions if region["name"] == "eu-west-1")
    assert {"zoneName": "eu-west-1a", "state": "available"} in zones
    assert lightsail.get_regions()["regions"][0]["availabilityZones"] == []


def test_region_without_lightsail_is_rejected(endpoint: Endpoint) -> None:
    for region in ("us-west-1", "eu-central-1a", "xx-north-9"):  # the first is in the model's enum
        error = error_from(client(endpoint, region).get_instances)
        assert error["name"] == "UnrecognizedClientException"
        assert region in error["message"]


def test_bundles_are_listed_from_small_to_large_with_prices(lightsail: Lightsail) -> None:
    bundles = lightsail.get_bundles()["bundles"]
    linux = [one for one in bundles if one["supportedPlatforms"] == ["LINUX_UNIX"] and one["publicIpv4AddressCount"]]
    assert [(one["bundleId"], one["price"]) for one in linux[:3]] == [
        ("nano_3_0", 5.0),
        ("micro_3_0", 7.0),
        ("small_3_0", 12.0),
    ]
    assert all(one["isActive"] for one in bundles)
    every = lightsail.get_bundles(includeInactive=True)["bundles"]
    assert [one["bundleId"] for one in every if not one["isActive"]] == ["nano_2_0"]


def test_blueprints_are_listed_with_type_and_platform(lightsail: Lightsail) -> None:
    found = {one["blueprintId"]: (one["type"], one["platform"]) for one in lightsail.get_blueprints()["blueprints"]}
    assert found["wordpress"] == ("app", "LINUX_UNIX")
    assert found["windows_server_2022"] == ("os", "WINDOWS")
