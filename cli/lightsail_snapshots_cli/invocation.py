"""Runs a function of the deployment as its schedule would, now."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config

from lightsail_snapshots.aws import CONFIG
from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.naming import format_utc
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.deployment import Deployment
from lightsail_snapshots_cli.errors import CommandError, explain_errors

_LONGEST_RUN = 15 * 60 + 10
"""Seconds: the most that Lambda gives a function, and a few for the answer."""


def invoke(deployment: Deployment, name: str, detail_type: str) -> dict[str, Any]:
    """Invoke a function and wait for its answer; end the command if it fails."""
    now = format_utc(clock.now())
    event = {
        "version": "0",
        "id": str(uuid4()),
        "source": SOURCE,
        "detail-type": detail_type,
        "time": now,
        "region": deployment.region,
        "resources": [],
        "detail": {**deployment.details[name], "scheduledTime": now},
    }
    with explain_errors(f"while invoking the function {name}"):
        answer = _call(deployment.region, deployment.function(name.capitalize()), event)
    if "errorMessage" in answer:
        raise CommandError(f"The function {name} failed, see its log: {answer['errorMessage']}")
    if answer.get("state") in {"failed", "late"}:
        raise CommandError(f"The function {name} did nothing: {answer.get('message', answer['state'])}")
    return answer


def start(region: str, function: str, event: str) -> None:
    """Invoke a function and do not wait: Lambda retries it as if a rule had invoked it. Raises an error of botocore."""
    client = boto3.client("lambda", region_name=region, config=CONFIG)
    client.invoke(FunctionName=function, InvocationType="Event", Payload=event)


def _call(region: str, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the function's answer; Lambda puts an `errorMessage` into that of a function that failed."""
    # A second attempt would be a second run.
    config = Config(connect_timeout=5, read_timeout=_LONGEST_RUN, retries={"total_max_attempts": 1})
    client = boto3.client("lambda", region_name=region, config=config)
    response = client.invoke(FunctionName=function, Payload=json.dumps(event))
    return dict(json.loads(response["Payload"].read()))
