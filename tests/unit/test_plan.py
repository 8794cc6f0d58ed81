"""A plan travels as JSON in our own events, and arrives as it was."""

import json
from datetime import timedelta
from typing import Any

import pytest

from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.plan import InvalidPlanError, Plan
from lightsail_snapshots.selection import Select

EVERYTHING = Plan(
    name="daily",
    select=Select(names=("web-*",), tags={"backup": "daily"}, exclude=("test-*",)),
    schedule="cron(15 3 * * ? *)",
    timezone="Europe/Berlin",
    flexible_window=15,
    on={"source": ["aws.codepipeline"]},
    regions=("eu-central-1",),
    keep=Keep(last=7, weekly=4, within=timedelta(hours=36)),
    keep_for=timedelta(days=14),
    max_age=timedelta(minutes=90),
    copy_to=("eu-west-1",),
    tags={"cost-center": "web"},
    dry_run=True,
)


@pytest.mark.parametrize("plan", [EVERYTHING, Plan(name="least", select=Select(all_instances=True))])
def test_plan_survives_a_round_trip_through_json(plan: Plan) -> None:
    assert Plan.from_detail(json.loads(json.dumps(plan.as_detail()))) == plan


def test_detail_leaves_out_defaults() -> None:
    detail = Plan(name="least", select=Select(all_instances=True), timezone="UTC").as_detail()
    assert detail == {"name": "least", "select": {"all": True}, "timezone": "UTC"}


@pytest.mark.parametrize(
    ("detail", "text"),
    [
        (None, "must be a JSON object, not None"),
        ({"name": "daily", "select": {"all": True}, "maxage": "P1D"}, "a plan has no maxage"),
        ({"name": "daily", "select": {"all": True}, "maxAge": "P1Y"}, "plan 'daily' cannot be read: must be an ISO"),
        ({"name": "daily", "select": {"all": True}, "keep": {"lst": 7}}, "plan 'daily' cannot be read"),
        ({"name": "daily"}, "plan 'daily' cannot be read"),
    ],
)
def test_from_detail_rejects_what_as_detail_never_writes(detail: Any, text: str) -> None:
    with pytest.raises(InvalidPlanError, match=text):
        Plan.from_detail(detail)


def test_fleet_request_has_what_a_sender_may_decide() -> None:
    assert EVERYTHING.as_fleet_request() == {
        "plan": "daily",
        "select": {"names": ["web-*"], "tags": {"backup": "daily"}, "exclude": ["test-*"]},
        "regions": ["eu-central-1"],
        "tags": {"cost-center": "web"},
        "copyTo": ["eu-west-1"],
        "keepFor": "P14D",
    }
