"""The commands of docs/operations.md with the AWS CLI, as they are pasted. Those of ours are tested elsewhere."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.aws import ROOT
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment, eventually

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
[FUNCTIONS] = [block for block in BLOCKS if "resource()" in block]
WITH_ENDPOINT = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\n'
"""Version 1 of the AWS CLI, which the tests have, ignores the variable for SQS."""
NOT_HERE = {
    "aws logs tail": "only version 2 of the AWS CLI has it",
    "aws ssm put-parameter": "an example of a secret",
}


def run(deployed: Deployment, commands: str, folder: Path = ROOT) -> str:
    """Run commands after the shell functions of the page; return what they print."""
    return subprocess.run(  # noqa: S603  our own words
        ["bash", "-euc", WITH_ENDPOINT + FUNCTIONS + commands],  # noqa: S607
        env=dict(deployed.aws.environment),
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_SECONDS,
    ).stdout


def block(text: str) -> str:
    """Return the block of the page that contains a text."""
    [found] = [each for each in BLOCKS if text in each]
    return str(found)


def inline(text: str) -> str:
    """Return the command of the page that begins with a text."""
    found = {each for each in re.findall(r"`(aws [^`]+)`", PAGE) if each.startswith(text)}
    assert len(found) == 1, found
    return str(found.pop())


def mappings(deployed: Deployment) -> list[Any]:
    client = deployed.aws.client("lambda")
    function = deployed.resources["CreateFunction"]
    return list(client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"])


def test_every_command_of_the_page_is_tried_here() -> None:
    tried = {"aws lightsail delete-instance-snapshot", "aws lambda update-event-source-mapping", "aws sqs purge-queue"}
    inline_ones = {" ".join(each.split()[:3]) for each in re.findall(r"`(aws [^`]+)`", PAGE)}
    assert inline_ones <= tried | NOT_HERE.keys()


def test_outputs_of_the_stack_are_shown(deployed: Deployment) -> None:
    printed = run(deployed, block("describe-stacks"))
    assert "TopicArn\tarn:aws:sns:us-east-1:" in printed


def test_shell_function_finds_the_resources_of_the_stack(deployed: Deployment) -> None:
    queue, function = run(deployed, "resource SQS::Queue CreateQueue; resource Lambda::Function Prune").split()
    assert queue == deployed.resources["CreateQueue"]
    assert function == deployed.resources["PruneFunction"]


@pytest.mark.parametrize(
    ("command", "function", "message"),
    [
        ("run_now Prune prune-report", "PruneFunction", "Pruned"),
        ("run_now Audit audit-report", "AuditFunction", "Audited a plan"),
        ("run_now FanOut plan-nightly", "FanOutFunction", "Requested a snapshot of each selected instance"),
    ],
)
def test_run_now_does_what_the_schedule_does(
    command: str, function: str, message: str, deployed: Deployment, tmp_path: Path
) -> None:
    if "FanOut" in command:
        deployed.instance(backup="nightly")
    request_id = run(deployed, command, tmp_path).split()[1]

    def is_done() -> bool:
        lines = [line for line in deployed.log(function) if line.get("correlation_id") == request_id]
        return any(line["message"] == message for line in lines)

    assert eventually(is_done, command)


def test_trigger_is_shown_enabled_and_made_again(deployed: Deployment) -> None:
    [mapping] = mappings(deployed)
    printed = run(deployed, block("list-event-source-mappings"))
    assert f"{mapping['UUID']}\tEnabled" in printed
    run(deployed, inline("aws lambda update-event-source-mapping").replace("UUID", mapping["UUID"]))
    deployed.aws.client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
    run(deployed, block("create-event-source-mapping"))
    [again] = mappings(deployed)
    for key in ("EventSourceArn", "BatchSize", "FunctionResponseTypes", "ScalingConfig"):
        assert again[key] == mapping[key]
    instance = deployed.instance()
    deployed.available(deployed.request({"instanceName": instance})[0])


def test_waiting_requests_are_purged(deployed: Deployment) -> None:
    run(deployed, inline("aws sqs purge-queue"))
    assert deployed.depth("CreateQueue") == 0


def test_broken_snapshot_is_deleted(deployed: Deployment) -> None:
    instance = deployed.instance()
    detail = deployed.available(deployed.request({"instanceName": instance})[0])
    name = detail["instanceSnapshotName"]
    run(deployed, inline("aws lightsail delete-instance-snapshot").replace("SNAPSHOT", name))
    assert deployed.snapshots_of(instance) == []


def test_archive_is_replayed_through_one_rule(deployed: Deployment) -> None:
    """MiniStack replays through all rules, so this sees only that the command names the right ones."""
    answer = json.loads(run(deployed, "replay_archive night 2020-11-23T00:00:00Z 2020-11-24T00:00:00Z CreateRule"))
    assert answer["State"] in {"STARTING", "RUNNING", "COMPLETED"}
    replay = deployed.aws.client("events").describe_replay(ReplayName="night")
    assert [arn.rpartition("/")[2] for arn in replay["Destination"]["FilterArns"]] == [
        deployed.resources["CreateRule"].rpartition("|")[2]
    ]
