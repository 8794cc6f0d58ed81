"""`restore` with the permissions that docs/permissions.md grants for it, and no others."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lightsail_snapshots_cli.permissions import policy_for
from local.aws import ACCOUNT
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment

COMMAND = Path(sys.executable).with_name("lightsail-snapshots")
FORGOTTEN = {"name", "arn", "createdAt", "supportCode", "privateIpAddress", "ipv6Addresses", "hardware"}
"""What no restore can bring back, and the disks, which have times."""


@pytest.fixture
def operator(stack: Deployment) -> Iterator[Mapping[str, str]]:
    """The environment of a person who has the permissions for `restore` alone."""
    iam = stack.aws.client("iam")
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="operator", AssumeRolePolicyDocument=document)["Role"]
    policy = json.dumps(policy_for("restore"))
    iam.put_role_policy(RoleName="operator", PolicyName="restore", PolicyDocument=policy)
    keys = stack.aws.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="operator")["Credentials"]
    yield {
        **stack.aws.environment,
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    iam.delete_role_policy(RoleName="operator", PolicyName="restore")
    iam.delete_role(RoleName="operator")


def restore(environment: Mapping[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own words
        [COMMAND, "restore", *arguments],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def describe(stack: Deployment, name: str) -> dict[str, Any]:
    found = stack.lightsail.get_instance(instanceName=name)["instance"]
    return {key: value for key, value in found.items() if key not in FORGOTTEN}


def make_shop(stack: Deployment) -> str:
    """Make an instance with what Lightsail forgets, and a usable snapshot of it."""
    name, lightsail = stack.instance(env="prod"), stack.lightsail
    lightsail.put_instance_public_ports(
        instanceName=name,
        portInfos=[
            {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrs": ["203.0.113.0/24"]},
            {"protocol": "udp", "fromPort": 4000, "toPort": 4010},
        ],
    )
    lightsail.allocate_static_ip(staticIpName=f"{name}-ip")
    lightsail.attach_static_ip(staticIpName=f"{name}-ip", instanceName=name)
    [request] = stack.request({"instanceName": name})
    stack.available(request)
    return name


def test_restore_brings_back_an_instance_that_is_gone(
    stack: Deployment, operator: Mapping[str, str], tmp_path: Path
) -> None:
    name = make_shop(stack)
    before = describe(stack, name)
    stack.lightsail.delete_instance(instanceName=name)
    shown = restore(operator, tmp_path, name, "--swap-ip", "--yes", "--json")
    assert shown.returncode == 0, shown.stderr
    answer = json.loads(shown.stdout)
    assert describe(stack, answer["instanceName"]) == before
    assert answer["publicIpAddress"] == before["publicIpAddress"]
    again = restore(operator, tmp_path, name, "--swap-ip", "--yes", "--json")
    assert json.loads(again.stdout) == answer
    assert again.stderr.count("done already") == len(answer["steps"])


def test_undo_moves_the_static_ip_back_to_the_old_instance(
    stack: Deployment, operator: Mapping[str, str], tmp_path: Path
) -> None:
    name = make_shop(stack)
    before = describe(stack, name)
    shown = restore(operator, tmp_path, name, "--swap-ip", "--yes", "--as", f"{name}-new")
    assert shown.returncode == 0, shown.stderr
    assert describe(stack, f"{name}-new") == before
    shown = restore(operator, tmp_path, "--undo", f"{name}-new", "--yes")
    assert shown.returncode == 0, shown.stderr
    assert describe(stack, name) == before


def test_restore_ends_with_7_when_it_may_not_create_instances(
    stack: Deployment, operator: Mapping[str, str], tmp_path: Path
) -> None:
    name = make_shop(stack)
    policy = policy_for("restore")
    denied = {"Effect": "Deny", "Action": "lightsail:CreateInstancesFromSnapshot", "Resource": "*"}
    policy["Statement"].append(denied)
    iam = stack.aws.client("iam")
    iam.put_role_policy(RoleName="operator", PolicyName="restore", PolicyDocument=json.dumps(policy))
    shown = restore(operator, tmp_path, name, "--yes")
    assert shown.returncode == 7, shown.stderr
    assert "your credentials lack lightsail:CreateInstancesFromSnapshot" in shown.stderr
