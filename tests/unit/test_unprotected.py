"""Which instances no plan selects, and why."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from lightsail_snapshots.instance import Instance
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.selection import Select
from lightsail_snapshots.snapshot import Snapshot
from lightsail_snapshots.unprotected import UnprotectedInstance, find_unprotected, newest_plan_snapshots
from tests.support.snapshots import AWAY, HOME, NOW, copy_of, instance_arn, snapshot

HOUR = timedelta(hours=1)
ANY = Select(all_instances=True)
DAILY = Plan(name="daily", was=("nightly",), select=Select(tags={"backup": "daily"}), regions=(HOME,))
NOBODY = Select()


def instance(name: str = "web-1", number: int = 1, /, **tags: str) -> Instance:
    return Instance(name=name, arn=instance_arn(number), tags=tags, created_at=NOW)


def find(
    instances: Mapping[str, Sequence[Instance]],
    *plans: Plan,
    snapshots: Sequence[Snapshot] = (),
    meant: Select = NOBODY,
) -> list[UnprotectedInstance]:
    return find_unprotected(plans or [DAILY], instances, newest_plan_snapshots(snapshots), meant)


def find_one(
    instance: Instance, *plans: Plan, region: str = HOME, snapshots: Sequence[Snapshot] = ()
) -> UnprotectedInstance:
    [only] = find({region: [instance]}, *plans, snapshots=snapshots)
    return only


def test_selected_instance_is_not_unprotected() -> None:
    assert find({HOME: [instance(backup="daily")]}) == []


@pytest.mark.parametrize("owner", ["lightsail-snapshots-drill", "lightsail-snapshots-doctor"])
def test_instance_of_a_drill_or_of_doctor_is_neither_selected_nor_unprotected(owner: str) -> None:
    tags = {"backup": "daily", "managed-by": owner}
    assert not any(select.matches("web-1", tags) for select in (ANY, DAILY.select))
    assert find_unprotected([], {HOME: [instance(**tags)]}, {}, NOBODY) == []


def test_instance_without_a_tag_is_in_no_plan() -> None:
    found = find_one(instance())
    assert (found.because, found.plan, found.spelling) == ("no_plan", None, None)


def test_every_instance_is_unprotected_without_plans() -> None:
    found = find_unprotected([], {HOME: [instance()], AWAY: [instance("web-1", 2)]}, {}, NOBODY)
    assert [(each.region, each.because) for each in found] == [(HOME, "no_plan"), (AWAY, "no_plan")]


@pytest.mark.parametrize(
    ("tags", "tag"),
    [
        ({"backup": "dayly"}, "backup=dayly"),
        ({"backup": "dialy"}, "backup=dialy"),
        ({"backup": "Daily"}, "backup=Daily"),
        ({"backup": "daily "}, "backup=daily "),
        ({"Backup": "daily"}, "Backup=daily"),
        ({"bakcup": "daily"}, "bakcup=daily"),
        ({"BACKUP": "DAYLY"}, "BACKUP=DAYLY"),
    ],
)
def test_tag_that_is_nearly_right_is_reported_with_the_right_one(tags: dict[str, str], tag: str) -> None:
    found = find_one(instance(**tags))
    assert found.because == "similar_tag"
    assert found.spelling == ("daily", tag, "backup=daily")


@pytest.mark.parametrize(
    "tags", [{"backup": "none"}, {"backup": "weekly"}, {"env": "daily"}, {"backup": ""}, {"daily": "backup"}]
)
def test_other_tag_is_not_similar(tags: dict[str, str]) -> None:
    assert find_one(instance(**tags)).because == "no_plan"


def test_value_is_similar_to_a_glob_if_it_matches_or_looks_like_it() -> None:
    plan = Plan(name="daily", select=Select(tags={"backup": "daily*"}), regions=(HOME,))
    assert find_one(instance(Backup="daily-1"), plan).spelling == ("daily", "Backup=daily-1", "backup=daily-1")
    assert find_one(instance(backup="dail"), plan).spelling == ("daily", "backup=dail", "backup=daily*")
    assert find_one(instance(backup="da-1"), plan).because == "no_plan"


def test_tag_with_the_right_key_comes_before_one_that_resembles_it() -> None:
    found = find_one(instance(Backup="daily", backup="dayly"))
    assert found.spelling == ("daily", "backup=dayly", "backup=daily")


def test_values_that_differ_in_one_of_four_characters_are_not_similar() -> None:
    plan = Plan(name="daily", select=Select(tags={"group": "web1"}), regions=(HOME,))
    assert find_one(instance(group="web2"), plan).because == "no_plan"


def test_similar_tag_is_not_enough_if_another_condition_fails() -> None:
    tags = {"backup": "daily", "env": "prod"}
    plan = Plan(name="daily", select=Select(tags=tags, names=("web-*",)), regions=(HOME,))
    assert find_one(instance(backup="dayly"), plan).because == "no_plan"
    assert find_one(instance("shop", backup="dayly", env="prod"), plan).because == "no_plan"
    found = find_one(instance(backup="dayly", env="prod"), plan)
    assert found.spelling == ("daily", "backup=dayly", "backup=daily")
    found = find_one(instance(backup="daily", env="Prod"), plan)
    assert found.spelling == ("daily", "env=Prod", "env=prod")


def test_similar_tag_is_not_enough_if_another_tag_excludes_the_instance() -> None:
    select = Select(tags={"backup": "daily"}, exclude_tags={"env": "test"})
    plan = Plan(name="daily", select=select, regions=(HOME,))
    assert find_one(instance(backup="dayly", env="test"), plan).because == "no_plan"


def test_plan_that_would_select_it_elsewhere_is_named() -> None:
    found = find_one(instance(backup="daily"), region=AWAY)
    assert (found.because, found.plan) == ("region_not_configured", "daily")


def test_region_without_a_plan_is_a_reason_of_its_own() -> None:
    found = find_one(instance(), region=AWAY)
    assert (found.because, found.plan) == ("region_not_configured", None)


def test_instance_with_a_snapshot_of_a_plan_has_left_it() -> None:
    taken = [snapshot(NOW - 50 * HOUR), snapshot(NOW - 26 * HOUR), snapshot(NOW - HOUR, plan=None)]
    found = find_one(instance(), snapshots=taken)
    assert (found.because, found.plan, found.snapshot_at) == ("left_plan", "daily", NOW - 26 * HOUR)


def test_plan_that_it_has_left_has_its_present_name() -> None:
    assert find_one(instance(), snapshots=[snapshot(NOW - HOUR, plan="nightly")]).plan == "daily"
    assert find_one(instance(), snapshots=[snapshot(NOW - HOUR, plan="gone")]).plan == "gone"


def test_tag_with_which_it_left_its_plan_is_named() -> None:
    weekly = Plan(name="weekly", select=Select(tags={"backup": "weekly"}), regions=(HOME,))
    found = find_one(instance(backup="dayly"), weekly, DAILY, snapshots=[snapshot(NOW - HOUR)])
    assert found.because == "left_plan"
    assert found.spelling == ("daily", "backup=dayly", "backup=daily")
    other = find_one(instance(backup="weekl"), weekly, DAILY, snapshots=[snapshot(NOW - HOUR)])
    assert (other.because, other.spelling) == ("left_plan", None)


@pytest.mark.parametrize(
    "taken",
    [
        snapshot(NOW - HOUR, plan=None),
        snapshot(NOW - HOUR, state="error"),
        snapshot(NOW - HOUR, tags={"managed-by": "me"}),
        snapshot(NOW - HOUR, of=instance_arn(9)),
    ],
    ids=["no plan", "broken", "not ours", "an earlier instance"],
)
def test_other_snapshot_does_not_show_that_it_left_a_plan(taken: Snapshot) -> None:
    assert find_one(instance(), snapshots=[taken]).because == "no_plan"


def test_copy_shows_that_it_left_a_plan() -> None:
    assert find_one(instance(), snapshots=[copy_of(snapshot(NOW - HOUR))]).because == "left_plan"


def test_instance_that_is_meant_to_be_unprotected_is_not_reported() -> None:
    meant = Select(exclude=("scratch-*",), exclude_tags={"backup": "none"})
    instances = [instance("scratch-1"), instance("shop", 2, backup="none"), instance("blog", 3)]
    assert [each.instance.name for each in find({HOME: instances}, meant=meant)] == ["blog"]
    assert find({HOME: [instance("scratch-1")]}, snapshots=[snapshot(NOW - HOUR)], meant=meant) == []


def test_most_urgent_come_first() -> None:
    instances = {
        AWAY: [instance("far", 2)],
        HOME: [instance("b-plain", 3), instance("a-plain", 4), instance("near", 5, backup="dayly"), instance("web-1")],
    }
    found = find(instances, snapshots=[snapshot(NOW - HOUR)])
    assert [each.instance.name for each in found] == ["web-1", "near", "far", "a-plain", "b-plain"]
