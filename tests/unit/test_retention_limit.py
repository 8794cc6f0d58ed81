"""Too many deletions at once: none of them is done, until somebody allows it."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.retention import decide
from lightsail_snapshots.snapshot import Snapshot
from tests.support.snapshots import (
    DAILY_7,
    DAY,
    HOUR,
    NOW,
    deleted,
    instance_arn,
    make_plan,
    names,
    nightly,
    snapshot,
)


def test_a_plan_changed_from_70_to_7_deletes_nothing_and_says_so() -> None:
    decisions = decide(nightly(70), [DAILY_7], NOW)
    assert deleted(decisions) == []
    refused = [each for each in decisions if each.refused]
    assert len(refused) == 63
    assert refused[0].reason == (
        "no keep rule of plan daily keeps it; not done: 63 deletions by plan daily in one run, at most 17 are allowed"
    )


@pytest.mark.parametrize(("owned", "limit"), [(4, 3), (15, 3), (16, 4), (40, 10)])
def test_by_default_a_quarter_of_an_instances_snapshots_may_go_and_always_three(owned: int, limit: int) -> None:
    strangers = [replace(snapshot(NOW - 500 * DAY, name=f"manual-{n}"), tags={}) for n in range(90)]

    def gone(keep: int) -> int:
        return len(deleted(decide(nightly(owned) + strangers, [make_plan(keep=Keep(last=keep))], NOW)))

    assert gone(owned - limit) == limit
    assert gone(max(owned - limit - 1, 1)) == (0 if owned - limit > 1 else limit)


def test_a_daily_a_weekly_and_a_failed_one_may_go_on_one_monday() -> None:
    nights = nightly(36)
    kept = make_plan(keep=Keep(daily=3, weekly=3), max_deletes=50)
    yesterday = [each.snapshot for each in decide(nights[1:], [kept], NOW - DAY) if each.action == "keep"]
    failed = snapshot(NOW - 2 * DAY, name="failed", state="error")
    today = [replace(nights[0], created_at=NOW - HOUR, name="monday"), failed, *yesterday]
    assert len(deleted(decide(today, [replace(kept, max_deletes=None)], NOW))) == 3


def test_max_deletes_is_the_plans_own_limit_for_each_instance() -> None:
    policy = replace(DAILY_7, max_deletes=3)
    calm = [replace(night, name=f"b-{night.name}", instance_arn=instance_arn(2)) for night in nightly(10)]
    decisions = decide([*nightly(11), *calm], [policy], NOW)
    assert deleted(decisions) == names(calm[7:])
    assert sum(each.refused for each in decisions) == 4
    assert deleted(decide(nightly(8), [replace(DAILY_7, max_deletes=0)], NOW)) == []


def test_one_plan_that_would_delete_too_much_stops_every_deletion_of_its_instance() -> None:
    hourly = [snapshot(NOW - hour * HOUR, plan="hourly") for hour in (1, 2)]
    plans = [DAILY_7, make_plan("hourly", keep=Keep(last=1))]
    decisions = decide([*nightly(70), *hourly], plans, NOW)
    assert deleted(decisions) == []
    assert sum(each.refused for each in decisions) == 64


@pytest.mark.parametrize(
    ("until", "allowed"),
    [
        (date(2026, 11, 22), False),
        (date(2026, 11, 23), True),
        (date(2026, 11, 30), True),
        (date(2026, 12, 1), False),
    ],
)
def test_allow_deletes_until_lifts_the_limit_for_seven_days_at_most(until: date, allowed: bool) -> None:
    decisions = decide(nightly(70), [replace(DAILY_7, allow_deletes_until=until)], NOW)
    assert len(deleted(decisions)) == (63 if allowed else 0)
    ignored = "allow_deletes_until = 2026-12-01 does not count, it is more than seven days ahead"
    assert any(ignored in each.reason for each in decisions) == (until == date(2026, 12, 1))


def test_allow_deletes_until_ends_with_the_day_of_the_plans_time_zone() -> None:
    policy = replace(DAILY_7, allow_deletes_until=date(2026, 11, 23), timezone="Europe/Berlin")
    assert deleted(decide(nightly(70), [policy], datetime(2026, 11, 23, 22, 59, tzinfo=UTC)))
    assert not deleted(decide(nightly(70), [policy], datetime(2026, 11, 23, 23, 0, tzinfo=UTC)))


def test_what_others_let_expire_goes_a_few_at_a_time_the_oldest_first() -> None:
    expired = [replace(night, tags=expired_tags(night)) for night in nightly(9)]
    decisions = decide(expired, [], NOW)
    assert deleted(decisions) == names(expired[-3:])
    assert decisions[1].reason == "expired on 2026-11-23T00:00:00Z; older ones go first, 3 in one run"
    assert not any(each.refused for each in decisions)


def test_what_others_let_expire_is_gone_in_the_end_but_for_the_newest() -> None:
    left = [replace(night, tags=expired_tags(night)) for night in nightly(9)]
    for _ in range(4):
        left = [each.snapshot for each in decide(left, [], NOW) if each.action == "keep"]
    assert names(left) == names([max(left, key=lambda each: each.created_at)])


def expired_tags(of: Snapshot) -> dict[str, str]:
    unplanned = {key: value for key, value in of.tags.items() if key != "snapshot-plan"}
    return {**unplanned, "expires-at": "2026-11-23T00:00:00Z"}


def test_a_clock_that_jumps_ahead_expires_no_more_than_the_limit() -> None:
    snapshots = [replace(night, tags={**night.tags, "expires-at": "2027-06-01T00:00:00Z"}) for night in nightly(12)]
    decisions = decide(snapshots, [DAILY_7], NOW + 9000 * DAY)
    assert deleted(decisions) == []
    assert sum(each.refused for each in decisions) == 11


def test_a_plan_that_only_looks_on_does_not_stop_the_deletions_of_another() -> None:
    hourly = [snapshot(NOW - hour * HOUR, plan="hourly") for hour in (1, 2)]
    plans = [replace(DAILY_7, dry_run=True), make_plan("hourly", keep=Keep(last=1))]
    decisions = decide([*nightly(70), *hourly], plans, NOW)
    assert deleted(decisions) == [hourly[1].name]
    assert sum(each.refused and each.dry_run for each in decisions) == 63
