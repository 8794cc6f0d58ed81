"""One local AWS and one deployment for the whole folder: both together take about ten seconds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import cdk
from local.aws import local_aws
from local.speed_up import speed_up
from tests.e2e.deployment import Deployment


@pytest.fixture(scope="session")
def deployed() -> Iterator[Deployment]:
    with local_aws() as aws:
        cdk.bootstrap(aws)
        cdk.deploy(aws, plans=Path(__file__).with_name("plans.toml"))
        deployment = Deployment(aws, cdk.resources(aws))
        speed_up(aws, deployment.resources, retry_seconds=2, snapshot_seconds=1)
        # A cold start on a busy machine may take longer than the queue waits: it is had now.
        for function in ("CreateFunction", "FanOutFunction", "CopyFunction"):
            aws.client("lambda").invoke(FunctionName=deployment.resources[function], Payload=b"{}")
        deployment.open()
        yield deployment


@pytest.fixture
def stack(deployed: Deployment) -> Iterator[Deployment]:
    """The deployment, without the faults that a test has put into it afterwards."""
    yield deployed
    deployed.aws.control("DELETE", "/_lightsail/faults")
