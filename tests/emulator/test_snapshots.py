"""Instance snapshots: create and delete."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from tests.emulator.builders import CREATE, error_from, make_instance, make_snapshot, snapshot, snapshot_names
from tests.emulator.endpoints import Endpoint, Lightsail, client


def test_create_returns_operations_on_snapshot_and_instance(
    lightsail: Lightsail,
) -> None:
    make_instance(lightsail)
    answer = lightsail.create_instance_snapshot(**CREATE)
    operations = {operation["resourceType"]: operation for operation in answer["operations"]}
    assert set(operations) == {"Instance", "InstanceSnapshot"}
    about_snapshot, about_instance = operations["InstanceSnapshot"], operations["Instance"]
    assert about_snapshot["resourceName"] == about_instance["operationDetails"] == "snap-1"
    assert about_instance["resourceName"] == about_snapshot["operationDetails"] == "web-1"
    assert about_snapshot["location"] == {"availabilityZone": "all", "regionName": "eu-central-1"}
    assert about_instance["location"] == {"availabilityZone": "eu-central-1a", "regionName": "eu-central-1"}
    assert {operation["operationType"] for operation in operations.values()} == {"CreateInstanceSnapshot"}
    assert {operation["status"] for operation in operations.values()} == {"Started"}
    assert not any(operation["isTerminal"] for operation in operations.values())


def test_create_returns_its_operations_in_no_fixed_order(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    first_ones = set()
    for name in ("snap-1", "snap-2", "snap-3", "snap-4"):
        answer = lightsail.create_instance_snapshot(instanceName="web-1", instanceSnapshotName=name)
        first_ones.add(answer["operations"][0]["resourceType"])
    assert first_ones == {"Instance", "InstanceSnapshot"}


def test_snapshot_becomes_available_with_time(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    assert make_snapshot(lightsail)["state"] == "pending"
    endpoint.control("clock", advance=59)
    assert snapshot(lightsail)["state"] == "pending"
    endpoint.control("clock", advance=1)
    assert snapshot(lightsail)["state"] == "available"


def test_snapshot_becomes_available_sooner_when_the_clock_is_fast(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("settings", speed=1_000_000)
    make_instance(lightsail)
    assert make_snapshot(lightsail)["state"] == "available"


def test_snapshot_takes_snapshot_seconds(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("settings", snapshotSeconds=0)
    make_instance(lightsail)
    assert make_snapshot(lightsail)["state"] == "available"


def test_snapshot_describes_its_instance(lightsail: Lightsail) -> None:
    instance = make_instance(lightsail)
    made = make_snapshot(lightsail)
    assert made["fromInstanceName"] == "web-1"
    assert made["fromInstanceArn"] == instance["arn"]
    assert made["fromBlueprintId"] == "ubuntu_24_04"
    assert made["fromBundleId"] == "small_3_0"
    assert made["sizeInGb"] == 60
    assert made["isFromAutoSnapshot"] is False
    assert made["location"] == {"availabilityZone": "all", "regionName": "eu-central-1"}
    assert made["arn"].startswith("arn:aws:lightsail:eu-central-1:123456789012:InstanceSnapshot/")


def test_snapshot_has_no_progress(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    assert "progress" not in make_snapshot(lightsail)


def test_snapshot_created_at_is_half_a_minute_after_the_request(endpoint: Endpoint, lightsail: Lightsail) -> None:
    now = datetime.fromisoformat(endpoint.control("state", "GET")["time"])
    make_instance(lightsail)
    created_at = make_snapshot(lightsail)["createdAt"].astimezone(UTC)
    assert abs(created_at - now - timedelta(seconds=30)) < timedelta(milliseconds=2)


def test_name_in_use_has_its_sub_code(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    make_snapshot(lightsail)
    error = error_from(lightsail.create_instance_snapshot, **CREATE)
    assert error == {
        "name": "InvalidInputException",
        "message": "Some names are already in use: snap-1",
        "code": "NameExists",
        "status": 400,
    }


def test_names_are_unique_across_all_types_of_resources(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    error = error_from(lightsail.create_instance_snapshot, instanceName="web-1", instanceSnapshotName="web-1")
    assert error["code"] == "NameExists"


def test_each_region_has_its_own_name_space(endpoint: Endpoint) -> None:
    for region in ("eu-central-1", "us-east-1", "ap-southeast-5"):
        lightsail = client(endpoint, region)
        make_instance(lightsail)
        assert f":{region}:" in make_snapshot(lightsail)["arn"]


def test_instance_is_not_found_in_another_region(endpoint: Endpoint) -> None:
    make_instance(client(endpoint, "us-east-1"))
    error = error_from(client(endpoint).create_instance_snapshot, **CREATE)
    assert (error["name"], error["code"]) == ("NotFoundException", "DoesNotExist")
    assert "does not exist" in error["message"]


def test_unknown_snapshot_is_not_found(lightsail: Lightsail) -> None:
    error = error_from(lightsail.get_instance_snapshot, instanceSnapshotName="nope")
    assert (error["name"], error["code"]) == ("NotFoundException", "DoesNotExist")


def test_delete_returns_one_finished_operation(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    make_snapshot(lightsail)
    (operation,) = lightsail.delete_instance_snapshot(instanceSnapshotName="snap-1")["operations"]
    assert (operation["isTerminal"], operation["status"]) == (True, "Succeeded")
    assert operation["operationType"] == "DeleteInstanceSnapshot"


def test_delete_keeps_the_instance_and_frees_the_name(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    make_snapshot(lightsail)
    lightsail.delete_instance_snapshot(instanceSnapshotName="snap-1")
    assert snapshot_names(lightsail) == []
    assert lightsail.get_instance(instanceName="web-1")["instance"]["name"] == "web-1"
    assert make_snapshot(lightsail)["state"] == "pending"


def test_delete_instance_keeps_its_snapshots(lightsail: Lightsail) -> None:
    instance = make_instance(lightsail)
    make_snapshot(lightsail)
    lightsail.delete_instance(instanceName="web-1")
    assert snapshot(lightsail)["fromInstanceArn"] == instance["arn"]


def test_instance_has_a_new_arn_when_its_name_is_reused(lightsail: Lightsail) -> None:
    first = make_instance(lightsail)
    lightsail.delete_instance(instanceName="web-1")
    assert make_instance(lightsail)["arn"] != first["arn"]


def test_create_accepts_a_stopped_instance(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    lightsail.stop_instance(instanceName="web-1")
    assert make_snapshot(lightsail)["state"] == "pending"


def test_create_fails_when_the_instance_is_changing_state(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("settings", instanceSeconds=30)
    make_instance(lightsail)
    error = error_from(lightsail.create_instance_snapshot, **CREATE)
    assert error["name"] == "OperationFailureException"
    assert "Please wait for it to complete before trying again" in error["message"]
    assert snapshot_names(lightsail) == []


def test_five_concurrent_creates_of_one_name_make_one_snapshot(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)

    def create(_number: int) -> str:
        try:
            return str(error_from(lightsail.create_instance_snapshot, **CREATE)["code"])
        except AssertionError:
            return "created"

    with ThreadPoolExecutor(5) as pool:
        outcomes = list(pool.map(create, range(5)))
    assert sorted(outcomes) == ["NameExists"] * 4 + ["created"]
    assert snapshot_names(client(endpoint)) == ["snap-1"]
