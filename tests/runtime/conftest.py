"""The asset as it is deployed, and an AWS for it: the Lightsail emulator and a bus, both by HTTP."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.asset.build import build_asset
from local.lambda_runtime import Function, install
from local.lightsail.server import serving
from tests.runtime.aws import Aws, bus

HANDLER = "lightsail_snapshots.create.handler"

Start = Callable[..., Function]
Log = Callable[[], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def asset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The asset."""
    folder = tmp_path_factory.mktemp("asset")
    build_asset(folder)
    return folder


@pytest.fixture(scope="session")
def runtime_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AWS's runtime client."""
    folder = tmp_path_factory.mktemp("runtime")
    install(folder)
    return folder


@pytest.fixture
def aws() -> Iterator[Aws]:
    """An AWS with one instance."""
    with serving() as lightsail, bus() as (bus_url, events):
        world = Aws(lightsail, bus_url, events)
        world.make_instance("web-1")
        yield world


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """The lines of the functions' log so far, all of which are JSON."""
    return lambda: [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]


@pytest.fixture
def start(asset: Path, runtime_client: Path, tmp_path: Path) -> Iterator[Start]:
    """Make functions: `start(environment)`; by default of the asset and its handler. The log is `tmp_path / "log"`."""
    made: list[Function] = []

    def function(environment: dict[str, str], handler: str = HANDLER, folder: Path = asset, **more: Any) -> Function:
        made.append(
            Function(
                asset=folder,
                runtime_client=runtime_client,
                handler=handler,
                environment=environment,
                log=tmp_path / "log",
                **more,
            )
        )
        return made[-1]

    yield function
    for one in made:
        one.end()
