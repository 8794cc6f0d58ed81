"""Deploys the unmodified CDK app into the local AWS with the real CDK CLI."""

import json
import re
from pathlib import Path

from local import subprocesses
from local.aws import ACCOUNT, REGION, ROOT, LocalAws

STACK = "LightsailSnapshots"
CDK = ROOT / "node_modules" / ".bin" / "cdk"


def bootstrap(aws: LocalAws) -> None:
    """Bootstrap the account; raises CommandFailedError.

    It runs outside the app's folder, because inside it the CLI would synthesize the app first.
    """
    _cdk(aws, aws.directory, "bootstrap", f"aws://{ACCOUNT}/{REGION}")


def deploy(aws: LocalAws, plans: Path) -> dict[str, str]:
    """Deploy the stack for a plans.toml and return its outputs; raises CommandFailedError."""
    outputs = aws.directory / "outputs.json"
    context = ["--context", f"plans={plans}"]
    _cdk(aws, ROOT, "deploy", "--require-approval", "never", "--outputs-file", str(outputs), *context)
    return dict(json.loads(outputs.read_text())[STACK])


def resources(aws: LocalAws) -> dict[str, str]:
    """Return the physical ids of the deployed resources, by logical id without the CDK's eight-digit suffix.

    The physical id is a URL for a queue, a name for a function or the bus, and an ARN for the topic.
    """
    pages = aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
    summaries = [summary for page in pages for summary in page["StackResourceSummaries"]]
    return {re.sub("[0-9A-F]{8}$", "", each["LogicalResourceId"]): each["PhysicalResourceId"] for each in summaries}


def _cdk(aws: LocalAws, folder: Path, *arguments: str) -> None:
    command = [str(CDK), *arguments, "--output", str(aws.directory / "cdk.out"), "--ci", "--no-notices"]
    subprocesses.run(command, aws.environment, folder, aws.directory / "cdk.log")
