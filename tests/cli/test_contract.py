"""What every command has: exit statuses by kind, one sentence, no traceback."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lightsail_snapshots_cli import errors
from lightsail_snapshots_cli.errors import CommandError, explain_errors
from lightsail_snapshots_cli.main import MODULES
from tests.support.command_line import CommandLine

ROOT = Path(__file__).parents[2]
ON_THE_DEPLOYMENT = [
    ["status"],
    ["why", "web-1"],
    ["take", "web-1"],
    ["drill", "web-1"],
    ["preview"],
    ["prune"],
    ["audit"],
    ["replay"],
    ["adopt", "web-*"],
]
EVERY = [*ON_THE_DEPLOYMENT, ["hold", "x"], ["release", "x"], ["forget", "x"], ["leave"], ["restore", "x"], ["doctor"]]


def test_every_command_is_tried_here() -> None:
    assert {command for command, *_ in EVERY} == MODULES.keys()


CHANGING = {"hold", "release", "prune", "replay", "restore", "adopt", "forget", "leave", "doctor"}
"""These ask before they change anything. What `take` and `drill` do is in their names, and `drill` undoes it itself."""


@pytest.mark.parametrize("name", MODULES)
def test_command_has_json_and_asks_before_it_changes_anything(commands: CommandLine, name: str) -> None:
    options = commands.run(name, "--help").stdout
    assert "--json" in options
    assert ("--yes" in options) == (name in CHANGING)


@pytest.mark.parametrize("arguments", ON_THE_DEPLOYMENT, ids=" ".join)
def test_command_ends_with_10_when_there_is_no_deployment(commands: CommandLine, arguments: list[str]) -> None:
    commands.is_deployed = False
    shown = commands.run(*arguments)
    assert (shown.exit_code, shown.stdout) == (10, "")
    assert shown.stderr.startswith("Error: There is no deployment in us-east-1: set AWS_REGION to the Region of")


@pytest.mark.parametrize(("deployed", "shown_as"), [("0.9.3", "0.9.3"), ("", "unknown")])
@pytest.mark.parametrize("arguments", ON_THE_DEPLOYMENT, ids=" ".join)
def test_command_ends_with_1_when_the_deployment_has_another_version(
    commands: CommandLine, arguments: list[str], deployed: str, shown_as: str
) -> None:
    commands.deployed_version = deployed
    shown = commands.run(*arguments)
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith(f"Error: The deployment is of version {shown_as}, and this command of")


def test_third_number_of_the_version_does_not_matter(commands: CommandLine) -> None:
    commands.deployed_version = f"{commands.deployed_version.rpartition('.')[0]}.99"
    assert commands.run("status").exit_code == 0


@pytest.mark.parametrize("arguments", EVERY, ids=" ".join)
def test_command_ends_with_6_when_there_are_no_credentials(commands: CommandLine, arguments: list[str]) -> None:
    with patch("boto3.session.Session.get_credentials", return_value=None):
        shown = commands.run(*arguments)
    assert (shown.exit_code, shown.stdout) == (6, "")
    assert shown.stderr.startswith("Error: There are no AWS credentials: run `aws configure`")


@pytest.mark.parametrize("arguments", EVERY, ids=" ".join)
def test_command_ends_with_6_when_there_is_no_region(
    commands: CommandLine, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REGION")
    shown = commands.run(*arguments)
    assert (shown.exit_code, shown.stdout) == (6, "")
    assert shown.stderr.startswith("Error: In which Region is the stack? Set AWS_REGION")


@pytest.mark.parametrize("arguments", EVERY, ids=" ".join)
def test_command_ends_with_130_when_interrupted(commands: CommandLine, arguments: list[str]) -> None:
    with patch("lightsail_snapshots_cli.deployment.signed_in_region", side_effect=KeyboardInterrupt):
        shown = commands.run(*arguments)
    assert (shown.exit_code, shown.stderr) == (130, "Error: Interrupted.\n")


@pytest.mark.parametrize(
    ("code", "message", "status", "text"),
    [
        ("ExpiredTokenException", "Expired", errors.NOT_SIGNED_IN, "AWS rejected your credentials: sign in again"),
        (
            "AccessDeniedException",
            "User: x is not authorized to perform: scheduler:GetSchedule on resource: y",
            errors.ACCESS_DENIED,
            "your credentials lack scheduler:GetSchedule",
        ),
        ("AccessDenied", "no", errors.ACCESS_DENIED, "your credentials lack GetSchedule"),
        ("InternalFailure", "no", errors.FAILED, "AWS answered with an error while looking. InternalFailure"),
    ],
)
def test_error_of_aws_becomes_a_sentence_and_a_status(code: str, message: str, status: int, text: str) -> None:
    with pytest.raises(CommandError, match=re.escape(text)) as raised, explain_errors("while looking"):
        raise ClientError({"Error": {"Code": code, "Message": message}}, "GetSchedule")
    assert raised.value.exit_code == status


def test_lost_network_becomes_a_sentence() -> None:
    with pytest.raises(CommandError, match="AWS could not be reached: check your network") as raised, explain_errors():
        raise EndpointConnectionError(endpoint_url="https://example.com")
    assert raised.value.exit_code == errors.FAILED


def test_help_lists_each_exit_status(commands: CommandLine) -> None:
    shown = commands.run("--help").stdout
    statuses = {value for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)}
    assert {int(found) for found in re.findall(r"^ +(\d+)  ", shown, re.MULTILINE)} == {0, *statuses}


def test_version_is_that_of_the_package(commands: CommandLine) -> None:
    version = importlib.metadata.version("lightsail-snapshots")
    assert commands.run("--version").stdout == f"lightsail-snapshots {version}\n"


def test_command_imports_no_other_command_and_no_library_that_it_does_not_need() -> None:
    code = "import sys; from lightsail_snapshots_cli.main import main; main(['status', '--help'], None, None, False)"
    found = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-c", f"{code}; print(*sys.modules)"], check=True, capture_output=True, text=True
    )
    imported = set(found.stdout.splitlines()[-1].split())
    others = {f"lightsail_snapshots_cli.{module}" for module in MODULES.values()} - {"lightsail_snapshots_cli.status"}
    assert "lightsail_snapshots_cli.status" in imported
    assert not imported & {*others, "jinja2", "pydantic"}
