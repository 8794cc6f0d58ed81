"""Instances and their states."""

from tests.emulator.builders import error_from, make_instance
from tests.emulator.endpoints import Endpoint, Lightsail


def state(lightsail: Lightsail) -> tuple[int, str]:
    """Code and name of the state of web-1."""
    found = lightsail.get_instance_state(instanceName="web-1")["state"]
    return found["code"], found["name"]


def test_instance_has_a_zone_an_arn_and_its_tags(lightsail: Lightsail) -> None:
    made = make_instance(lightsail, tags=[{"key": "backup", "value": "daily"}])
    assert made["location"] == {"availabilityZone": "eu-central-1a", "regionName": "eu-central-1"}
    assert made["arn"].startswith("arn:aws:lightsail:eu-central-1:123456789012:Instance/")
    assert made["tags"] == [{"key": "backup", "value": "daily"}]
    assert made["addOns"] == []


def test_create_instances_creates_all_or_none(lightsail: Lightsail) -> None:
    make_instance(lightsail, "web-1")
    error = error_from(make_instance, lightsail=lightsail, instanceNames=["web-0", "web-1"])
    assert error["code"] == "NameExists"
    assert lightsail.get_active_names()["activeNames"] == ["web-1"]


def test_create_instances_rejects_bad_and_repeated_names(lightsail: Lightsail) -> None:
    names: list[list[str]] = [[], ["web-1", "web-1"], ["a b"]]
    for wrong in names:
        assert error_from(make_instance, lightsail=lightsail, instanceNames=wrong)["name"] == "InvalidInputException"


def test_create_instances_rejects_a_zone_of_another_region(lightsail: Lightsail) -> None:
    error = error_from(make_instance, lightsail=lightsail, availabilityZone="us-east-1a")
    assert error["name"] == "InvalidInputException"


def test_instance_state_changes_with_time(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("settings", instanceSeconds=30)
    make_instance(lightsail)
    seen = [state(lightsail)]
    endpoint.control("clock", advance=30)
    seen.append(state(lightsail))
    for move in (lightsail.stop_instance, lightsail.start_instance):
        move(instanceName="web-1")
        seen.append(state(lightsail))
        endpoint.control("clock", advance=30)
        seen.append(state(lightsail))
    assert seen == [
        (0, "pending"),
        (16, "running"),
        (64, "stopping"),
        (80, "stopped"),
        (0, "pending"),
        (16, "running"),
    ]


def test_stop_fails_when_the_instance_is_changing_state(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("settings", instanceSeconds=30)
    make_instance(lightsail)
    assert error_from(lightsail.stop_instance, instanceName="web-1")["name"] == "OperationFailureException"


def test_start_does_nothing_when_the_instance_is_running(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    lightsail.start_instance(instanceName="web-1")
    assert state(lightsail) == (16, "running")


def test_instance_has_the_add_on_of_its_request(lightsail: Lightsail) -> None:
    add_on = {"addOnType": "AutoSnapshot", "autoSnapshotAddOnRequest": {"snapshotTimeOfDay": "04:00"}}
    assert make_instance(lightsail, addOns=[add_on])["addOns"] == [
        {"name": "AutoSnapshot", "status": "Enabled", "snapshotTimeOfDay": "04:00", "nextSnapshotTimeOfDay": "04:00"}
    ]


def test_add_on_rejects_a_time_that_is_not_a_full_hour(lightsail: Lightsail) -> None:
    add_on = {"addOnType": "AutoSnapshot", "autoSnapshotAddOnRequest": {"snapshotTimeOfDay": "06:30"}}
    error = error_from(make_instance, lightsail=lightsail, addOns=[add_on])
    assert error["name"] == "InvalidInputException"
    assert lightsail.get_active_names()["activeNames"] == []


def test_add_on_of_another_type_is_rejected_by_name(lightsail: Lightsail) -> None:
    error = error_from(make_instance, lightsail=lightsail, addOns=[{"addOnType": "StopInstanceOnIdle"}])
    assert error["code"] == "UnsupportedOperation"
    assert "StopInstanceOnIdle" in error["message"]


def test_instance_has_the_hardware_of_its_bundle(lightsail: Lightsail) -> None:
    made = make_instance(lightsail, bundleId="medium_3_0")
    assert (made["hardware"]["cpuCount"], made["hardware"]["ramSizeInGb"]) == (2, 4.0)
    assert [disk["sizeInGb"] for disk in made["hardware"]["disks"]] == [80]
    assert made["networking"]["monthlyTransfer"] == {"gbPerMonthAllocated": 4096}


def test_create_instances_rejects_an_unknown_blueprint(lightsail: Lightsail) -> None:
    error = error_from(make_instance, lightsail=lightsail, blueprintId="ubuntu")
    assert error["message"].startswith("There is no blueprint ubuntu. The blueprints are amazon_linux_2023,")


def test_instances_have_different_addresses(lightsail: Lightsail) -> None:
    made = [make_instance(lightsail, name) for name in ("web-1", "web-2")]
    assert len({one["publicIpAddress"] for one in made}) == 2
    assert len({one["ipv6Addresses"][0] for one in made}) == 2
