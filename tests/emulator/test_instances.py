"""Instances, their states, and their automatic snapshots."""

from datetime import datetime, timedelta

import pytest

from tests.emulator.builders import CREATE, error_of, make_instance, make_snapshot, snapshot_names
from tests.emulator.endpoints import Endpoint, Lightsail


def state(lightsail: Lightsail) -> tuple[int, str]:
    """Code and name of the state of web-1."""
    found = lightsail.get_instance_state(instanceName="web-1")["state"]
    return found["code"], found["name"]


def move_to(endpoint: Endpoint, time_of_day: str) -> None:
    """Let time pass until it is this time (UTC) the next time."""
    now = datetime.fromisoformat(endpoint.tell("state", "GET")["time"])
    hour, minute = map(int, time_of_day.split(":"))
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    endpoint.tell("clock", advance=((then - now) % timedelta(days=1)).total_seconds())


def enable(lightsail: Lightsail, time_of_day: str = "06:00") -> None:
    """Automatic snapshots of web-1, at this hour."""
    add_on = {"addOnType": "AutoSnapshot", "autoSnapshotAddOnRequest": {"snapshotTimeOfDay": time_of_day}}
    lightsail.enable_add_on(resourceName="web-1", addOnRequest=add_on)


def automatic(lightsail: Lightsail) -> list[str]:
    """The states of web-1's automatic snapshots, newest first."""
    found = lightsail.get_auto_snapshots(resourceName="web-1")["autoSnapshots"]
    return [str(one["status"]) for one in found]


def test_an_instance_has_a_zone_an_arn_and_its_tags(lightsail: Lightsail) -> None:
    made = make_instance(lightsail, tags=[{"key": "backup", "value": "daily"}])
    assert made["location"] == {"availabilityZone": "eu-central-1a", "regionName": "eu-central-1"}
    assert made["arn"].startswith("arn:aws:lightsail:eu-central-1:123456789012:Instance/")
    assert made["tags"] == [{"key": "backup", "value": "daily"}]
    assert made["addOns"] == []


def test_several_instances_are_all_made_or_none(lightsail: Lightsail) -> None:
    make_instance(lightsail, "web-1")
    error = error_of(make_instance, lightsail=lightsail, instanceNames=["web-0", "web-1"])
    assert error["code"] == "NameExists"
    assert lightsail.get_active_names()["activeNames"] == ["web-1"]


@pytest.mark.parametrize("names", [[], ["web-1", "web-1"], ["a b"]])
def test_instances_need_good_names_each_once(lightsail: Lightsail, names: list[str]) -> None:
    assert error_of(make_instance, lightsail=lightsail, instanceNames=names)["name"] == "InvalidInputException"


def test_a_zone_of_another_region_is_refused(lightsail: Lightsail) -> None:
    error = error_of(make_instance, lightsail=lightsail, availabilityZone="us-east-1a")
    assert error["name"] == "InvalidInputException"


def test_states_move_with_time_from_pending_to_running_to_stopped_and_back(
    endpoint: Endpoint, lightsail: Lightsail
) -> None:
    endpoint.tell("settings", instanceSeconds=30)
    make_instance(lightsail)
    seen = [state(lightsail)]
    endpoint.tell("clock", advance=30)
    seen.append(state(lightsail))
    for move in (lightsail.stop_instance, lightsail.start_instance):
        move(instanceName="web-1")
        seen.append(state(lightsail))
        endpoint.tell("clock", advance=30)
        seen.append(state(lightsail))
    assert seen == [
        (0, "pending"),
        (16, "running"),
        (64, "stopping"),
        (80, "stopped"),
        (0, "pending"),
        (16, "running"),
    ]


def test_an_instance_on_its_way_cannot_be_stopped(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.tell("settings", instanceSeconds=30)
    make_instance(lightsail)
    assert error_of(lightsail.stop_instance, instanceName="web-1")["name"] == "OperationFailureException"


def test_starting_a_running_instance_changes_nothing(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    lightsail.start_instance(instanceName="web-1")
    assert state(lightsail) == (16, "running")


def test_the_add_on_shows_with_its_hour(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    enable(lightsail, "04:00")
    (add_on,) = lightsail.get_instance(instanceName="web-1")["instance"]["addOns"]
    assert (add_on["name"], add_on["status"]) == ("AutoSnapshot", "Enabled")
    assert add_on["snapshotTimeOfDay"] == add_on["nextSnapshotTimeOfDay"] == "04:00"


def test_the_hour_is_the_regions_own_where_none_is_given(lightsail: Lightsail) -> None:
    made = make_instance(lightsail, addOns=[{"addOnType": "AutoSnapshot"}])
    assert made["addOns"][0]["snapshotTimeOfDay"] == "20:00"


def test_only_full_hours_are_taken(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    add_on = {"addOnType": "AutoSnapshot", "autoSnapshotAddOnRequest": {"snapshotTimeOfDay": "06:30"}}
    error = error_of(lightsail.enable_add_on, resourceName="web-1", addOnRequest=add_on)
    assert error["name"] == "InvalidInputException"


def test_manual_snapshots_are_refused_while_an_automatic_one_is_made(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    enable(lightsail)
    move_to(endpoint, "06:00")
    assert automatic(lightsail) == ["InProgress"]
    error = error_of(lightsail.create_instance_snapshot, **CREATE)
    assert "when an automatic snapshot is being created" in error["message"]
    endpoint.tell("clock", advance=45 * 60 - 1)
    assert automatic(lightsail) == ["InProgress"]
    endpoint.tell("clock", advance=1)
    assert automatic(lightsail) == ["Success"]
    assert make_snapshot(lightsail)["state"] == "pending"


def test_an_automatic_snapshot_of_one_instance_holds_up_no_other(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    make_instance(lightsail, "web-2")
    enable(lightsail)
    move_to(endpoint, "06:00")
    assert make_snapshot(lightsail, instance="web-2")["state"] == "pending"


def test_seven_automatic_snapshots_are_kept_and_none_is_among_the_manual_ones(
    endpoint: Endpoint, lightsail: Lightsail
) -> None:
    make_instance(lightsail)
    enable(lightsail)
    move_to(endpoint, "12:00")
    endpoint.tell("clock", advance=9 * 86400)
    assert automatic(lightsail) == ["Success"] * 7
    assert snapshot_names(lightsail) == []


def test_automatic_snapshots_stay_when_the_add_on_is_disabled(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    enable(lightsail)
    move_to(endpoint, "12:00")
    endpoint.tell("clock", advance=86400)
    before = automatic(lightsail)
    lightsail.disable_add_on(resourceName="web-1", addOnType="AutoSnapshot")
    endpoint.tell("clock", advance=5 * 86400)
    assert lightsail.get_instance(instanceName="web-1")["instance"]["addOns"] == []
    assert automatic(lightsail) == before != []


def test_automatic_snapshots_die_with_their_instance(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    enable(lightsail)
    endpoint.tell("clock", advance=2 * 86400)
    lightsail.delete_instance(instanceName="web-1")
    make_instance(lightsail)
    assert automatic(lightsail) == []


def test_the_other_add_on_is_refused_by_name(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    error = error_of(lightsail.disable_add_on, resourceName="web-1", addOnType="StopInstanceOnIdle")
    assert error["code"] == "UnsupportedOperation"
    assert "StopInstanceOnIdle" in error["message"]
