"""Which snapshots a run of restore drills tries, and what plans and tags say about it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lightsail_snapshots.drill_choice import choose
from lightsail_snapshots.drill_options import Drill, read_drill
from lightsail_snapshots.drill_result import DrillResult, drill_key, drill_name, tried_at
from lightsail_snapshots.instance import Instance
from lightsail_snapshots.naming import MAX_NAME, PROVEN_AT_KEY, format_utc, is_name
from lightsail_snapshots.reader import InvalidValueError
from lightsail_snapshots.restore_proofs import clones_left, newest_proofs, report_proofs
from tests.support.snapshots import AWAY, DAY, HOME, NOW, copy_of, instance_arn, make_plan, snapshot

WEEK = timedelta(days=7)
DRILL = Drill(schedule="cron(0 5 ? * SUN *)", max_age=timedelta(days=35))


def instance(number: int = 1, **tags: str) -> Instance:
    return Instance(name=f"web-{number}", arn=instance_arn(number), tags=tags, created_at=NOW - 100 * DAY)


def proven(days_ago: float) -> dict[str, str]:
    return {PROVEN_AT_KEY: format_utc(NOW - days_ago * DAY)}


def of(number: int, days_ago: float = 1, **more: Any) -> Any:
    return snapshot(NOW - days_ago * DAY, instance=f"web-{number}", of=instance_arn(number), **more)


def names(instances: int, snapshots: list[Any], every: timedelta = WEEK) -> list[str]:
    found = choose([instance(number) for number in range(1, instances + 1)], snapshots, DRILL, every)
    return [each.snapshot.name for each in found]


def test_oldest_proof_comes_first_and_a_missing_one_before_all() -> None:
    snapshots = [of(1, tags=proven(20)), of(2, tags=proven(30)), of(3)]
    order = [each.instance.name for each in choose([instance(n) for n in (1, 2, 3)], snapshots, DRILL, 5 * WEEK)]
    assert order == ["web-3", "web-2", "web-1"]


@pytest.mark.parametrize(("instances", "count"), [(1, 1), (5, 1), (6, 2), (10, 2), (11, 3)])
def test_run_takes_as_many_instances_as_max_age_needs(instances: int, count: int) -> None:
    assert len(names(instances, [of(number) for number in range(1, instances + 1)])) == count


def test_newest_usable_snapshot_is_tried() -> None:
    pending, foreign = of(1, 0.1, state="pending"), of(1, 0.2, tags={"managed-by": "other"})
    newest = of(1, 1)
    assert names(1, [of(1, 2), newest, pending, foreign]) == [newest.name]


def test_snapshots_and_copies_take_turns() -> None:
    source = of(1, tags=proven(7))
    [candidate] = choose([instance()], [source, copy_of(of(1))], DRILL, WEEK)
    assert candidate.snapshot.region == AWAY
    tried = copy_of(of(1, tags=proven(1)))
    [candidate] = choose([instance()], [source, tried], DRILL, WEEK)
    assert candidate.snapshot.region == HOME


def test_instance_whose_drill_failed_waits_for_its_next_turn() -> None:
    failed = DrillResult("20261122T050000Z-1a2b3c4d", "ProbeFailed", 2700, note="no answer").as_tags(NOW)
    assert tried_at(of(1, tags=failed)) == datetime(2026, 11, 22, 5, tzinfo=UTC)
    second = of(2, tags=proven(14))
    assert names(2, [of(1, tags=failed), second]) == [second.name]


def test_earlier_instance_of_the_same_name_is_not_tried() -> None:
    assert names(1, [snapshot(NOW - DAY, of=instance_arn(99))]) == []


@pytest.mark.parametrize("text", ["", "nonsense", "20269922T050000Z-1a2b3c4d Passed 1 1 0.1", "x Passed 1 1 1.1.1"])
def test_unreadable_verdict_counts_as_none(text: str) -> None:
    assert tried_at(of(1, tags={"drill-result": text, "proven-at": "never"})) is None


def test_verdict_survives_as_a_tag() -> None:
    result = DrillResult("20261122T050000Z-1a2b3c4d", "ProbeFailed", 2700, 180, 0.0161, "status 500, said <html>")
    tags = result.as_tags(NOW)
    assert DrillResult.of(of(1, tags=tags)) == result._replace(note="status 500 said html")
    assert PROVEN_AT_KEY not in tags


def test_name_of_a_clone_is_a_name_and_ends_in_its_key() -> None:
    name = drill_name("w" * MAX_NAME, NOW, HOME, "daily")
    assert is_name(name)
    assert len(name) <= MAX_NAME
    assert drill_key(name) == name[-25:]
    assert drill_name("web-1", NOW, AWAY, "daily") != drill_name("web-1", NOW, HOME, "daily")


def test_wrong_drill_is_rejected_with_every_problem() -> None:
    with pytest.raises(InvalidValueError) as error:
        read_drill({"maxAge": "soon", "maxPricePerHour": 0, "probe": {"port": 0, "protocol": "udp", "path": "x"}})
    assert [each.path for each in error.value.problems] == [
        ("schedule",),
        ("maxAge",),
        ("maxPricePerHour",),
        ("probe", "port"),
        ("probe", "protocol"),
        ("probe", "path"),
    ]


def test_proof_is_overdue_when_it_is_older_than_max_age() -> None:
    plan = make_plan(regions=(HOME,), drill=DRILL)
    here = {HOME: [instance(1), instance(2), instance(3)]}
    proofs = newest_proofs([of(1, tags=proven(36)), copy_of(of(2, tags=proven(34))), of(2, tags=proven(50)), of(3)])
    report = report_proofs(plan, here, proofs, NOW)
    assert report is not None
    assert [each.instance.name for each in report.overdue] == ["web-3", "web-1"]
    assert report.oldest == 100 * DAY
    assert report_proofs(make_plan(regions=(HOME,)), here, proofs, NOW) is None


def test_clones_past_their_time_are_found() -> None:
    ours = {"managed-by": "lightsail-snapshots-drill"}
    past, later = ({"drill-until": format_utc(NOW + hours * DAY / 24)} for hours in (-1, 1))
    clones = [instance(1, **ours | past), instance(2, **ours | later), instance(3, **past), instance(4, **ours)]
    assert clones_left({HOME: clones}, NOW) == ["web-1", "web-4"]
