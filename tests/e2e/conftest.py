"""One local AWS with one deployment for all tests of this folder, since both take about ten seconds."""

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
        # A cold start on a busy machine can take longer than the visibility timeout, so it comes before the tests.
        for function in ("CreateFunction", "FanOutFunction", "CopyFunction", "DrillFunction"):
            aws.client("lambda").invoke(FunctionName=deployment.resources[function], Payload=b"{}")
        deployment.subscribe()
        yield deployment


@pytest.fixture
def stack(deployed: Deployment) -> Iterator[Deployment]:
    """The deployment; the faults of a test end with it."""
    yield deployed
    deployed.aws.control("DELETE", "/_lightsail/faults")
