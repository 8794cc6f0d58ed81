"""The control door: what it takes, what it tells, what it refuses."""

import pytest

from tests.emulator.builders import make_instance, make_snapshot
from tests.emulator.endpoints import Endpoint, client


def test_the_state_shows_resources_by_account_and_region(endpoint: Endpoint) -> None:
    lightsail = client(endpoint)
    make_instance(lightsail)
    make_snapshot(lightsail)
    assert endpoint.tell("state", "GET")["accounts"]["123456789012"] == {
        "eu-central-1": {
            "instances": {"web-1": "running"},
            "instanceSnapshots": {"snap-1": "pending"},
            "operations": 3,
        }
    }


def test_a_reset_forgets_resources_and_faults(endpoint: Endpoint) -> None:
    lightsail = client(endpoint)
    make_instance(lightsail)
    endpoint.tell("faults", fault="throttle")
    endpoint.tell("reset")
    assert lightsail.get_instances()["instances"] == []


def test_settings_are_answered_whole_and_change_only_where_told(endpoint: Endpoint) -> None:
    before = endpoint.tell("settings", "GET")
    assert endpoint.tell("settings", snapshotSeconds=5) == {**before, "snapshotSeconds": 5}


def test_the_clock_can_begin_in_the_past_while_there_is_nothing(endpoint: Endpoint) -> None:
    endpoint.tell("reset")
    now = endpoint.tell("clock", advance=0)["time"]
    assert endpoint.tell("clock", time="2020-02-29T03:15:00Z")["time"].startswith("2020-02-29T03:15:0")
    lightsail = client(endpoint)
    make_instance(lightsail)
    assert lightsail.get_instances()["instances"][0]["createdAt"].year == 2020
    with pytest.raises(ValueError, match="while there is nothing"):
        endpoint.tell("clock", time=now)
    endpoint.tell("reset")
    endpoint.tell("clock", time=now)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("faults", {"fault": "gremlins"}, "No such fault: gremlins. There are: throttle,"),
        ("faults", {}, "No such fault"),
        ("faults", {"fault": "slow", "seconds": "long"}, "seconds = 'long'"),
        ("faults", {"fault": "slow", "colour": "red"}, "colour"),
        ("settings", {"pagesize": 3}, "pagesize"),
        ("settings", {"pageSize": 0}, "pageSize cannot be 0"),
        ("settings", {"pageSize": 2.5}, "pageSize cannot be 2.5"),
        ("settings", {"speed": -1}, "speed cannot be -1"),
        ("settings", {"copyCarriesTags": 1}, "copyCarriesTags"),
        ("settings", {"snapshotSeconds": "soon"}, "snapshotSeconds"),
        ("clock", {}, "advance"),
        ("clock", {"advance": -1}, "advance"),
        ("clock", {"time": "yesterday"}, "yesterday is no time"),
        ("nonsense", {}, "There is no POST /_lightsail/nonsense"),
    ],
)
def test_what_it_does_not_understand_it_refuses_and_says_why(
    endpoint: Endpoint, path: str, body: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        endpoint.tell(path, **body)


def test_a_change_that_is_refused_in_part_changes_nothing(endpoint: Endpoint) -> None:
    before = endpoint.tell("settings", "GET")
    with pytest.raises(ValueError, match="colour"):
        endpoint.tell("settings", pageSize=3, colour="red")
    assert endpoint.tell("settings", "GET") == before
