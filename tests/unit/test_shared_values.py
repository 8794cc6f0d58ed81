"""plans.toml and events accept the same values."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.fleet_snapshot_requested import parse_fleet_request
from lightsail_snapshots_plans.file import InvalidPlansError
from lightsail_snapshots_plans.plans import read_plans
from tests.support.events import requested

REGIONS = ("eu-central-1", "us-east-1")
TODAY = date(2026, 11, 23)

ACCEPTED: dict[str, list[Any]] = {
    "keep_for": ["14d", "26h", "90m", "P14D", "P2W", "PT36H", "P1DT12H", "P014D"],
    "tags": [{}, {"env": "prod"}, {"env": ""}, {"my-snapshot-of": "x"}],
    "regions": [["us-east-1"]],
    "copy_to": [["eu-west-1"]],
    "plan": ["daily", "Both.ways_1", "x" * 40],
}
"""By key of plans.toml: what both accept."""

REJECTED: dict[str, list[Any]] = {
    "keep_for": ["", "14 days", "14D", "2w", "90s", "1y", "007d", "P1M", "P0D", "0d", "99999d", 14],
    "tags": [
        {"env": 7},
        {"": "x"},
        {"env": "prod!"},
        {"aws:env": "x"},
        {f"key-{number}": "" for number in range(36)},
        {"managed-by": "me"},
        {"Managed-By": "me"},
        {"expires-at": "x"},
        {"copy-of": "x"},
        {"Snapshot-Anything": "x"},
        {"restore-settings": "x"},
        {"proven-at": "x"},
        {"drill-of": "x"},
    ],
    "regions": ["us-east-1", [], ["us-east-1", "us-east-1"], ["mars-1"], [7], ["eu-central-1a"], ["us-east-1-bos-1a"]],
    "copy_to": ["eu-west-1", [], ["eu-west-1", "eu-west-1"], ["mars-1"], ["eu-central-1"]],
    "plan": ["", "a!", "before deploy", "x" * 41],
}
"""What both reject."""

ONLY_EVENTS_ACCEPT: dict[str, list[Any]] = {"tags": [[{"key": "env"}]]}
"""A script may send tags in the form of Lightsail's API."""


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
    given: dict[str, Any] = {"schedule": "rate(1 day)", "select": {"all": True}, "regions": ["eu-central-1"]}
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
    fields = {"plan": "daily", "select": {"all": True}, "regions": ["eu-central-1"]}
    event = requested(fields | {{"keep_for": "keepFor", "copy_to": "copyTo"}.get(key, key): value}, source=SOURCE)
    try:
        parse_fleet_request(event, default_region=REGIONS[0], regions=REGIONS, copy_regions=["eu-west-1"])
    except InvalidRequestError:
        return False
    return True


def cases(table: Mapping[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(key, value) for key, values in table.items() for value in values]


@pytest.mark.parametrize(
    ("table", "expected"),
    [(ACCEPTED, (True, True)), (REJECTED, (False, False)), (ONLY_EVENTS_ACCEPT, (False, True))],
    ids=["accepted", "rejected", "only events"],
)
def test_plans_and_events_accept_the_same_values(
    table: Mapping[str, list[Any]], expected: tuple[bool, bool], tmp_path: Path
) -> None:
    found = [(*each, (plans_accept(tmp_path, *each), events_accept(*each))) for each in cases(table)]
    assert [each for each in found if each[2] != expected] == []
