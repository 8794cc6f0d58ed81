"""The policies that `python -m lightsail_snapshots_cli.permissions` prints; tests/infra lets IAM decide on them."""

import json
from pathlib import Path

import pytest

from lightsail_snapshots_cli import permissions
from lightsail_snapshots_cli.main import MODULES
from lightsail_snapshots_cli.permissions import Permission, by_command, policy


def test_policy_joins_actions_on_the_same_resource_under_the_same_conditions() -> None:
    condition = {"Null": {"aws:ResourceTag/x": "true"}}
    document = policy([Permission("a:B"), Permission("a:A"), Permission("a:B"), Permission("a:C", "*", condition)])
    assert document["Statement"] == [
        {"Effect": "Allow", "Action": ["a:A", "a:B"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["a:C"], "Resource": "*", "Condition": condition},
    ]


def test_every_command_says_what_it_needs() -> None:
    assert by_command().keys() == MODULES.keys()
    assert all(by_command().values())


def test_permissions_prints_the_policy_of_some_commands(capsys: pytest.CaptureFixture[str]) -> None:
    permissions.main(["hold"])
    printed = json.loads(capsys.readouterr().out)
    assert [each["Action"] for each in printed["Statement"]] == [
        ["lightsail:GetInstanceSnapshot", "lightsail:GetInstanceSnapshots"],
        ["lightsail:TagResource"],
    ]


def test_permissions_prints_everything_when_there_is_no_page(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(permissions, "PAGE", tmp_path / "permissions.md")
    permissions.main([])
    assert "lightsail:DeleteInstanceSnapshot" in capsys.readouterr().out


def test_permissions_suggests_a_command() -> None:
    with pytest.raises(SystemExit, match=r"There is no command holt; did you mean hold\?"):
        permissions.main(["holt"])
