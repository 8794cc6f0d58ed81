"""One local AWS with one deployment for all tests of this folder, since both take about ten seconds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import cdk
from local.aws import LocalAws, local_aws
from local.speed_up import speed_up
from tests.e2e.deployment import Deployment


@pytest.fixture(scope="session")
def deployed() -> Iterator[Deployment]:
    with local_aws() as aws:
        cdk.bootstrap(aws)
        cdk.deploy(aws, plans=_write_plans(aws))
        deployment = Deployment(aws, cdk.resources(aws))
        speed_up(aws, deployment.resources, retry_seconds=2, snapshot_seconds=1)
        # A cold start on a busy machine can take longer than the visibility timeout, so it comes before the tests.
        for function in ("CreateFunction", "FanOutFunction", "CopyFunction", "DrillFunction"):
            aws.client("lambda").invoke(FunctionName=deployment.resources[function], Payload=b"{}")
        deployment.subscribe()
        yield deployment


def _write_plans(aws: LocalAws) -> Path:
    """Write plans.toml with the port of a server that stands for what the instances serve; return its path."""
    port = aws.control("POST", "/_lightsail/probe-target", {"port": 0})["port"]
    text = Path(__file__).with_name("plans.toml").read_text(encoding="utf-8")
    path = aws.directory / "plans.toml"
    path.write_text(text.replace("port = 8080", f"port = {port}"), encoding="utf-8")
    return path


@pytest.fixture
def stack(deployed: Deployment) -> Iterator[Deployment]:
    """The deployment; the faults of a test end with it."""
    yield deployed
    deployed.aws.control("DELETE", "/_lightsail/faults")
