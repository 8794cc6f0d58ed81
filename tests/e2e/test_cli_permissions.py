"""Each command as an IAM user: with its own policy it works, without one action it says which is missing."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import boto3
import pytest
from click.testing import CliRunner, Result

from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots_cli.main import main
from lightsail_snapshots_cli.permissions import by_command, policy
from local.aws import ACCOUNT, REGION
from tests.e2e.deployment import Deployment

FLEET = {
    "id": "fleet",
    "time": "2026-11-23T03:15:00Z",
    "source": "tests",
    "detail-type": "Fleet Snapshot Requested",
    "detail": {"select": {"names": ["nothing-has-this-name"]}, "regions": [REGION]},
}
LETTERS = {
    "sqs:SendMessage": ("CreateDeadLetterQueue", {}),
    "lambda:InvokeFunction": ("FanOutFailures", {}),
    "events:ListTargetsByRule": (
        "FanOutFailures",
        {"RULE_ARN": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/lightsail-snapshots/a-rule-of-a-person"},
    ),
}
"""In which queue there must be a message, so that `replay` does something."""


@dataclass(frozen=True)
class Operator:
    """A person with an IAM user, and what is in the account for the commands to act on."""

    stack: Deployment
    environment: dict[str, str]
    instance: str
    gone: str
    """An instance that is gone and has a snapshot of ours, `{gone}-left`."""
    page: Path
    """Where `status` writes a page."""

    def run(self, command: str, arguments: Sequence[str], without: str = "") -> Result:
        """Run a command with its own policy, but for one action."""
        permissions = [each for each in by_command()[command] if each.action != without]
        document = json.dumps(policy(permissions))
        iam = self.stack.aws.client("iam")
        iam.put_user_policy(UserName="operator", PolicyName="operator", PolicyDocument=document)
        boto3.DEFAULT_SESSION = None
        lightsail.cache_clear()
        with patch.dict("os.environ", self.environment):
            shown = CliRunner().invoke(main, [command, *arguments], prog_name="lightsail-snapshots")
        boto3.DEFAULT_SESSION = None
        lightsail.cache_clear()
        return shown

    def arguments(self, command: str, action: str = "") -> list[str]:
        """Return arguments with which a command calls an action."""
        by_action = {
            ("take", "lightsail:GetInstances"): ["no-such-instance"],
            ("hold", "lightsail:GetInstanceSnapshots"): ["no-such-snapshot", "--yes"],
            ("release", "lightsail:GetInstanceSnapshots"): ["no-such-snapshot", "--yes"],
            ("replay", "sqs:ChangeMessageVisibility"): ["--dry-run"],
            ("leave", "lightsail:TagResource"): ["--keep-for", "999d", "--yes"],
            ("leave", "lightsail:GetInstanceSnapshot"): ["--keep-for", "999d", "--yes"],
            ("leave", "lightsail:DeleteInstanceSnapshot"): ["--delete", "--yes"],
            ("leave", "events:ListTargetsByRule"): ["--remove-rules", "--yes"],
            ("leave", "events:RemoveTargets"): ["--remove-rules", "--yes"],
            ("leave", "events:DeleteRule"): ["--remove-rules", "--yes"],
        }
        usual = {
            "status": ["--html", str(self.page)],
            "why": [self.instance],
            "take": [self.instance, "--wait"],
            "drill": [self.instance, "--slot", self.slot(action)],
            "hold": [f"{self.instance}-foreign", "--yes"],
            "release": [f"{self.instance}-held", "--yes"],
            "prune": ["--yes"],
            "replay": ["--yes"],
            "adopt": [f"{self.instance}-foreign", "--yes"],
            "forget": [self.gone, "--yes"],
        }
        return by_action.get((command, action)) or usual.get(command, [])

    def slot(self, action: str) -> str:
        """Return a time for each action, so that no drill is taken for an earlier one."""
        actions = [each.action for each in by_command()["drill"]]
        return f"2026-11-25T09:30:{actions.index(action) if action in actions else 59:02}Z"

    def make_letter(self, action: str) -> None:
        """Put a dead letter with which `replay` calls an action."""
        queue, attributes = LETTERS.get(action, LETTERS["sqs:SendMessage"])
        request = FLEET | {"detail-type": "Instance Snapshot Requested", "detail": {"instanceName": self.instance}}
        self.stack.sqs.send_message(
            QueueUrl=self.stack.resources[queue],
            MessageBody=json.dumps(request if queue == "CreateDeadLetterQueue" else FLEET),
            MessageAttributes={key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()},
        )


@pytest.fixture(scope="module")
def operator(deployed: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    iam = deployed.aws.client("iam")
    iam.create_user(UserName="operator")
    key = iam.create_access_key(UserName="operator")["AccessKey"]
    environment = dict(deployed.aws.environment) | {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    instance, gone = deployed.instance(backup="proven"), deployed.instance()
    _make_snapshots(deployed, instance, gone)
    # It comes before the rule of the tests themselves, which a denied command must leave alone.
    rule = {"Rule": "a-rule-of-a-person", "EventBusName": "lightsail-snapshots"}
    events = deployed.aws.client("events")
    pattern = json.dumps({"source": ["nobody"]})
    events.put_rule(Name=rule["Rule"], EventBusName=rule["EventBusName"], EventPattern=pattern)
    events.put_targets(**rule, Targets=[{"Id": "queue", "Arn": deployed.dead_letter_arn}])
    page = tmp_path_factory.mktemp("status") / "status.html"
    yield Operator(deployed, environment, instance, gone, page)
    with suppress(events.exceptions.ResourceNotFoundException):  # `leave` may have removed it
        events.remove_targets(**rule, Ids=["queue"])
        events.delete_rule(Name=rule["Rule"], EventBusName=rule["EventBusName"])


def _make_snapshots(deployed: Deployment, instance: str, gone: str) -> None:
    def make(name: str, of: str, **tags: str) -> None:
        listed = [{"key": key.replace("_", "-"), "value": value} for key, value in tags.items()]
        deployed.lightsail.create_instance_snapshot(instanceSnapshotName=name, instanceName=of, tags=listed)

    def ours(name: str, of: str, **tags: str) -> None:
        make(name, of, managed_by="lightsail-snapshots", snapshot_name=name, snapshot_of=of, **tags)

    make(f"{instance}-foreign", instance, note="by-hand")
    make(f"{instance}-held", instance, snapshot_hold="true")
    ours(f"{instance}-expired", instance, expires_at="2026-01-01T00:00:00Z")
    ours(f"{instance}-newest", instance)
    ours(f"{gone}-left", gone)
    deployed.aws.control("POST", "/_lightsail/clock", {"advance": 60})
    deployed.lightsail.delete_instance(instanceName=gone)


ELSEWHERE = {"restore", "doctor"}
"""Their tests are in files of their own."""
MISSING = [(name, each.action) for name, needed in by_command().items() if name not in ELSEWHERE for each in needed]


@pytest.mark.parametrize(("command", "action"), MISSING)
def test_command_ends_with_7_and_names_the_action_that_is_missing(
    operator: Operator, command: str, action: str
) -> None:
    if command == "replay":
        operator.make_letter(action)
    shown = operator.run(command, operator.arguments(command, action), without=action)
    assert shown.exit_code == 7, shown.output
    assert f"your credentials lack {action}" in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize("command", [name for name in by_command() if name not in {*ELSEWHERE, "leave"}])
def test_command_works_with_its_own_policy(operator: Operator, command: str) -> None:
    if command == "replay":
        operator.make_letter("lambda:InvokeFunction")
    shown = operator.run(command, operator.arguments(command))
    assert shown.exit_code in {0, 3}, shown.output


@pytest.mark.parametrize("arguments", [[], ["--remove-rules", "--yes"], ["--delete-expired", "--yes"]], ids=" ".join)
def test_leave_works_with_its_own_policy(operator: Operator, arguments: list[str]) -> None:
    shown = operator.run("leave", arguments)
    operator.stack.subscribe_again()  # the rule of the tests is one of a person, too
    assert shown.exit_code == 0, shown.output
