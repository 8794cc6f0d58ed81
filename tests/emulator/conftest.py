"""The endpoints as fixtures. A test that takes `endpoint` or `lightsail` runs once through each of the three."""

from collections.abc import Iterator

import pytest

from local.lightsail.control import settings
from local.lightsail.emulator import Emulator
from tests.emulator.endpoints import (
    Endpoint,
    HttpEndpoint,
    Lightsail,
    MotoEndpoint,
    client,
    gateway,
    moto_endpoint,
    server_endpoint,
)

DEFAULTS = settings(Emulator()) | {"speed": 0}
"""Time moves only when a test advances it."""


@pytest.fixture(scope="session")
def shared_ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpEndpoint]:
    """MiniStack takes two seconds to start, so all tests share one."""
    with gateway(tmp_path_factory.mktemp("ministack")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def shared_server() -> Iterator[HttpEndpoint]:
    with server_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def ministack(shared_ministack: HttpEndpoint) -> HttpEndpoint:
    """MiniStack's gateway with an empty emulator."""
    shared_ministack.control("reset")
    shared_ministack.control("settings", **DEFAULTS)
    return shared_ministack


@pytest.fixture
def server(shared_server: HttpEndpoint) -> HttpEndpoint:
    """The server with an empty emulator."""
    shared_server.control("reset")
    shared_server.control("settings", **DEFAULTS)
    return shared_server


@pytest.fixture
def moto() -> Iterator[MotoEndpoint]:
    """mock_aws with an empty emulator."""
    with moto_endpoint() as endpoint:
        endpoint.control("settings", **DEFAULTS)
        yield endpoint


@pytest.fixture(params=["moto", "server", "ministack"])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    """Each endpoint in turn, with an empty emulator and a stopped clock."""
    fixture: Endpoint = request.getfixturevalue(request.param)
    return fixture


@pytest.fixture
def lightsail(endpoint: Endpoint) -> Lightsail:
    """A client of the first Region."""
    return client(endpoint)
