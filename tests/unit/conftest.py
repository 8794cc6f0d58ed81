"""A small AWS for each test that asks for one."""

from collections.abc import Iterator

import pytest

from tests.support.fake_aws import FakeAws, world


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    """An AWS in which messages are delivered to `create`."""
    with world() as here:
        yield here
