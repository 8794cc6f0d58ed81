"""The CDK app: the CDK CLI runs this file."""

import os
import sys
from pathlib import Path

from aws_cdk import App, Environment

from infra.stack import LightsailSnapshotsStack
from lightsail_snapshots_plans.file import InvalidPlansError
from lightsail_snapshots_plans.plans import read_plans

app = App()
account, region = os.environ.get("CDK_DEFAULT_ACCOUNT"), os.environ.get("CDK_DEFAULT_REGION")
path = Path(app.node.try_get_context("plans") or Path(__file__).with_name("plans.toml"))
try:
    plans = read_plans(path, region=region)
    env = Environment(account=account, region=region)
    LightsailSnapshotsStack(app, "LightsailSnapshots", plans=plans, env=env)
except InvalidPlansError as error:
    sys.exit(str(error))
app.synth()
