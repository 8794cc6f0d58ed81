"""The emulator's settings, which can change while it runs."""

from dataclasses import dataclass


@dataclass
class Settings:
    """How fast things happen; then AWS behaviour that is not confirmed: a client must work with both values."""

    page_size: int = 20  # AWS's own is not documented
    snapshot_seconds: float = 60.0  # from request to available
    instance_seconds: float = 0.0  # from pending to running, from stopping to stopped
    status_check_seconds: float = 0.0  # from running to the first data point of the status checks
    name_free_seconds: float = 0.0  # from the deletion of a resource until its name is free
    public_address: str = ""  # of new instances: see `probe_target`, which sets it; "": each has its own

    snapshots_while_changing: bool = False  # of an instance that is pending or stopping
    snapshots_while_stopped: bool = True
    several_snapshots_at_once: bool = True  # of one instance
    dots_in_snapshot_names: bool = True
    key_only_tags: bool = True  # on a snapshot
    deletes_pending_snapshots: bool = True
    copies_pending_snapshots: bool = False
    copy_carries_tags: bool = False
    copy_knows_instance: bool = True
    copy_names_source: bool = True  # in its operation
    restore_keeps_ports: bool = False
    ports_while_pending: bool = True
    default_key_pair_has_name: bool = False  # in requests
    keeps_operations: bool = True  # of what was deleted
    newest_regions: bool = True  # in GetRegions
    create_needs_tag_resource: bool = False  # IAM, if the request has tags
    restore_needs_tag_resource: bool = False
    instance_tags_decide: bool = True  # IAM, on CreateInstanceSnapshot
