"""Parameters of AWS Systems Manager."""

from lightsail_snapshots.aws.clients import make_client
from lightsail_snapshots.aws.errors import translate_errors


def read_secret(name: str, region: str) -> str:
    """Return the decrypted value of a parameter, or raise an AwsError, whose text does not have it."""
    client = make_client("ssm", region)
    with translate_errors():
        return str(client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
