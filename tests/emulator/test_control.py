"""The control API."""

import pytest

from tests.emulator.builders import make_instance, make_snapshot
from tests.emulator.endpoints import Endpoint, client


def test_state_lists_resources_by_account_and_region(endpoint: Endpoint) -> None:
    lightsail = client(endpoint)
    make_instance(lightsail)
    make_snapshot(lightsail)
    assert endpoint.control("state", "GET")["accounts"]["123456789012"] == {
        "eu-central-1": {
            "instances": {"web-1": "running"},
            "staticIps": {},
            "instanceSnapshots": {"snap-1": "pending"},
            "operations": 3,
        }
    }


def test_reset_deletes_resources_and_faults(endpoint: Endpoint) -> None:
    lightsail = client(endpoint)
    make_instance(lightsail)
    endpoint.control("faults", fault="throttle")
    endpoint.control("reset")
    assert lightsail.get_instances()["instances"] == []


def test_settings_returns_all_settings_after_changing_one(endpoint: Endpoint) -> None:
    before = endpoint.control("settings", "GET")
    assert endpoint.control("settings", snapshotSeconds=5) == {**before, "snapshotSeconds": 5}


def test_clock_starts_in_the_past_while_there_are_no_resources(endpoint: Endpoint) -> None:
    endpoint.control("reset")
    now = endpoint.control("clock", advance=0)["time"]
    assert endpoint.control("clock", time="2020-02-29T03:15:00Z")["time"].startswith("2020-02-29T03:15:0")
    lightsail = client(endpoint)
    make_instance(lightsail)
    assert lightsail.get_instances()["instances"][0]["createdAt"].year == 2020
    with pytest.raises(ValueError, match="while there are no resources"):
        endpoint.control("clock", time=now)
    endpoint.control("reset")
    endpoint.control("clock", time=now)


def test_control_api_rejects_wrong_values_and_says_why(endpoint: Endpoint) -> None:
    wrong: list[tuple[str, dict[str, object], str]] = [
        ("faults", {"fault": "gremlins"}, "No such fault: gremlins. There are: throttle,"),
        ("faults", {}, "No such fault"),
        ("faults", {"fault": "slow", "seconds": "long"}, "seconds = 'long'"),
        ("faults", {"fault": "slow", "colour": "red"}, "colour"),
        ("settings", {"pagesize": 3}, "pagesize"),
        ("settings", {"pageSize": 2.5}, "pageSize cannot be 2.5"),
        ("settings", {"speed": -1}, "speed cannot be -1"),
        ("settings", {"copyCarriesTags": 1}, "copyCarriesTags"),
        ("clock", {"advance": -1}, "advance"),
        ("clock", {"time": "yesterday"}, "yesterday must be a time"),
        ("nonsense", {}, "There is no POST /_lightsail/nonsense"),
    ]
    for path, body, words in wrong:
        with pytest.raises(ValueError, match=words):
            endpoint.control(path, **body)


def test_settings_change_nothing_when_one_is_wrong(endpoint: Endpoint) -> None:
    before = endpoint.control("settings", "GET")
    with pytest.raises(ValueError, match="colour"):
        endpoint.control("settings", pageSize=3, colour="red")
    assert endpoint.control("settings", "GET") == before
