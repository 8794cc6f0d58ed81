"""The first synth of a process takes seconds, later ones a tenth of one: all tests share these templates."""

import pytest

from tests.infra.synthesized import Synthesized, synthesize


@pytest.fixture(scope="session")
def template() -> Synthesized:
    """The stack as it is deployed when nobody sets anything."""
    return synthesize()


@pytest.fixture(scope="session")
def two_regions() -> Synthesized:
    """The stack in eu-central-1, deployed for instances there and in us-east-1."""
    return synthesize(regions=["eu-central-1", "us-east-1"])


@pytest.fixture(scope="session")
def with_copies() -> Synthesized:
    """The stack in eu-central-1, which copies to eu-west-1 and us-east-1."""
    return synthesize(regions=["eu-central-1", "us-west-2"], copy_regions=["eu-west-1", "us-east-1"])
