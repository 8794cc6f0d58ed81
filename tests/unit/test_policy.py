"""The plans in `Prune Requested`: what a good one says, and every way in which one can be bad."""

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest

from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.policy import Policy, parse_policies
from lightsail_snapshots.retention import UNPLANNED


def policy(**plan: object) -> Policy:
    [only] = parse_policies({"plans": [{"plan": "daily", **plan}]})
    return only


def problems(*plans: object) -> tuple[str, ...]:
    with pytest.raises(InvalidRequestError) as caught:
        parse_policies({"plans": list(plans)})
    return caught.value.problems


def problem(**plan: object) -> str:
    [only] = problems({"plan": "daily", **plan})
    return only.removeprefix("plans[0].")


def test_the_smallest_plan_has_a_name_and_deletes_nothing() -> None:
    assert policy() == Policy(plan="daily", time_zone=UTC, keep=Keep())


def test_all_that_a_plan_can_say_is_read() -> None:
    rules = {"last": 1, "hourly": 2, "daily": 3, "weekly": 4, "monthly": 5, "yearly": 6, "within": "P2D"}
    assert policy(
        timezone="Europe/Berlin",
        keep=rules,
        copyTo=["eu-west-1"],
        maxDeletes=0,
        allowDeletesUntil="2026-12-01",
        dryRun=True,
    ) == Policy(
        plan="daily",
        time_zone=ZoneInfo("Europe/Berlin"),
        keep=Keep(last=1, hourly=2, daily=3, weekly=4, monthly=5, yearly=6, within=timedelta(days=2)),
        copy_to=("eu-west-1",),
        max_deletes=0,
        allow_deletes_until=date(2026, 12, 1),
        dry_run=True,
    )


def test_what_other_functions_read_from_a_plan_is_passed_over() -> None:
    others = {"schedule": "rate(1 day)", "on": {}, "regions": [], "select": {}, "maxAge": "PT26H", "tags": {}}
    assert policy(**others, keepFor="P14D") == Policy(plan="daily")


def test_the_plan_without_a_name_is_for_snapshots_that_no_plan_made() -> None:
    assert policy(plan="") == Policy(plan=UNPLANNED)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"timezone": "Berlin"}, "timezone: must be an IANA time zone such as Europe/Berlin, not 'Berlin'"),
        ({"timezone": "Europe"}, "timezone: must be an IANA time zone such as Europe/Berlin, not 'Europe'"),
        (
            {"timezone": "/etc/localtime"},
            "timezone: must be an IANA time zone such as Europe/Berlin, not '/etc/localtime'",
        ),
        ({"keep": 7}, "keep: must be a JSON object, not 7"),
        ({"keep": {}}, "keep: keeps nothing; leave it out where nothing is to be deleted"),
        ({"keep": {"last": 0}}, "keep: keeps nothing; leave it out where nothing is to be deleted"),
        ({"keep": {"last": -1}}, "keep.last: must be a whole number of at least 0, not -1"),
        ({"keep": {"last": True}}, "keep.last: must be a whole number of at least 0, not True"),
        ({"keep": {"last": "7"}}, "keep.last: must be a whole number of at least 0, not '7'"),
        ({"keep": {"last": 7, "dayly": 7}}, "keep.dayly: is not a known field; did you mean daily?"),
        ({"copyTo": "eu-west-1"}, "copyTo: must be a list, not 'eu-west-1'"),
        ({"copyTo": [1]}, "copyTo: must be a text, not 1"),
        ({"copyto": ["eu-west-1"]}, "copyto: is not a known field; did you mean copyTo?"),
        ({"maxDeletes": 1.5}, "maxDeletes: must be a whole number of at least 0, not 1.5"),
        ({"allowDeletesUntil": "soon"}, "allowDeletesUntil: must be a date such as 2026-12-01, not 'soon'"),
        ({"dryRun": "yes"}, "dryRun: must be true or false, not 'yes'"),
    ],
)
def test_each_mistake_is_named(plan: dict[str, object], message: str) -> None:
    assert problem(**plan) == message


def test_a_bad_duration_shows_what_is_allowed() -> None:
    assert problem(keep={"within": "2d"}).startswith("keep.within: must be an ISO 8601 duration")


def test_every_problem_of_every_plan_is_listed_at_once() -> None:
    found = problems({"keep": {"last": 7}}, "daily", {"plan": "a", "dryRun": 1, "maxDeletes": -1}, {"plan": 5})
    assert [each.split(":")[0] for each in found] == [
        "plans[0].plan",
        "plans[1]",
        "plans[2].maxDeletes",
        "plans[2].dryRun",
        "plans[3].plan",
    ]


def test_a_plan_that_is_there_twice_is_refused() -> None:
    assert problems({"plan": "daily"}, {"plan": "weekly"}, {"plan": "daily"}) == ("plans: 'daily' is there 2 times",)


@pytest.mark.parametrize("detail", [{}, {"plans": None}, {"plans": {}}])
def test_an_event_without_plans_is_refused(detail: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError, match="plans: "):
        parse_policies(detail)
