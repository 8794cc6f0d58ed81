"""What counts as a recovery point, and when an instance is overdue."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.instance import Instance
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.recovery_points import PlanReport, newest_recovery_points, report
from lightsail_snapshots.selection import Select
from lightsail_snapshots.snapshot import Snapshot
from tests.support.snapshots import AWAY, HOME, copy_of, instance_arn, snapshot

NOW = datetime(2026, 11, 23, 12, 45, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)
HOUR = timedelta(hours=1)


def plan(*, select: Select | None = None, max_age: timedelta | None = 26 * HOUR, copy_to: tuple[str, ...] = ()) -> Plan:
    everything = Select(all_instances=True)
    return Plan(name="daily", select=select or everything, regions=(HOME,), max_age=max_age, copy_to=copy_to)


def instance(
    number: int = 1, *, created_at: datetime = LONG_AGO, tags: Mapping[str, str] | None = None, name: str = ""
) -> Instance:
    return Instance(
        name=name or f"web-{number}", arn=instance_arn(number), tags=dict(tags or {}), created_at=created_at
    )


def audit(snapshots: Iterable[Snapshot], *instances: Instance, of: Plan | None = None) -> PlanReport:
    return report(of or plan(), {HOME: instances or [instance()]}, newest_recovery_points(snapshots), NOW)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


# What counts


def test_newest_usable_snapshot_is_the_recovery_point() -> None:
    found = audit([snapshot(ago(50)), snapshot(ago(2)), snapshot(ago(26))])
    assert found.statuses[0].recovery_point_at == ago(2)
    assert (found.oldest, found.instances_protected, found.instances_overdue) == (2 * HOUR, 1, 0)


@pytest.mark.parametrize("state", ["pending", "error", "something-new"])
def test_snapshot_does_not_count_if_it_is_not_usable(state: str) -> None:
    found = audit([snapshot(ago(30)), snapshot(ago(1), state=state)])
    assert found.oldest == 30 * HOUR
    assert found.instances_overdue == 1


def test_snapshot_of_another_owner_does_not_count() -> None:
    assert audit([snapshot(ago(1), tags={"managed-by": "me"})]).instances_overdue == 1


def test_persons_snapshot_that_inherited_our_tags_does_not_count() -> None:
    restored = instance(name="web-1-restored")
    made_by_hand = replace(snapshot(ago(1)), instance_name="web-1-restored")
    assert audit([made_by_hand], restored).instances_overdue == 1


def test_snapshot_of_an_earlier_instance_does_not_count() -> None:
    found = audit([snapshot(ago(1), of=instance_arn(9))])
    assert found.statuses[0].recovery_point_at is None
    assert found.instances_overdue == 1


def test_snapshot_of_an_unknown_instance_does_not_count() -> None:
    assert audit([snapshot(ago(1), of="")]).instances_overdue == 1


@pytest.mark.parametrize("of_plan", ["weekly", None])
def test_snapshot_of_another_plan_or_of_none_counts(of_plan: str | None) -> None:
    assert audit([snapshot(ago(1), plan=of_plan)]).instances_overdue == 0


def test_expired_snapshot_counts_while_it_exists() -> None:
    assert audit([snapshot(ago(3), tags={"expires-at": "2026-11-23T10:00:00Z"})]).oldest == 3 * HOUR


def test_age_is_zero_if_the_snapshot_is_newer_than_the_request() -> None:
    assert audit([snapshot(NOW + timedelta(seconds=30))]).oldest == timedelta(0)


# When an instance is overdue


def test_instance_is_overdue_when_its_snapshot_exceeds_max_age() -> None:
    assert audit([snapshot(ago(26))]).overdue == []
    [overdue] = audit([snapshot(ago(26.5))]).overdue
    assert overdue.overdue_since == ago(0.5)


def test_new_instance_has_max_age_for_its_first_snapshot() -> None:
    found = audit([], instance(created_at=ago(25)))
    assert (found.instances_overdue, found.instances_protected) == (0, 0)
    assert found.oldest == 25 * HOUR


def test_age_is_the_instances_own_without_a_snapshot() -> None:
    found = audit([], instance(created_at=ago(30)))
    assert found.oldest == 30 * HOUR
    assert found.overdue[0].overdue_since == ago(4)


def test_age_is_reported_without_max_age_and_nothing_is_overdue() -> None:
    found = audit([snapshot(ago(1000))], of=plan(max_age=None))
    assert (found.instances_overdue, found.instances_protected, found.oldest) == (0, 1, 1000 * HOUR)


def test_report_has_only_instances_that_the_plan_selects() -> None:
    found = audit(
        [],
        instance(1, tags={"backup": "daily"}, created_at=ago(1)),
        instance(2),
        of=plan(select=Select(tags={"backup": "daily"})),
    )
    assert [status.instance.name for status in found.statuses] == ["web-1"]


def test_report_has_no_age_if_the_plan_selects_nothing() -> None:
    found = audit([], of=plan(select=Select(names=("shop-*",))))
    assert (found.oldest, found.oldest_copy, found.instances_protected) == (None, None, 0)


def test_overdue_lists_the_longest_overdue_first() -> None:
    found = audit(
        [snapshot(ago(30), of=instance_arn(1)), snapshot(ago(40), of=instance_arn(2))], instance(1), instance(2)
    )
    assert [status.instance.name for status in found.overdue] == ["web-2", "web-1"]


# Copies


def test_copy_is_as_old_as_its_data() -> None:
    source = snapshot(ago(5))
    found = audit([source, copy_of(source, after=4 * HOUR)], of=plan(copy_to=(AWAY,)))
    assert (found.oldest, found.oldest_copy, found.instances_protected) == (5 * HOUR, 5 * HOUR, 1)


def test_copy_is_no_recovery_point_in_the_instances_region() -> None:
    found = audit([copy_of(snapshot(ago(5)))], of=plan(copy_to=(AWAY,)))
    [here, there] = found.statuses
    assert (here.copy_region, here.recovery_point_at, here.overdue_since is None) == (None, None, False)
    assert (there.copy_region, there.recovery_point_at, there.overdue_since) == (AWAY, ago(5), None)


def test_slow_copy_is_not_overdue() -> None:
    old, new = snapshot(ago(49)), snapshot(ago(25))
    copies = [copy_of(old), copy_of(new, state="pending")]
    assert audit([new, *copies], of=plan(copy_to=(AWAY,))).instances_overdue == 0


def test_missing_copy_is_overdue() -> None:
    new = snapshot(ago(2))
    found = audit([new, copy_of(snapshot(ago(51)))], of=plan(copy_to=(AWAY,)))
    [overdue] = found.overdue
    assert (overdue.copy_region, overdue.overdue_since) == (AWAY, ago(1))
    assert (found.instances_overdue, found.instances_protected) == (1, 0)


def test_overdue_lists_snapshots_before_copies_of_one_moment() -> None:
    found = audit([snapshot(ago(30)), copy_of(snapshot(ago(54)))], of=plan(copy_to=(AWAY,)))
    assert [status.overdue_since for status in found.overdue] == [ago(4), ago(4)]
    assert [status.copy_region for status in found.overdue] == [None, AWAY]


def test_instance_with_two_overdue_entries_counts_once() -> None:
    found = audit([], of=plan(copy_to=(AWAY,)))
    assert (len(found.overdue), found.instances_overdue) == (2, 1)


def test_copy_of_an_earlier_instance_does_not_count() -> None:
    found = audit([snapshot(ago(1)), copy_of(snapshot(ago(1), of=instance_arn(9)))], of=plan(copy_to=(AWAY,)))
    assert [status.copy_region for status in found.overdue] == [AWAY]


# Any listing

_snapshots = st.lists(
    st.builds(
        lambda hours, number, state, ours: replace(
            snapshot(ago(hours), of=instance_arn(number), name=f"s-{hours}-{number}"),
            state=state,
            tags={"managed-by": "lightsail-snapshots" if ours else "me"},
        ),
        st.integers(0, 80),
        st.integers(1, 3),
        st.sampled_from(["available", "pending", "error"]),
        st.booleans(),
    ),
    max_size=12,
)


@given(_snapshots, st.randoms())
def test_recovery_points_ignore_order_and_repeats_of_a_listing(snapshots: list[Snapshot], random: object) -> None:
    again = [*snapshots, *snapshots[: len(snapshots) // 2]]
    random.shuffle(again)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert newest_recovery_points(again) == newest_recovery_points(snapshots)


@given(_snapshots, _snapshots)
def test_status_never_gets_worse_with_more_snapshots(some: list[Snapshot], more: list[Snapshot]) -> None:
    instances = [instance(number) for number in (1, 2, 3)]
    before, after = audit(some, *instances), audit([*some, *more], *instances)
    assert after.instances_overdue <= before.instances_overdue
    assert all(late.age <= early.age for early, late in zip(before.statuses, after.statuses, strict=True))


def test_copy_of_an_unknown_source_does_not_count() -> None:
    source = snapshot(ago(90))
    unclear = replace(
        copy_of(source, after=89 * HOUR), instance_arn=source.instance_arn, tags={**source.tags, "copy-of": ""}
    )
    assert newest_recovery_points([unclear]) == {}
