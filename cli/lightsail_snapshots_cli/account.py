"""The AWS account and Region of the user's credentials; `python -m lightsail_snapshots_cli.account` shows them."""

import os
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError


class NotSignedInError(Exception):
    """Raised if AWS cannot be called; the text is one line for the person who asked."""


def main() -> int:
    """Print account and Region; return 1 if there are none, since the CDK would deploy into us-east-1 then."""
    try:
        account, region = signed_in()
    except NotSignedInError as error:
        sys.stderr.write(f"Nothing was done. {error}\n")
        return 1
    sys.stdout.write(f"Account {account}, Region {region}\n")
    return 0


def signed_in() -> tuple[str, str]:
    """Return account and Region, as AWS itself confirms them; raises NotSignedInError."""
    region = signed_in_region()
    if region is None:
        raise NotSignedInError("In which Region? Set AWS_REGION, or run `aws configure`.")
    try:
        return boto3.client("sts", region_name=region).get_caller_identity()["Account"], region
    except (BotoCoreError, ClientError) as error:
        raise NotSignedInError(f"AWS cannot be called with your credentials: {error}") from error


def signed_in_region() -> str | None:
    """Return the Region that the CDK would deploy to; raises NotSignedInError if there are no credentials."""
    try:
        session = boto3.session.Session()
        credentials, region = session.get_credentials(), session.region_name
    except BotoCoreError as error:
        raise NotSignedInError(f"Your AWS configuration cannot be used: {error}") from error
    if credentials is None:
        raise NotSignedInError(
            "There are no AWS credentials: run `aws configure` or `aws sso login`, or set AWS_PROFILE."
        )
    return os.environ.get("AWS_REGION") or region  # every AWS tool reads AWS_REGION first, except boto3


if __name__ == "__main__":
    sys.exit(main())
