"""Makes the deployed stack and the emulator fast enough to watch."""

from collections.abc import Mapping

from local.aws import LocalAws


def speed_up(aws: LocalAws, resources: Mapping[str, str], retry_seconds: float, snapshot_seconds: float) -> None:
    """Shorten the time between retries and the time that a snapshot takes: on AWS, both are minutes.

    A stack whose plans copy nothing has no copy queue.
    """
    for queue in {"CreateQueue", "CopyQueue"} & resources.keys():
        aws.client("sqs").set_queue_attributes(
            QueueUrl=resources[queue], Attributes={"VisibilityTimeout": str(retry_seconds)}
        )
    aws.control("POST", "/_lightsail/settings", {"snapshotSeconds": snapshot_seconds})
