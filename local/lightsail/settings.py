"""What can be set about the emulator while it runs, beside its clock's speed and its faults."""

from dataclasses import dataclass


@dataclass
class Settings:
    """The last two are what nobody has confirmed about AWS: a client should be right with either value."""

    page_size: int = 20  # AWS's own is not documented
    snapshot_seconds: float = 60.0  # from request to available
    instance_seconds: float = 0.0  # from pending to running, from stopping to stopped
    copy_carries_tags: bool = False
    dots_in_snapshot_names: bool = True
