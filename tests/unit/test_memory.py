"""The memory that a listing and its decisions need: 280,000 snapshots must fit into the function."""

from benchmarks.retention import BYTES_EACH, bytes_each


def test_listing_and_decisions_need_at_most_their_bytes_for_each_snapshot() -> None:
    assert bytes_each(4_000) < BYTES_EACH
