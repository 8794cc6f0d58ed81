"""Deploys the unmodified CDK app into the local AWS with the real CDK CLI."""

import json
import os
import re
import tempfile
from pathlib import Path

from local import subprocesses
from local.aws import ACCOUNT, REGION, ROOT, LocalAws

STACK = "LightsailSnapshots"
CDK = ROOT / "node_modules" / ".bin" / "cdk"
PACKAGES = ("lambda", "plans", "cli")
"""Folders of an app's own packages. In an app of another commit, they come before this one's installed ones."""


def bootstrap(aws: LocalAws) -> None:
    """Bootstrap the account; raises CommandFailedError.

    It runs outside the app's folder, because inside it the CLI would synthesize the app first.
    """
    _cdk(aws, aws.directory, "bootstrap", f"aws://{ACCOUNT}/{REGION}", *_output(aws.directory / "cdk.out"))


def deploy(aws: LocalAws, plans: Path) -> dict[str, str]:
    """Deploy the stack for a plans.toml and return its outputs; raises CommandFailedError."""
    outputs = aws.directory / "outputs.json"
    context = ["--context", f"plans={plans}"]
    arguments = ["--require-approval", "never", "--outputs-file", str(outputs), *context]
    _cdk(aws, ROOT, "deploy", *arguments, *_output(aws.directory / "cdk.out"))
    return dict(json.loads(outputs.read_text())[STACK])


def synthesize(aws: LocalAws, plans: Path, app: Path = ROOT) -> Path:
    """Synthesize this app, or that of another commit, with what is installed here; raises CommandFailedError.

    Returns the folder of the assembly, which `deploy_assembly` and `destroy` take.
    """
    assembly = Path(tempfile.mkdtemp(prefix="cdk.out-", dir=aws.directory))
    packages = os.pathsep.join(str(app / package) for package in PACKAGES)
    _cdk(aws, app, "synth", "--quiet", "--context", f"plans={plans}", *_output(assembly), PYTHONPATH=packages)
    return assembly


def deploy_assembly(aws: LocalAws, assembly: Path) -> None:
    """Deploy what was synthesized; raises CommandFailedError."""
    _cdk(aws, aws.directory, "deploy", "--require-approval", "never", "--app", str(assembly))


def destroy(aws: LocalAws, assembly: Path) -> None:
    """Delete the stack; raises CommandFailedError."""
    _cdk(aws, aws.directory, "destroy", "--force", "--app", str(assembly))


def resources(aws: LocalAws) -> dict[str, str]:
    """Return the physical ids of the deployed resources, by logical id without the CDK's eight-digit suffix.

    The physical id is a URL for a queue, a name for a function or the bus, and an ARN for the topic.
    """
    pages = aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
    summaries = [summary for page in pages for summary in page["StackResourceSummaries"]]
    return {re.sub("[0-9A-F]{8}$", "", each["LogicalResourceId"]): each["PhysicalResourceId"] for each in summaries}


def _output(folder: Path) -> list[str]:
    return ["--output", str(folder)]


def _cdk(aws: LocalAws, folder: Path, *arguments: str, **settings: str) -> None:
    command = [str(CDK), *arguments, "--ci", "--no-notices"]
    subprocesses.run(command, {**aws.environment, **settings}, folder, aws.directory / "cdk.log")
