"""The doors as fixtures: a test that takes `door` runs through all three."""

from collections.abc import Iterator

import pytest

from tests.emulator.endpoints import Door, HttpDoor, Lightsail, client, gateway, moto_door, server_door

DEFAULTS = {
    "pageSize": 20,
    "snapshotSeconds": 60,
    "instanceSeconds": 0,
    "copyCarriesTags": False,
    "dotsInSnapshotNames": True,
    "speed": 0,  # time stands still, and moves only where a test advances it
}


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpDoor]:
    """MiniStack's gateway, with whatever earlier tests left in it."""
    with gateway(tmp_path_factory.mktemp("ministack")) as door:
        yield door


@pytest.fixture
def ministack_door(ministack: HttpDoor) -> HttpDoor:
    """MiniStack's gateway with nothing in the emulator."""
    ministack.tell("reset")
    ministack.tell("settings", **DEFAULTS)
    return ministack


@pytest.fixture(params=["moto", "server", "ministack"])
def door(request: pytest.FixtureRequest) -> Iterator[Door]:
    """Each door in turn, fresh, with the clock stopped."""
    if request.param == "ministack":
        yield request.getfixturevalue("ministack_door")
        return
    with moto_door() if request.param == "moto" else server_door() as fresh:
        fresh.tell("settings", **DEFAULTS)
        yield fresh


@pytest.fixture
def lightsail(door: Door) -> Lightsail:
    """A client of the first Region."""
    return client(door)
