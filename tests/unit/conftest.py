"""A fake AWS for each test that asks for one."""

from collections.abc import Iterator

import pytest

from tests.support.fake_aws import FakeAws, fake_aws


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    """A fake AWS that delivers messages to `create`."""
    with fake_aws(at=None) as here:
        yield here
