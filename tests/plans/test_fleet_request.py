"""The `Fleet Snapshot Requested` of a plan: how late its runs may still take snapshots."""

from datetime import timedelta

import pytest

from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import parse_duration
from lightsail_snapshots.selection import Select
from lightsail_snapshots_plans.fleet_request import fleet_request

ALL = Select(all_instances=True)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("schedule", "longest"),
    [
        ("rate(15 minutes)", DAY),
        ("cron(15 3 * * ? *)", DAY),
        ("rate(3 days)", 3 * DAY),
        ("cron(15 3 ? * MON,THU *)", 4 * DAY),
        ("cron(0 12 1 * ? *)", 31 * DAY),
        ("cron(0 0 L * ? *)", DAY),  # not known
        ("cron(0 0 1 1 ? 2030,2040)", DAY),  # not known
        ("at(2026-12-24T18:00:00)", 7 * DAY),
        ("rate(1000000000 days)", timedelta(days=36_525)),  # the longest duration that an event can have
        (None, DAY),
    ],
)
def test_run_may_be_late_until_the_next_one_but_at_least_a_day(schedule: str | None, longest: timedelta) -> None:
    plan = Plan(name="daily", select=ALL, schedule=schedule, on=None if schedule else {"source": ["my.ci"]})
    assert parse_duration(fleet_request(plan)["lateAfter"]) == longest


def test_run_may_be_late_by_its_flexible_window_too() -> None:
    plan = Plan(name="daily", select=ALL, schedule="cron(15 3 * * ? *)", flexible_window=90)
    assert fleet_request(plan) == {"plan": "daily", "select": {"all": True}, "lateAfter": "PT1530M"}
