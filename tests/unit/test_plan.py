"""A plan travels as JSON in our own events, and arrives as it was."""

import json
import re
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

import pytest

from lightsail_snapshots.drill_options import Drill, Probe
from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import InvalidValueError
from lightsail_snapshots.selection import Select
from tests.support.events import SCHEMAS

ALL = Select(all_instances=True)
EVERYTHING = Plan(
    name="daily",
    select=Select(names=("web-*",), tags={"backup": "daily"}, exclude=("test-*",)),
    schedule="cron(15 3 * * ? *)",
    timezone="Europe/Berlin",
    flexible_window=15,
    on={"source": ["aws.codepipeline"]},
    enabled=False,
    regions=("eu-central-1",),
    was=("nightly",),
    keep=Keep(last=7, weekly=4, within=timedelta(hours=36)),
    keep_confirmed=Keep(last=7),
    keep_for=timedelta(days=14),
    max_age=timedelta(minutes=90),
    copy_to=("eu-west-1",),
    tags={"cost-center": "web"},
    dry_run=True,
    drill=Drill(
        schedule="cron(0 5 ? * SUN *)",
        max_age=timedelta(days=35),
        time_limit=timedelta(minutes=30),
        max_price_per_hour=0.1,
        probe=Probe(port=8443, protocol="https", host="shop.example.com", path="/health", status=204, text="ok"),
    ),
)


@pytest.mark.parametrize("plan", [EVERYTHING, Plan(name="least", select=ALL)])
def test_plan_survives_a_round_trip_through_json(plan: Plan) -> None:
    assert Plan.from_detail(json.loads(json.dumps(plan.as_detail()))) == plan


def test_detail_leaves_out_defaults() -> None:
    detail = Plan(name="least", select=Select(all_instances=True), timezone="UTC").as_detail()
    assert detail == {"name": "least", "select": {"all": True}}


def test_published_schema_has_every_plan_key() -> None:
    published = json.loads((SCHEMAS / "prune-requested.json").read_text(encoding="utf-8"))["$defs"]["plan"]
    keys = {key.lower() for key in published["properties"]}
    assert keys == {each.name.replace("_", "") for each in fields(Plan)}


@dataclass(frozen=True, kw_only=True)
class PlanWithMoreKeys(Plan):
    """A plan after the recipe "add a plan key": one field each."""

    places: tuple[str, ...] = ()
    probe_port: int | None = None


def test_new_plan_key_is_one_field() -> None:
    plan = PlanWithMoreKeys(name="daily", select=ALL, places=("here",), probe_port=443)
    detail = plan.as_detail()
    assert detail.items() >= {"places": ["here"], "probePort": 443}.items()
    assert PlanWithMoreKeys.from_detail(json.loads(json.dumps(detail))) == plan


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"name": None}, "name: must be a text, not null"),
        ({"name": "a" * 41}, "name: must have 1 to 40 letters, digits, - _ and ."),
        ({"maxage": "P1D"}, "maxage: unknown key; did you mean maxAge?"),
        ({"maxAge": "P1Y"}, "maxAge: must be a duration such as 14d"),
        ({"flexibleWindow": True}, "flexibleWindow: must be a whole number, not True"),
        ({"copyTo": "eu-west-1"}, "copyTo: must be a list, not 'eu-west-1'"),
        ({"copyTo": [1]}, "copyTo[0]: must be a text, not 1"),
        ({"keep": 7}, "keep: must be a JSON object, not 7"),
        ({"keep": {"lst": 7}}, "keep.lst: unknown key; did you mean last?"),
        ({"select": {}}, "select: selects nothing: give names, tags or all"),
        ({"dryRun": 1}, "dryRun: must be true or false, not 1"),
    ],
)
def test_from_detail_rejects_what_as_detail_never_writes(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(text)):
        Plan.from_detail({"name": "daily", "select": {"all": True}} | changes)


def test_from_detail_reports_everything_at_once() -> None:
    with pytest.raises(InvalidValueError) as caught:
        Plan.from_detail({"maxAge": "soon", "colour": "red"})
    assert [problem.path for problem in caught.value.problems] == [("name",), ("select",), ("maxAge",), ("colour",)]


def test_fleet_request_has_what_a_sender_may_decide() -> None:
    assert EVERYTHING.as_fleet_request() == {
        "plan": "daily",
        "select": {"names": ["web-*"], "tags": {"backup": "daily"}, "exclude": ["test-*"]},
        "regions": ["eu-central-1"],
        "tags": {"cost-center": "web"},
        "copyTo": ["eu-west-1"],
        "keep": {"last": 7, "weekly": 4, "within": "PT36H"},
        "keepFor": "P14D",
    }
