"""What the documents say of plans and events is what the code does: keys, examples, commands that can be pasted."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.events.models import EventPattern

from lightsail_snapshots.events.fleet_snapshot_requested import parse_fleet_request
from lightsail_snapshots.events.instance_snapshot_requested import parse_request
from lightsail_snapshots.selection import KEYS as SELECT_KEYS
from lightsail_snapshots_plans import models
from tests.support.plan_text import TODAY, error_of, read

DOCS = Path(__file__).parents[2] / "docs"
README = DOCS.parent / "README.md"
PLANS, EVENTS, RETENTION = DOCS / "plans.md", DOCS / "events" / "README.md", DOCS / "retention.md"
REGIONS = ["eu-central-1", "us-east-1"]


def section(path: Path, heading: str) -> str:
    """Return what stands below a heading, up to the next one."""
    _, _, rest = path.read_text(encoding="utf-8").partition(f"\n{heading}\n")
    assert rest, f"{path.name} has no heading {heading}"
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def keys(heading: str) -> list[str]:
    """Return the keys of the table below a heading of plans.md."""
    return re.findall(r"^\| `(\w+)` \|", section(PLANS, heading), re.MULTILINE)


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("heading", "known"),
    [
        ("## A plan: `[plans.<name>]`", models._PLAN_KEYS),
        ("### `select`: which instances", SELECT_KEYS),
        ("### `keep`: which snapshots stay", models._KEEP_KEYS),
        ("## The file itself: above the first `[plans...]`", models._FILE_KEYS),
    ],
)
def test_the_reference_has_every_key_and_no_other(heading: str, known: tuple[str, ...]) -> None:
    assert sorted(keys(heading)) == sorted(known)


@pytest.mark.parametrize("text", blocks(PLANS, "toml") + blocks(EVENTS, "toml") + blocks(RETENTION, "toml"))
def test_each_example_of_a_file_can_be_deployed(text: str, tmp_path: Path) -> None:
    read(tmp_path, text)


def test_each_example_of_a_schedule_is_one(tmp_path: Path) -> None:
    (row,) = re.findall(r"^\| `schedule` .*\| (.*) \|$", PLANS.read_text(encoding="utf-8"), re.MULTILINE)
    for schedule in re.findall(r"`([^`]+)`", row):
        (plan,) = read(tmp_path, f"[plans.x]\nschedule = {schedule}\nselect = {{ all = true }}").plans
        assert plan.schedule
        assert plan.schedule.last_day is None or plan.schedule.last_day > TODAY


def test_the_mistakes_are_shown_as_they_are_printed(tmp_path: Path) -> None:
    (shown, *_) = blocks(PLANS, "console")
    lines = [
        "[plans.daily]",
        'schedule = "cron(15 3 * * ? *)"',
        "select = { all = true }",
        "keep = { last = 7 }",
        'timezone = "Europe/Berlim"',
        'regions = ["eu-central-1a"]',
    ]
    assert shown.partition("\n")[2].strip() == str(error_of(tmp_path, "\n".join(lines)))


def entries(text: str) -> list[dict[str, Any]]:
    """Return the entries of a put-events command, which may be followed by a pipe."""
    command = shlex.split(text.partition(" | ")[0])
    assert command[:3] == ["aws", "events", "put-events"]
    return list(json.loads(command[command.index("--entries") + 1]))


def commands() -> Iterator[str]:
    yield from blocks(EVENTS, "sh")
    for block in blocks(EVENTS, "yaml"):
        (command,) = re.findall(r"^ +(aws events put-events .*)$", block, re.MULTILINE)
        yield command.replace("${{ github.sha }}", "0f8b2bd13f5c4b2a9d552b6a3b1c7e90deadbeef")


def is_request(entry: dict[str, Any]) -> bool:
    """Tell whether the code would take the event; raises InvalidRequestError where it is bad."""
    assert entry["EventBusName"].endswith("lightsail-snapshots")
    event = {"id": "1", "time": "2026-11-23T03:15:00Z", "detail": json.loads(entry["Detail"])}
    parse = {"Instance Snapshot Requested": parse_request, "Fleet Snapshot Requested": parse_fleet_request}
    parse[entry["DetailType"]](event, default_region=REGIONS[0], regions=REGIONS)
    return True


@pytest.mark.parametrize("command", [*commands(), blocks(README, "sh")[-1]])
def test_each_command_asks_for_what_is_understood(command: str) -> None:
    assert all(is_request(entry) for entry in entries(command))


def test_there_is_a_command_for_each_way_in() -> None:
    assert len(list(commands())) == 4


def test_the_python_example_runs_and_asks_for_what_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = blocks(EVENTS, "python")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGIONS[0])
    names: dict[str, Any] = {}
    with mock_aws():
        boto3.client("events").create_event_bus(Name="lightsail-snapshots")
        exec(compile(code, str(EVENTS), "exec"), names)  # noqa: S102 - our own document
    assert names["request_id"]
    assert parse_request(
        {"id": "1", "time": "2026-11-23T03:15:00Z", "detail": names["detail"]},
        default_region=REGIONS[0],
        regions=REGIONS,
    )


def test_the_pattern_for_codepipeline_matches_its_event_as_aws_documents_it(tmp_path: Path) -> None:
    (plan, *_), *_ = [read(tmp_path, text).plans for text in blocks(EVENTS, "toml")]
    event: Any = {
        "version": "0",
        "id": "01234567-EXAMPLE",
        "detail-type": "CodePipeline Pipeline Execution State Change",
        "source": "aws.codepipeline",
        "account": "123456789012",
        "time": "2026-11-23T03:15:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:codepipeline:eu-central-1:123456789012:shop"],
        "detail": {"pipeline": "shop", "version": "3.0", "state": "STARTED", "execution-id": "01234567-0123"},
    }
    pattern = EventPattern.load(json.dumps(plan.on))
    assert pattern.matches_event(event)
    assert not pattern.matches_event(event | {"detail": {"pipeline": "shop", "state": "SUCCEEDED"}})
