"""Deploys an unmodified CDK app into the local AWS with the real CDK CLI."""

import json
from pathlib import Path

from local import children
from local.aws import ACCOUNT, REGION, ROOT, LocalAws

CDK = ROOT / "node_modules" / ".bin" / "cdk"


def bootstrap(aws: LocalAws) -> None:
    """What `cdk bootstrap` does to an account once. Raises ChildFailedError.

    Outside the app's folder, since inside it the CLI would synthesize the app first, to no purpose.
    """
    _cdk(aws, aws.directory, "bootstrap", f"aws://{ACCOUNT}/{REGION}")


def deploy(aws: LocalAws, app: Path = ROOT, plans: Path | None = None) -> dict[str, str]:
    """Deploys the one stack of the app in this folder and returns its outputs. Raises ChildFailedError.

    `plans` is read in the place of the app's own plans.toml.
    """
    outputs = aws.directory / "outputs.json"
    context = ["--context", f"plans={plans}"] if plans else []
    _cdk(aws, app, "deploy", "--require-approval", "never", "--outputs-file", str(outputs), *context)
    (stack,) = json.loads(outputs.read_text()).values()
    return dict(stack)


def _cdk(aws: LocalAws, app: Path, *arguments: str) -> None:
    command = [str(CDK), *arguments, "--output", str(aws.directory / "cdk.out"), "--ci", "--no-notices"]
    children.run(command, aws.environment, app, aws.directory / "cdk.log")
