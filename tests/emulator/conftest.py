"""The doors as fixtures: a test that takes `door` runs through all three."""

from collections.abc import Iterator

import pytest

from tests.emulator.endpoints import Endpoint, HttpEndpoint, Lightsail, client, gateway, moto_endpoint, server_endpoint

DEFAULTS = {
    "pageSize": 20,
    "snapshotSeconds": 60,
    "instanceSeconds": 0,
    "copyCarriesTags": False,
    "dotsInSnapshotNames": True,
    "speed": 0,  # time stands still, and moves only where a test advances it
}


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpEndpoint]:
    """MiniStack's gateway, with whatever earlier tests left in it."""
    with gateway(tmp_path_factory.mktemp("ministack")) as endpoint:
        yield endpoint


@pytest.fixture
def ministack_endpoint(ministack: HttpEndpoint) -> HttpEndpoint:
    """MiniStack's gateway with nothing in the emulator."""
    ministack.tell("reset")
    ministack.tell("settings", **DEFAULTS)
    return ministack


@pytest.fixture(params=["moto", "server", "ministack"])
def endpoint(request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    """Each door in turn, fresh, with the clock stopped."""
    if request.param == "ministack":
        yield request.getfixturevalue("ministack_endpoint")
        return
    with moto_endpoint() if request.param == "moto" else server_endpoint() as fresh:
        fresh.tell("settings", **DEFAULTS)
        yield fresh


@pytest.fixture
def lightsail(endpoint: Endpoint) -> Lightsail:
    """A client of the first Region."""
    return client(endpoint)
