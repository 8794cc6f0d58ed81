"""A fake AWS with a deployment, whose functions run whenever a command waits."""

from collections.abc import Iterator
from contextlib import ExitStack
from unittest.mock import patch

import pytest

from tests.support.command_line import CommandLine
from tests.support.fake_aws import fake_aws


@pytest.fixture
def commands() -> Iterator[CommandLine]:
    with fake_aws(at=None) as aws, ExitStack() as patches:
        found = CommandLine(aws)
        for target, replacement in found.replacements().items():
            patches.enter_context(patch(f"lightsail_snapshots_cli.{target}", replacement))
        yield found
