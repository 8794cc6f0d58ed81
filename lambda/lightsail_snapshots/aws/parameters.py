"""Parameters of AWS Systems Manager."""

import boto3

from lightsail_snapshots.aws import CONFIG
from lightsail_snapshots.aws.errors import translate_errors


def read_secret(name: str, region: str) -> str:
    """Return the decrypted value of a parameter, or raise an AwsError, whose text does not have it."""
    client = boto3.client("ssm", region_name=region, config=CONFIG)
    with translate_errors():
        return str(client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
