"""Makes the deployed stack and the emulator fast enough to watch."""

from collections.abc import Mapping

from local.aws import LocalAws


def speed_up(aws: LocalAws, resources: Mapping[str, str], retry_seconds: int, snapshot_seconds: float) -> None:
    """Shorten the time between retries and the time that a snapshot takes: on AWS, both are minutes."""
    for name in [each for each in ("Create", "Copy", "Drill") if f"{each}Queue" in resources]:
        aws.client("sqs").set_queue_attributes(
            QueueUrl=resources[f"{name}Queue"], Attributes={"VisibilityTimeout": str(retry_seconds)}
        )
        set_variable(aws, resources[f"{name}Function"], "FIRST_RETRY_SECONDS", str(retry_seconds))
    aws.control("POST", "/_lightsail/settings", {"snapshotSeconds": snapshot_seconds})


def set_variable(aws: LocalAws, function: str, name: str, value: str) -> None:
    """Set one environment variable of a deployed function."""
    client = aws.client("lambda")
    variables = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"] | {name: value}
    client.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
