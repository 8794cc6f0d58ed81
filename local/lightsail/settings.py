"""The emulator's settings, which can change while it runs."""

from dataclasses import dataclass


@dataclass
class Settings:
    """Two stand for AWS behaviour that is not confirmed: a client must work with both values."""

    page_size: int = 20  # AWS's own is not documented
    snapshot_seconds: float = 60.0  # from request to available
    instance_seconds: float = 0.0  # from pending to running, from stopping to stopped
    status_check_seconds: float = 0.0  # from running to the first data point of the status checks
    copy_carries_tags: bool = False  # not confirmed
    dots_in_snapshot_names: bool = True  # not confirmed
    public_address: str = ""  # of new instances: see `probe_target`, which sets it; "": each has its own
