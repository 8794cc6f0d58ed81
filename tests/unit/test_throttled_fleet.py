"""A fleet's requests while Lightsail throttles: benchmarks/throttled_fleet.py has the larger ones."""

import pytest

import tests.support.environment  # noqa: F401 - the functions read it when they are imported

# isort: split
from benchmarks.throttled_fleet import simulate


@pytest.mark.parametrize("is_one_bucket", [True, False], ids=["one bucket", "one for each operation"])
@pytest.mark.parametrize(("rate", "throttled"), [(3, 0.6), (5, 0.3), (20, 0.3)])
def test_throttled_fleet_loses_and_doubles_nothing(rate: float, throttled: float, is_one_bucket: bool) -> None:
    result = simulate(100, rate, is_one_bucket=is_one_bucket)
    assert (result.lost, result.doubled) == (0, 0)
    assert result.throttled <= throttled
    assert result.calls <= 2.5


def test_fleet_needs_two_calls_and_deliveries_each_when_nothing_is_throttled() -> None:
    result = simulate(100, 1000)
    assert (result.lost, result.doubled, result.throttled) == (0, 0, 0)
    assert (result.calls, result.deliveries) == (2.05, 2)
