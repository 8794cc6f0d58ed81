"""`hold`, `release`, `prune` and `audit`: what they change, and that they ask before it."""

import json
from datetime import timedelta

import pytest

from tests.support.command_line import CommandLine

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def snapshot(commands: CommandLine, **tags: str) -> str:
    return commands.snapshot(commands.find("web-1"), 9 * HOUR, "before-upgrade", **tags)


def tags(commands: CommandLine) -> dict[str, str]:
    [only] = commands.aws.snapshots()
    return {tag["key"]: tag.get("value", "") for tag in only["tags"]}


def test_hold_shows_the_snapshot_and_tags_it_when_a_person_agrees(commands: CommandLine) -> None:
    snapshot(commands)
    shown = commands.run("hold", "before-upgrade", answer="y\n")
    assert (shown.exit_code, shown.stdout) == (0, "before-upgrade is on hold.\n")
    assert shown.stderr.startswith("before-upgrade is a snapshot of web-1 in us-east-1, 9 h old, available.\n")
    assert tags(commands)["snapshot-hold"] == "true"


def test_hold_does_nothing_when_a_person_declines(commands: CommandLine) -> None:
    snapshot(commands)
    assert commands.run("hold", "before-upgrade", answer="n\n").stdout == "Nothing was done.\n"
    assert "snapshot-hold" not in tags(commands)


@pytest.mark.parametrize("command", ["hold", "release"])
def test_command_does_nothing_and_says_so_when_nobody_can_be_asked(commands: CommandLine, command: str) -> None:
    snapshot(commands, **({"snapshot-hold": ""} if command == "release" else {}))
    before = tags(commands)
    shown = commands.run(command, "before-upgrade")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "Error: Nothing was done, since nobody can be asked here: add --yes to do it.\n" in shown.stderr
    assert tags(commands) == before


def test_release_removes_the_hold_in_any_case_of_letters(commands: CommandLine) -> None:
    snapshot(commands, **{"Snapshot-Hold": "x"})
    shown = commands.run("release", "before-upgrade", "--yes")
    assert (shown.exit_code, shown.stdout) == (0, "before-upgrade is no longer on hold.\n")
    assert "Snapshot-Hold" not in tags(commands)


def test_hold_and_release_say_when_there_is_nothing_to_do(commands: CommandLine) -> None:
    snapshot(commands)
    assert commands.run("release", "before-upgrade").stdout == "before-upgrade is not on hold.\n"
    commands.run("hold", "before-upgrade", "--yes")
    assert commands.run("hold", "before-upgrade").stdout == "before-upgrade is on hold already.\n"


def test_hold_ends_with_5_when_there_is_no_such_snapshot(commands: CommandLine) -> None:
    snapshot(commands)
    shown = commands.run("hold", "before-upgarde", "--yes")
    assert shown.exit_code == 5
    assert shown.stderr == ("Error: There is no snapshot before-upgarde in us-east-1; did you mean before-upgrade?\n")


def test_hold_ends_with_7_and_names_the_action_when_tagging_is_denied(commands: CommandLine) -> None:
    snapshot(commands)
    commands.aws.emulator.faults.add("access-denied", operation="TagResource")
    shown = commands.run("hold", "before-upgrade", "--yes")
    assert shown.exit_code == 7
    assert "your credentials lack lightsail:TagResource. Ask for that permission." in shown.stderr


def expired(commands: CommandLine) -> None:
    web = commands.find("web-1")
    commands.snapshot(web, 9 * HOUR, "web-1-new")
    commands.snapshot(web, 3 * DAY, "web-1-old", **{"expires-at": "2026-01-01T00:00:00Z"})
    commands.copy(web, 9 * HOUR, "web-1-new")


def names(commands: CommandLine) -> set[str]:
    return {each["name"] for each in commands.aws.snapshots()}


def test_prune_shows_first_and_deletes_when_a_person_agrees(commands: CommandLine) -> None:
    expired(commands)
    shown = commands.run("prune", answer="y\n")
    assert (shown.exit_code, shown.stdout) == (
        0,
        "us-east-1: 1 deleted\neu-central-1: 0 deleted\neu-west-1: 0 deleted\n",
    )
    assert "delete  web-1-old" in shown.stderr
    assert names(commands) == {"web-1-new"}


def test_prune_does_nothing_without_a_terminal_and_without_yes(commands: CommandLine) -> None:
    expired(commands)
    assert commands.run("prune").exit_code == 2
    assert commands.run("prune", answer="n\n").stdout == "Nothing was done.\n"
    assert names(commands) == {"web-1-new", "web-1-old"}


def test_prune_asks_nothing_when_there_is_nothing_to_delete(commands: CommandLine) -> None:
    assert commands.run("prune").stdout == "There is nothing to delete.\n"
    assert json.loads(commands.run("prune", "--json").stdout) == {"deleted": {}}


def test_prune_ends_with_1_when_the_function_fails(commands: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    expired(commands)
    monkeypatch.setattr("lightsail_snapshots_cli.invocation._call", lambda *_: {"errorMessage": "eu-west-1: throttled"})
    shown = commands.run("prune", "--yes")
    assert shown.exit_code == 1
    assert "Error: The function prune failed, see its log: eu-west-1: throttled\n" in shown.stderr


def test_audit_answers_for_each_plan_and_ends_with_3_when_one_is_overdue(commands: CommandLine) -> None:
    assert commands.run("audit").stdout == "plan daily: nothing is overdue\n"
    commands.snapshot(commands.instance("shop", backup="daily"), 3 * DAY, "shop-1")
    shown = commands.run("audit")
    assert (shown.exit_code, shown.stdout) == (3, "plan daily: 1 OVERDUE\n")
