"""The shell functions of docs/operations.md, with the AWS CLI."""

import re
import subprocess
from pathlib import Path

import pytest

from local.aws import ROOT
from tests.e2e.deployment import Deployment, eventually

WITH_ENDPOINT = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\n'
"""Version 1 of the AWS CLI, which the tests have, ignores the variable for SQS."""


def run(deployed: Deployment, commands: str, folder: Path = ROOT) -> str:
    """Run commands after the shell functions of the page; return what they print."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (functions,) = re.findall(r"## Shell functions\n.*?```sh\n(.*?)```", text, re.DOTALL)
    return subprocess.run(  # noqa: S603  our own words
        ["bash", "-euc", WITH_ENDPOINT + functions + commands],  # noqa: S607
        env=dict(deployed.aws.environment),
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    ).stdout


def test_shell_functions_find_the_resources_of_the_stack(deployed: Deployment) -> None:
    printed = run(deployed, "queue CreateQueue; queue_arn FanOutFailures; resource Lambda::Function Prune")
    queue, arn, function = printed.split()
    assert queue == deployed.resources["CreateQueue"]
    assert arn.rpartition(":")[2] == deployed.resources["FanOutFailures"].rpartition("/")[2]
    assert function == deployed.resources["PruneFunction"]


@pytest.mark.parametrize(
    ("command", "function", "message"),
    [
        ("run_now Prune prune", "PruneFunction", "Pruned"),
        ("run_now Audit audit", "AuditFunction", "Audited a plan"),
        ("run_now FanOut plan-nightly", "FanOutFunction", "Requested a snapshot of each selected instance"),
    ],
)
def test_run_now_does_what_the_schedule_does(
    command: str, function: str, message: str, deployed: Deployment, tmp_path: Path
) -> None:
    request_id = run(deployed, command, tmp_path).split()[1]

    def is_done() -> bool:
        lines = [line for line in deployed.log(function) if line.get("correlation_id") == request_id]
        return any(line["message"] == message for line in lines)

    assert eventually(is_done, command)
