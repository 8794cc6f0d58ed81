"""Who is notified by the deployed stack: `make deploy` ends with it."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lightsail_snapshots_cli.account import signed_in_region

STACK = "LightsailSnapshots"
_PENDING = "PendingConfirmation"
"""In place of a subscription's ARN: SNS API reference, ListSubscriptionsByTopic."""
_NOBODY = "Nobody is notified of failures and of overdue instances. Set notify in plans.toml, and deploy again.\n"


def main() -> int:
    """Print the subscribers. The deployment before it succeeded, so an error here is no failure."""
    try:
        sys.stdout.write(format_subscriptions(list_subscriptions()))
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"Cannot tell who is notified of failures: {error}\n")
    return 0


def list_subscriptions() -> list[Mapping[str, Any]]:
    """Return the subscriptions of the stack's topic, as SNS has them."""
    region = signed_in_region()
    (stack,) = boto3.client("cloudformation", region_name=region).describe_stacks(StackName=STACK)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    pages = boto3.client("sns", region_name=region).get_paginator("list_subscriptions_by_topic")
    return [each for page in pages.paginate(TopicArn=outputs["TopicArn"]) for each in page["Subscriptions"]]


def format_subscriptions(subscriptions: Iterable[Mapping[str, Any]]) -> str:
    """Write one line for each subscriber: those who still have to confirm get no messages."""
    lines = sorted(f"  {_without_secret(each['Endpoint'])}: {_state(each)}\n" for each in subscriptions)
    return "".join(["Notified of failures and of overdue instances:\n", *lines]) if lines else _NOBODY


def _state(subscription: Mapping[str, Any]) -> str:
    if subscription["SubscriptionArn"] != _PENDING:
        return "confirmed"
    mail = ", by the link in a mail from AWS Notifications" if subscription["Protocol"].startswith("email") else ""
    return f"gets nothing yet, and has to confirm first{mail}"


def _without_secret(endpoint: str) -> str:
    """Return a webhook's address without its path, which lets anyone write there."""
    url = urlsplit(endpoint)
    return f"{url.scheme}://{url.hostname}/..." if url.scheme in ("http", "https") else endpoint


if __name__ == "__main__":
    sys.exit(main())
