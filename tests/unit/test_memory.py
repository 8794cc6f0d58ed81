"""What decisions cost: 280,000 snapshots must fit into the memory, and a longer list takes no more calls for each."""

import pytest

from benchmarks.retention import BYTES_EACH, bytes_each, calls, listing

SHAPES = pytest.mark.parametrize("per_instance", [50, 10**9], ids=["50 of each instance", "all of one instance"])
CALLS_EACH = 60


@SHAPES
def test_listing_and_decisions_need_at_most_their_bytes_for_each_snapshot(per_instance: int) -> None:
    assert bytes_each(4_000, per_instance) < BYTES_EACH


@SHAPES
def test_decisions_take_as_many_calls_for_each_snapshot_if_there_are_more(per_instance: int) -> None:
    few, many = (calls(listing(size, per_instance)) / size for size in (4_000, 16_000))
    assert many <= min(CALLS_EACH, 1.02 * few)
