"""The only place that touches the AWS SDK. This module has what all of its clients share."""

import logging
from collections.abc import Mapping

from botocore.config import Config

OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "cloudwatch": ("DescribeAlarms",),
    "events": ("PutEvents",),
    "lightsail": (
        "CloseInstancePublicPorts",
        "CopySnapshot",
        "CreateInstanceSnapshot",
        "CreateInstancesFromSnapshot",
        "DeleteInstance",
        "DeleteInstanceSnapshot",
        "GetBundles",
        "GetInstance",
        "GetInstanceMetricData",
        "GetInstanceSnapshot",
        "GetInstanceSnapshots",
        "GetInstances",
        "GetOperationsForResource",
        "OpenInstancePublicPorts",
        "TagResource",
    ),
    "logs": ("FilterLogEvents",),
    "sqs": ("ChangeMessageVisibilityBatch", "SendMessage"),
    "sns": ("Publish",),
    "ssm": ("GetParameter",),
}
"""All operations that the functions call, by service. The asset has the service models of these alone."""

CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 2},
    user_agent="lightsail-snapshots",
)
"""Explicit, because the SDK's defaults differ between versions (legacy or standard retries) and wait a minute for an
answer. A second attempt after a lost answer is harmless: the snapshot's name shows that it is a repeat."""

SINGLE_ATTEMPT = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
"""For what a queue retries anyway, and for what counts each throttled call."""

LONGEST_CALL = 16.0
"""Seconds that one call may take: two attempts of 2 s to connect and 5 s to be answered, and the wait between them."""

# At INFO, botocore logs in each cold start where it found its credentials: of no use in a function's log.
logging.getLogger("botocore").setLevel(logging.WARNING)
