"""How make reads its variables, and what `make deploy` checks before it does anything."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from local.aws import ACCOUNT, ROOT
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment


def run_make(*arguments: str, environment: Mapping[str, str] = os.environ) -> subprocess.CompletedProcess[str]:
    """Run make, and return what it printed, without the options of the make that runs these tests."""
    return subprocess.run(  # noqa: S603  our own words
        ["make", "--no-print-directory", *arguments],  # noqa: S607  the make that runs these tests
        cwd=ROOT,
        env={name: value for name, value in environment.items() if name not in ("MAKEFLAGS", "MAKELEVEL")},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def signed_in(stack: Deployment, **settings: str) -> str:
    """Run what each command that changes an account runs first, with root's keys; return the first line it prints."""
    named = {"AWS_REGION", "AWS_DEFAULT_REGION"}
    environment = {key: value for key, value in stack.aws.environment.items() if key not in named} | settings
    make = run_make("--silent", "signed-in", environment={**environment, "PATH": os.environ["PATH"]})
    return (make.stderr if make.returncode else make.stdout).partition("\n")[0]


def test_signed_in_names_account_and_region_from_either_variable(stack: Deployment) -> None:
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        assert signed_in(stack, **{variable: "eu-central-1"}) == f"Account {ACCOUNT}, Region eu-central-1"


def test_signed_in_fails_when_no_region_is_named(stack: Deployment) -> None:
    assert signed_in(stack) == "Nothing was done. In which Region? Set AWS_REGION, or run `aws configure`."


def test_signed_in_fails_when_aws_rejects_the_credentials(stack: Deployment) -> None:
    shown = signed_in(stack, AWS_REGION="eu-central-1", AWS_ENDPOINT_URL="https://127.0.0.1:9")
    assert shown.startswith("Nothing was done. AWS cannot be called with your credentials: ")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["deploy"], "cdk deploy"),
        (["deploy", "YES=1"], "cdk deploy --require-approval never"),
        (["destroy"], "cdk destroy"),
        (["destroy", "YES=1", "PLANS=a b.toml"], 'cdk destroy -c plans="a b.toml" --force'),
        (["preview", "PLANS=a b.toml"], 'preview --plans "a b.toml"'),
        (["demo", "KEEP=1"], "local.demo --keep"),
    ],
)
def test_make_passes_its_variables_on(arguments: list[str], command: str) -> None:
    shown = run_make("--dry-run", *arguments)
    assert any(" ".join(line.split()).endswith(command) for line in shown.stdout.splitlines())


def subscribers(stack: Deployment) -> str:
    """Return what `make deploy` prints at its end."""
    shown = subprocess.run(
        [sys.executable, "-m", "lightsail_snapshots_cli.subscribers"],
        env={**stack.aws.environment, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    return shown.stdout


def test_deploy_ends_with_who_is_notified(stack: Deployment) -> None:
    assert run_make("--dry-run", "deploy").stdout.splitlines()[-1] == "python -m lightsail_snapshots_cli.subscribers"
    assert "ops@example.com" not in subscribers(stack)
    topic = stack.resources["Topic"]
    arn = stack.aws.client("sns").subscribe(
        TopicArn=topic, Protocol="email", Endpoint="ops@example.com", ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    try:
        assert "\n  ops@example.com: " in subscribers(stack)
    finally:
        stack.aws.client("sns").unsubscribe(SubscriptionArn=arn)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("PLAN=x", "There is no variable PLAN. These are: PLANS=other.toml, YES=1, KEEP=1, FROM=commit,"),
        ("yes=1", "There is no variable yes. These are: PLANS=other.toml, YES=1, KEEP=1, FROM=commit,"),
        ("YES=ture", "YES=ture is not a value: write YES=1, or leave it out."),
    ],
)
def test_make_rejects_a_mistyped_variable(argument: str, message: str) -> None:
    shown = run_make("--dry-run", "deploy", argument)
    assert shown.returncode == 2
    assert message in shown.stderr
