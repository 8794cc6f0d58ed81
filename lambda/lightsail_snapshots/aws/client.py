"""The clients of AWS's services, and the operations that they are used for."""

import logging
from collections.abc import Mapping
from functools import cache

from botocore.client import BaseClient
from botocore.config import Config
from botocore.session import Session

OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "events": ("PutEvents",),
    "lightsail": (
        "CopySnapshot",
        "CreateInstanceSnapshot",
        "DeleteInstanceSnapshot",
        "GetInstance",
        "GetInstanceSnapshot",
        "GetInstanceSnapshots",
        "GetInstances",
        "GetOperationsForResource",
        "TagResource",
    ),
}
"""All that is called here, by service: the bundled service models are trimmed to it."""


LONGEST_CALL = 16.0
"""Seconds that one call may take: two attempts of 2 s to connect and 5 s to be answered, and the wait between them."""


# botocore tells at INFO, in each cold start, where it found its credentials: not what a log of ours is read for.
logging.getLogger("botocore").setLevel(logging.WARNING)


# Explicit, because botocore's defaults differ between versions (legacy or standard mode) and wait a minute for an
# answer. A second attempt after a lost answer is harmless: the snapshot's name makes the repeat visible.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})


@cache
def _session() -> Session:
    """Return botocore's own session: boto3 adds S3 transfers and resources to it, and a tenth to a cold start."""
    return Session()


def client(service: str, region: str) -> BaseClient:
    return _session().create_client(service, region_name=region, config=_CONFIG)
