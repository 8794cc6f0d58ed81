"""An instance snapshot as Lightsail shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lightsail_snapshots.naming import MANAGED_BY, MANAGED_BY_KEY


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One instance snapshot in one Region."""

    name: str
    arn: str
    region: str
    state: str
    """`pending`, `available` or `error`; a state that is not known here is never taken for a good or a bad one."""
    created_at: datetime
    """Lags the request by about half a minute (samples of the AWS CLI): never match by it."""
    instance_name: str
    """The name of the instance it was made from: names are used again, `instance_arn` tells instances apart."""
    instance_arn: str
    tags: Mapping[str, str]

    @property
    def is_ours(self) -> bool:
        """Whether lightsail-snapshots made it: the `managed-by` tag says so, and nothing else."""
        return self.tags.get(MANAGED_BY_KEY) == MANAGED_BY
