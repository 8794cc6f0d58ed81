"""The first synth of a process takes seconds, later ones a tenth of one: all tests share these templates."""

import pytest

from tests.infra import plans
from tests.infra.synthesized import Synthesized, synthesize


@pytest.fixture(scope="session")
def template() -> Synthesized:
    """The stack with the plans.toml that ships: one daily plan."""
    return synthesize()


@pytest.fixture(scope="session")
def two_regions() -> Synthesized:
    """The stack in eu-central-1, deployed for instances there and in us-east-1."""
    return synthesize(plans.TWO_REGIONS)


@pytest.fixture(scope="session")
def with_copies() -> Synthesized:
    """The stack in eu-central-1, which copies to eu-west-1 and us-east-1."""
    return synthesize(plans.WITH_COPIES)


@pytest.fixture(scope="session")
def everything() -> Synthesized:
    """The stack with plans that use every part of it: schedules, triggers, copies, other accounts."""
    return synthesize(plans.EVERYTHING)


@pytest.fixture(scope="session")
def with_drill() -> Synthesized:
    """The stack in eu-central-1, which copies to eu-west-1, and has a plan with restore drills."""
    return synthesize(plans.WITH_DRILL)


@pytest.fixture(scope="session")
def with_drill_without_probe() -> Synthesized:
    """The same, with drills that only wait for a passing status check."""
    text = "".join(line for line in plans.WITH_DRILL.splitlines(keepends=True) if not line.startswith("probe"))
    return synthesize(text)
