"""What `make deploy` asks for before it does anything."""

import os
import subprocess

from local.aws import ROOT
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment


def signed_in(stack: Deployment, **settings: str) -> str:
    """Run what each command that changes an account runs first, with root's keys; return what it says."""
    named = {"AWS_REGION", "AWS_DEFAULT_REGION"}
    environment = {key: value for key, value in stack.aws.environment.items() if key not in named}
    make = subprocess.run(
        ["make", "--no-print-directory", "--silent", "signed-in"],  # noqa: S607  whichever make runs these tests
        cwd=ROOT,
        env={**environment, "PATH": os.environ["PATH"], **settings},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return make.stderr.partition("\n")[0] if make.returncode else "signed in"


def test_nothing_is_deployed_into_a_region_that_nobody_named(stack: Deployment) -> None:
    assert signed_in(stack) == (
        "Nothing was done: sign in to your AWS account (AWS_PROFILE), and name a Region (AWS_REGION)."
    )


def test_a_region_may_be_named_in_either_variable(stack: Deployment) -> None:
    assert signed_in(stack, AWS_REGION="eu-central-1") == "signed in"
    assert signed_in(stack, AWS_DEFAULT_REGION="eu-central-1") == "signed in"
