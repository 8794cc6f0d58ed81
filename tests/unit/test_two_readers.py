"""Values that plans.toml and events both have: which of the two accepts which."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lightsail_snapshots.events.audit_requested import parse_audit_request
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.fleet_snapshot_requested import parse_fleet_request
from lightsail_snapshots.policy import parse_policies
from lightsail_snapshots_plans.file import InvalidPlansError
from lightsail_snapshots_plans.models import read_plans
from tests.support.events import requested

REGIONS = ("eu-central-1", "us-east-1")
TODAY = date(2026, 11, 23)

BOTH = {
    "keep_for": ["P14D", "P2W", "PT36H", "P1DT12H", "P014D"],
    "max_age": ["P14D", "PT90M"],
    "tags": [{"env": "prod"}, {"env": ""}, {"Managed-By": "me"}],
    "regions": [["us-east-1"]],
    "copy_to": [["eu-west-1"]],
    "timezone": ["Europe/Berlin", "UTC"],
    "max_deletes": [1],
    "allow_deletes_until": ["2026-11-30", "20261130"],
    "dry_run": [True],
    "plan": ["daily"],
}
"""By key of plans.toml: what both accept."""

NEITHER = {
    "keep_for": ["", "14 days", "P1M", "P0D", "0d", 14],
    "max_age": ["", "P1Y", "soon", 26],
    "tags": [{"env": 7}, {"": "x"}, {"env": "prod!"}, {"aws:env": "x"}, {f"key-{number}": "" for number in range(46)}],
    "regions": ["us-east-1", ["mars-1"], [7], ["eu-central-1a"], ["us-east-1-bos-1a"]],
    "copy_to": ["eu-west-1", ["mars-1"], ["eu-central-1"]],
    "timezone": ["", "Mars", 7],
    "max_deletes": [-1, "1", True, 1.5],
    "allow_deletes_until": ["soon", 7],
    "dry_run": ["yes", 1],
    "plan": ["", "a!", "x" * 257],
}
"""What both reject."""

PLANS_ONLY = {
    "max_age": ["26h", "90m", "14d"],
}
"""What plans.toml accepts and an event does not."""

EVENTS_ONLY = {
    "tags": [{}, {"managed-by": "me"}, {"expires-at": "x"}, [{"key": "env"}]],
    "regions": [[], ["us-east-1", "us-east-1"]],
    "copy_to": [[], ["eu-west-1", "eu-west-1"]],
    "timezone": ["Factory"],
    "max_deletes": [0],
    "allow_deletes_until": ["2027-11-30"],
    "plan": ["before deploy", "x" * 41],
}
"""What an event accepts and plans.toml does not."""

AS_KEYS = {"keep_for": "keepFor", "copy_to": "copyTo", "max_deletes": "maxDeletes", "max_age": "maxAge"}
AS_KEYS |= {"allow_deletes_until": "allowDeletesUntil", "dry_run": "dryRun"}


def as_toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f'"{key}" = {as_toml(each)}' for key, each in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def plans_accept(directory: Path, key: str, value: Any) -> bool:
    name = value if key == "plan" else "daily"
    given = {"schedule": "rate(1 day)", "select": {"all": True}, "regions": ["eu-central-1"]}
    given |= {} if key == "keep_for" else {"keep": {"last": 7}}
    given |= {} if key == "plan" else {key: value}
    lines = (f"{each} = {as_toml(content)}\n" for each, content in given.items())
    path = directory / "plans.toml"
    path.write_text(f"[plans.{as_toml(name)}]\n{''.join(lines)}", encoding="utf-8")
    try:
        read_plans(path, today=TODAY)
    except InvalidPlansError:
        return False
    return True


def events_accept(key: str, value: Any) -> bool:
    """Try the event that carries the key: that of prune, of audit, or of a fleet."""
    field = {AS_KEYS.get(key, key): value}
    plan: dict[str, Any] = {"plan": "daily", "select": {"all": True}, "regions": ["eu-central-1"]}
    try:
        if key in {"timezone", "max_deletes", "allow_deletes_until", "dry_run"}:
            parse_policies({"plans": [plan | field]})
        elif key == "max_age":
            detail = {"plans": [plan | field]}
            parse_audit_request(requested(detail), default_region=REGIONS[0], regions=REGIONS)
        else:
            event = requested(plan | field)
            parse_fleet_request(event, default_region=REGIONS[0], regions=REGIONS, copy_regions=["eu-west-1"])
    except InvalidRequestError:
        return False
    return True


def cases(table: Mapping[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(key, value) for key, values in table.items() for value in values]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (BOTH, (True, True)),
        (NEITHER, (False, False)),
        (PLANS_ONLY, (True, False)),
        (EVENTS_ONLY, (False, True)),
    ],
)
def test_plans_and_events_accept_a_value(
    table: Mapping[str, list[Any]], expected: tuple[bool, bool], tmp_path: Path
) -> None:
    found = [(*each, (plans_accept(tmp_path, *each), events_accept(*each))) for each in cases(table)]
    assert [each for each in found if each[2] != expected] == []
