"""The shell functions of docs/operations.md, with the AWS CLI."""

import re
import subprocess

from local.aws import ROOT
from tests.e2e.deployment import Deployment

WITH_ENDPOINT = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\n'
"""Version 1 of the AWS CLI, which the tests have, ignores the variable for SQS."""


def test_shell_functions_find_the_resources_of_the_stack(deployed: Deployment) -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (functions, *_) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    commands = "queue CreateQueue; queue_arn FanOutFailures; resource Lambda::Function Prune"
    ended = subprocess.run(  # noqa: S603  our own words
        ["bash", "-euc", WITH_ENDPOINT + functions + commands],  # noqa: S607
        env=dict(deployed.aws.environment),
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    queue, arn, function = ended.stdout.split()
    assert queue == deployed.resources["CreateQueue"]
    assert arn.rpartition(":")[2] == deployed.resources["FanOutFailures"].rpartition("/")[2]
    assert function == deployed.resources["PruneFunction"]
