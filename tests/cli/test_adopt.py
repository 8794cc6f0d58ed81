"""`adopt`: which snapshots of others are taken over, with which tags."""

import json
from datetime import timedelta
from typing import Any

import pytest

from lightsail_snapshots.aws.lightsail import lightsail
from tests.support.command_line import CommandLine, current_time

DAY = timedelta(days=1)


def foreign(commands: CommandLine, name: str, region: str = "us-east-1", **changes: Any) -> str:
    """Put a snapshot that a person made of web-1 into the account; `tags` and other fields may differ."""
    return commands.snapshot_of_others(commands.find("web-1"), 3 * DAY, name, region, **changes)


def tags(name: str, region: str = "us-east-1") -> dict[str, str]:
    found = lightsail(region).find_snapshot(name)
    assert found
    return dict(found.tags)


def test_adopt_shows_first_and_tags_when_a_person_agrees(commands: CommandLine) -> None:
    foreign(commands, "manual-1", tags={"team": "web"})
    foreign(commands, "other")
    shown = commands.run("adopt", "manual-*", answer="y\n")
    assert (shown.exit_code, shown.stdout) == (0, "1 adopted.\n")
    assert "3 d  adopt  manual-1 in us-east-1  of web-1" in shown.stderr
    assert "Adopt 1 of 1 snapshots?" in shown.stderr
    assert tags("manual-1") == {
        "team": "web",
        "managed-by": "lightsail-snapshots",
        "snapshot-name": "manual-1",
        "snapshot-of": "web-1",
        "snapshot-keep": "all",
    }
    assert tags("other") == {}


def test_adopted_snapshot_is_ours_and_stays_when_prune_looks_at_it(commands: CommandLine) -> None:
    foreign(commands, "manual-1")
    commands.run("adopt", "manual-1", "--yes")
    found = lightsail("us-east-1").find_snapshot("manual-1")
    assert found
    assert not found.why_foreign(found.origin)
    decisions = json.loads(commands.run("preview", "--json").stdout)["decisions"]
    assert [(each["action"], each["reason"]) for each in decisions] == [("keep", "the newest usable snapshot of web-1")]


def test_adopt_sets_plan_and_expiry_when_given(commands: CommandLine) -> None:
    foreign(commands, "manual-1")
    shown = commands.run("adopt", "manual-1", "--plan", "daily", "--keep-for", "14d", "--yes", "--json")
    assert json.loads(shown.stdout)["adopted"] == [
        {"instanceName": "web-1", "instanceSnapshotName": "manual-1", "region": "us-east-1"}
    ]
    found = tags("manual-1")
    assert found["snapshot-plan"] == "daily"
    assert found["expires-at"] > current_time().isoformat()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"tags": {"managed-by": "terraform"}}, "it is managed by terraform"),
        ({"tags": {"Managed-By": "terraform"}}, "it is managed by terraform"),
        ({"tags": {"expires-at": "2026-01-01T00:00:00Z"}}, "it has reserved tags from elsewhere: remove expires-at"),
        ({"tags": {"Snapshot-Name": "x"}}, "it has reserved tags from elsewhere: remove Snapshot-Name first"),
        ({"tags": {f"tag-{number}": "" for number in range(47)}}, "it has 47 tags: there is no room for ours"),
        ({"from_instance": ""}, "Lightsail does not say which instance it is of"),
        ({"failed": True}, "its state is error"),
    ],
)
def test_adopt_refuses_what_it_cannot_adopt(commands: CommandLine, changes: dict[str, Any], problem: str) -> None:
    name = foreign(commands, "manual-1", **changes)
    before = tags(name)
    shown = commands.run("adopt", "manual-*", "--yes")
    assert (shown.exit_code, shown.stdout) == (1, "Nothing was done.\n")
    assert problem in shown.stderr
    assert tags(name) == before


def test_adopt_refuses_snapshots_outside_the_plan(commands: CommandLine) -> None:
    foreign(commands, "manual-1", "eu-west-1")
    shown = commands.run("adopt", "manual-*", "--plan", "daily", "--yes")
    assert shown.exit_code == 1
    assert "plan daily has no instances in eu-west-1" in shown.stderr


def test_adopt_leaves_what_is_ours_already(commands: CommandLine) -> None:
    commands.snapshot(commands.find("web-1"), DAY, "web-1-new")
    before = tags("web-1-new")
    shown = commands.run("adopt", "web-*", "--yes")
    assert (shown.exit_code, shown.stdout) == (0, "Nothing was done.\n")
    assert "it is ours already" in shown.stderr
    assert tags("web-1-new") == before


def test_adopt_does_nothing_when_nobody_can_be_asked(commands: CommandLine) -> None:
    foreign(commands, "manual-1")
    assert commands.run("adopt", "manual-*").exit_code == 2
    assert commands.run("adopt", "manual-*", answer="n\n").stdout == "Nothing was done.\n"
    assert tags("manual-1") == {}


def test_adopt_skips_a_snapshot_that_changes_while_a_person_decides(
    commands: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign(commands, "manual-1")

    def take_over(*_: object, **__: object) -> bool:
        lightsail("us-east-1").tag_snapshot("manual-1", {"managed-by": "terraform"})
        return True

    monkeypatch.setattr("lightsail_snapshots_cli.adopt.confirm", take_over)
    shown = commands.run("adopt", "manual-*")
    assert (shown.exit_code, shown.stdout) == (1, "0 adopted.\n")
    assert "Skipped manual-1 in us-east-1: it has changed since it was listed." in shown.stderr
    assert tags("manual-1") == {"managed-by": "terraform"}


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["manaul-1"], 5, "No snapshot's name matches manaul-1; did you mean manual-1?"),
        (["manual-1", "--plan", "dayly"], 2, "There is no plan dayly; did you mean daily?"),
        (["manual-1", "--region", "ap-south-1"], 2, "ap-south-1 is not a Region of this deployment (us-east-1, "),
    ],
)
def test_adopt_says_what_is_wrong_with_its_arguments(
    commands: CommandLine, arguments: list[str], status: int, text: str
) -> None:
    foreign(commands, "manual-1")
    shown = commands.run("adopt", *arguments, "--yes")
    assert shown.exit_code == status
    assert shown.stderr.startswith(f"Error: {text}")
