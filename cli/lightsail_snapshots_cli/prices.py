"""What AWS charges."""

DOLLARS_PER_GB = 0.05
"""A month of a snapshot's data, in every Region: Lightsail FAQ, on snapshots."""
