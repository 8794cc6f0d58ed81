"""The CDK app: `cdk deploy` runs this file, and the tests call `build_app`."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import App

from infra.stack import LightsailSnapshotsStack
from lightsail_snapshots_plans.file import InvalidPlansError
from lightsail_snapshots_plans.models import read_plans


def build_app(*, context: Mapping[str, Any] | None = None, outdir: str | None = None) -> App:
    """Build the app with the feature flags of cdk.json, which only the CDK CLI reads by itself.

    `context` comes on top of cdk.json's; what the CLI hands over (`cdk deploy -c key=value`) comes on top of both.
    `plans` in it is the path of another plans.toml. Raises InvalidPlansError where that file cannot be used, or not
    in the Region that the CLI would deploy to.
    """
    flags = json.loads(Path(__file__).with_name("cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(context={**flags, **(context or {})}, outdir=outdir, analytics_reporting=False)
    path = Path(app.node.try_get_context("plans") or Path(__file__).with_name("plans.toml"))
    if here := os.environ.get("CDK_DEFAULT_REGION"):
        read_plans(path, region=here)  # for its mistakes alone: the template is the same wherever it goes
    LightsailSnapshotsStack(app, "LightsailSnapshots", plans=read_plans(path))
    return app


if __name__ == "__main__":
    try:
        build_app().synth()
    except InvalidPlansError as error:
        sys.exit(str(error))
