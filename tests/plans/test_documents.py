"""The documents on plans and events: generated parts are current, examples are valid, commands can be pasted."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from jsonschema import Draft202012Validator
from moto import mock_aws
from moto.events.models import EventPattern

from lightsail_snapshots.events.fleet_snapshot_requested import parse_fleet_request
from lightsail_snapshots.events.instance_snapshot_requested import parse_request
from lightsail_snapshots.selection import parse_select
from lightsail_snapshots_plans.models import FileTable, KeepTable, PlanTable, SelectTable
from lightsail_snapshots_plans.schema import REFERENCE, SCHEMA, plans_schema, with_tables
from tests.support.plan_text import error_of, plan_toml, read

DOCS = Path(__file__).parents[2] / "docs"
EVENTS, RETENTION = DOCS / "events" / "README.md", DOCS / "retention.md"
REGIONS = ["eu-central-1", "us-east-1"]


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_schema_and_reference_are_what_the_models_say() -> None:
    regenerate = "run python -m lightsail_snapshots_plans.schema"
    assert SCHEMA.read_text(encoding="utf-8") == plans_schema(), regenerate
    assert REFERENCE.read_text(encoding="utf-8") == with_tables(REFERENCE.read_text(encoding="utf-8")), regenerate


def test_every_example_of_a_key_is_valid() -> None:
    for table in (FileTable, PlanTable, KeepTable):
        for name, field in table.model_fields.items():
            for example in field.examples or ():
                table.model_validate({name: example})
    for name, field in SelectTable.model_fields.items():
        for example in field.examples or ():
            parse_select({"all": True, name: example}, exclude_tags_key="exclude_tags")


EXAMPLES = [text for path in (REFERENCE, EVENTS, RETENTION) for text in blocks(path, "toml")]


def test_every_example_of_a_file_can_be_deployed(tmp_path: Path) -> None:
    for text in EXAMPLES:
        read(tmp_path, text)


def is_valid(text: str) -> bool:
    """Tell whether an editor that has the schema would accept the file."""
    values = json.loads(json.dumps(tomllib.loads(text), default=str))  # as editors see a date
    return Draft202012Validator(json.loads(plans_schema())).is_valid(values)


def test_schema_accepts_what_can_be_deployed() -> None:
    shipped = (DOCS.parent / "plans.toml").read_text(encoding="utf-8")
    assert shipped.startswith(f"#:schema docs/{SCHEMA.name}\n")
    assert all(map(is_valid, [shipped, *EXAMPLES, plan_toml(keep_confirmed='"last=7"'), ""]))


def test_schema_rejects_common_mistakes() -> None:
    mistakes: list[dict[str, str | None]] = [
        {"shedule": '"rate(1 day)"'},
        {"select": None},
        {"schedule": None},
        {"keep": "7"},
        {"regions": '["eu-central-1a"]'},
        {"flexible_window": "1441"},
        {"dry_run": '"yes"'},
    ]
    assert [is_valid(plan_toml(**changes)) for changes in mistakes] == [False] * len(mistakes)
    assert not is_valid("[daily]\nkeep = 7")


def test_mistakes_are_shown_as_they_are_printed(tmp_path: Path) -> None:
    (shown, *_) = blocks(REFERENCE, "console")
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
    """Read the event as the functions do; raises InvalidRequestError if it is bad."""
    assert entry["EventBusName"].endswith("lightsail-snapshots")
    event = {"id": "1", "time": "2026-11-23T03:15:00Z", "detail": json.loads(entry["Detail"])}
    parsers = {"Instance Snapshot Requested": parse_request, "Fleet Snapshot Requested": parse_fleet_request}
    parse: Any = parsers[entry["DetailType"]]
    parse(event, default_region=REGIONS[0], regions=REGIONS)
    return True


def test_every_command_puts_a_valid_request() -> None:
    found = [*commands()]
    assert len(found) == 3
    for command in found:
        assert all(is_request(entry) for entry in entries(command))


def test_python_example_runs_and_puts_a_valid_request(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_codepipeline_pattern_matches_the_documented_event(tmp_path: Path) -> None:
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
