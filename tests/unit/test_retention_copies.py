"""Copies in other Regions: no snapshot goes before its copy is usable, and copies are pruned like their sources."""

from dataclasses import replace

import pytest

from lightsail_snapshots.decision import KeptBecause
from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.retention import decide
from tests.support.snapshots import (
    AWAY,
    DAY,
    HOME,
    HOUR,
    LAST_1,
    NOW,
    copy_of,
    decision_on,
    deleted,
    instance_arn,
    make_plan,
    names,
    nightly,
    reason,
    reason_for,
    snapshot,
)

COPIED = replace(LAST_1, copy_to=(AWAY,))
GOES = "delete: no keep rule of plan daily keeps it"


@pytest.mark.parametrize("state", ["pending", "archived"])
def test_snapshot_stays_until_its_copy_is_usable(state: str) -> None:
    old, new = nightly(2)[::-1]
    unfinished = decide([old, new, copy_of(old, state=state), copy_of(new)], [COPIED], NOW)
    assert reason(unfinished, old) == f"keep: its copy in {AWAY} is not usable yet"
    assert decision_on(unfinished, old).kept_because == KeptBecause.NOT_COPIED
    usable = decide([old, new, copy_of(old), copy_of(new, state="pending")], [COPIED], NOW)
    assert reason(usable, old) == GOES


@pytest.mark.parametrize("state", [None, "error"])
def test_snapshot_without_copy_stays_until_a_newer_one_is_copied(state: str | None) -> None:
    older, old, new = nightly(3)[::-1]
    broken = [copy_of(old, state=state)] if state else []
    behind = decide([older, old, new, copy_of(older), *broken], [COPIED], NOW)
    assert reason(behind, old) == f"keep: neither it nor a newer one has a usable copy in {AWAY}"
    assert decision_on(behind, old).kept_because == KeptBecause.NOT_COPIED
    caught_up = decide([older, old, new, copy_of(older), *broken, copy_of(new)], [COPIED], NOW)
    assert reason(caught_up, old) == GOES


@pytest.mark.parametrize("state", ["pending", "error", "archived"])
def test_newer_copy_lets_a_source_go_only_if_it_is_usable(state: str) -> None:
    old, new = nightly(2)[::-1]
    assert deleted(decide([old, new, copy_of(new, state=state)], [COPIED], NOW)) == []
    assert deleted(decide([old, new, copy_of(new)], [COPIED], NOW)) == [old.name]


def test_copy_of_a_newer_expiring_snapshot_lets_a_source_go() -> None:
    old, new = snapshot(NOW - 2 * DAY), snapshot(NOW - DAY)
    expiring = snapshot(NOW - HOUR, tags={"expires-at": "2027-01-01T00:00:00Z"})
    assert deleted(decide([old, new, expiring, copy_of(expiring)], [COPIED], NOW)) == [old.name]


def test_copy_that_changed_between_two_pages_lets_no_source_go() -> None:
    old, new = nightly(2)[::-1]
    copy = copy_of(new)
    versions = [copy, replace(copy, state="pending")]
    for listed in (versions, versions[::-1]):
        assert deleted(decide([old, new, *listed], [COPIED], NOW)) == []


def test_source_stays_when_the_listing_of_its_copies_failed() -> None:
    assert deleted(decide(nightly(3), [COPIED], NOW, incomplete=[AWAY])) == []


def test_copies_from_a_region_that_cannot_be_listed_stay() -> None:
    copies = [copy_of(night) for night in nightly(3)]
    own = [replace(night, instance_arn=instance_arn(2)) for night in nightly(3, region=AWAY, until=NOW - HOUR)]
    assert deleted(decide([*copies, *own], [COPIED], NOW)) == names([*copies[1:], *own[1:]])
    decisions = decide([*copies, *own], [COPIED], NOW, incomplete=[HOME])
    assert deleted(decisions) == names(own[1:])
    assert reason(decisions, copies[2]) == f"keep: a copy from {HOME}, whose listing is not complete"


@pytest.mark.parametrize("order", [(AWAY, "us-east-1"), ("us-east-1", AWAY)])
def test_snapshot_must_be_copied_to_every_region_of_copy_to(order: tuple[str, ...]) -> None:
    old, new = nightly(2)[::-1]
    plan = replace(LAST_1, copy_to=order)
    decisions = decide([old, new, copy_of(old), copy_of(new)], [plan], NOW)
    assert reason(decisions, old) == "keep: neither it nor a newer one has a usable copy in us-east-1"


def test_expired_snapshot_waits_for_its_copy_too() -> None:
    expired = snapshot(NOW - DAY, tags={"expires-at": "2026-11-23T00:00:00Z"})
    assert reason_for(expired, plan=COPIED) == f"keep: neither it nor a newer one has a usable copy in {AWAY}"


def test_snapshot_of_the_same_name_counts_only_if_it_is_our_copy() -> None:
    old, new = nightly(2)[::-1]
    copy = copy_of(new)
    for impostor in (
        replace(copy, tags={key: value for key, value in copy.tags.items() if key != "copy-of"}),
        replace(copy, tags={**copy.tags, "managed-by": "somebody"}),
        replace(copy, tags={**copy.tags, "snapshot-name": "another"}),
        replace(copy, tags={**copy.tags, "copy-of": replace(new, region="us-east-1").copy_of}),
        replace(copy, tags={**copy.tags, "copy-of": replace(new, instance_arn=instance_arn(2)).copy_of}),
        copy_of(replace(new, created_at=new.created_at - HOUR)),
    ):
        assert names([old]) != deleted(decide([old, new, impostor], [COPIED], NOW))
    assert deleted(decide([old, new, copy], [COPIED], NOW)) == names([old])


def test_copy_is_found_when_the_source_has_fractions_of_a_second() -> None:
    old, new = nightly(2)[::-1]
    precise = replace(new, created_at=new.created_at.replace(microsecond=654_321))
    assert deleted(decide([old, precise, copy_of(precise)], [COPIED], NOW)) == [old.name]


def test_copies_are_pruned_by_the_same_rules_in_their_own_region() -> None:
    nights = nightly(4)
    decisions = decide([*nights, *(copy_of(night) for night in nights)], [COPIED], NOW)
    assert deleted(decisions) == sorted(2 * names(nights[1:]))


def test_copies_are_held_by_the_rules_that_they_carry() -> None:
    nights = nightly(4, keep="last=3")
    decisions = decide([*nights, *(copy_of(night) for night in nights)], [COPIED], NOW)
    assert deleted(decisions) == sorted(2 * names(nights[3:]))
    assert sum(each.is_held for each in decisions) == 4


def test_copy_does_not_wait_for_the_copy_in_a_third_region() -> None:
    old, new = nightly(2)[::-1]
    decisions = decide([copy_of(old), copy_of(new)], [replace(LAST_1, copy_to=("us-east-1", AWAY))], NOW)
    assert deleted(decisions) == [old.name]


def test_snapshot_does_not_wait_for_a_copy_in_its_own_region() -> None:
    there = [snapshot(NOW - days * DAY, region=AWAY) for days in (1, 2)]
    assert deleted(decide(there, [COPIED], NOW)) == [there[1].name]


def test_copy_is_as_old_as_its_source() -> None:
    old, new = nightly(2)[::-1]
    late = copy_of(old, after=40 * HOUR)
    prompt = copy_of(new)
    assert late.created_at > prompt.created_at
    decisions = decide([late, prompt], [COPIED], NOW)
    assert reason(decisions, prompt) == "keep: the newest usable snapshot of web-1"
    assert reason(decisions, late) == GOES


def test_copies_of_two_instances_of_one_name_are_told_apart() -> None:
    first, second = snapshot(NOW - 9 * DAY, of=instance_arn(1)), snapshot(NOW - DAY, of=instance_arn(2))
    assert deleted(decide([copy_of(first), copy_of(second)], [COPIED], NOW)) == []


@pytest.mark.parametrize("text", ["", HOME, f"{HOME} 2026-99-99T99:99:99Z {instance_arn()}"])
def test_copy_counts_by_its_own_time_when_its_tag_is_unreadable(text: str) -> None:
    source = snapshot(NOW - 9 * DAY)
    copy = replace(copy_of(source), tags={**source.tags, "copy-of": text})
    assert copy.origin == (AWAY, copy.created_at, "")


def test_copy_counts_by_its_own_time_when_it_claims_to_be_older_than_its_source() -> None:
    source = snapshot(NOW)
    copy = replace(copy_of(source), created_at=NOW - DAY)
    assert copy.origin.taken_at == NOW - DAY


def test_snapshot_of_instance_restored_from_a_copy_stays_under_the_name_of_a_copy() -> None:
    old, middle, new = (copy_of(night) for night in nightly(3)[::-1])
    manual = replace(old, created_at=NOW - HOUR, instance_name="web-1", instance_arn=instance_arn(9, AWAY))
    decisions = decide([manual, middle, new], [COPIED], NOW)
    assert deleted(decisions) == [middle.name]
    assert reason(decisions, manual) == (
        "keep: made by somebody else, of another web-1: our tags on it were handed on to it"
    )


def test_copy_tag_of_the_first_year_does_not_stop_every_deletion() -> None:
    old, new = nightly(2)[::-1]
    forged = replace(copy_of(new), tags={**new.tags, "copy-of": f"{HOME} 0001-01-01T00:00:00Z {instance_arn()}"})
    plan = replace(LAST_1, keep=Keep(daily=1, within=DAY), timezone="America/New_York")
    assert deleted(decide([old, new, forged], [plan], NOW)) == [old.name]


@pytest.mark.parametrize("text", ["", f"{HOME} 2026-11-22T12:00:00Z"])
def test_copy_of_unknown_source_stays_and_is_not_the_newest(text: str) -> None:
    old, new = nightly(2)[::-1]
    late = replace(copy_of(old, after=40 * HOUR), instance_name=old.instance_name, instance_arn=old.instance_arn)
    unclear = replace(late, tags={**late.tags, "copy-of": text})
    decisions = decide([unclear, copy_of(new)], [COPIED], NOW)
    assert deleted(decisions) == []
    assert reason(decisions, unclear) == "keep: a copy, and its tag copy-of does not say of what"
    assert decision_on(decisions, unclear).kept_because == KeptBecause.FOREIGN


@pytest.mark.parametrize("state", ["available", "error"])
def test_copy_that_a_person_disowned_stays(state: str) -> None:
    copies = [copy_of(night, state=state) for night in nightly(3)]
    disowned = [
        replace(each, tags={key: value for key, value in each.tags.items() if key != "managed-by"}) for each in copies
    ]
    decisions = decide([copy_of(snapshot(NOW - HOUR)), *disowned], [COPIED], NOW)
    assert deleted(decisions) == []
    assert decision_on(decisions, disowned[0]).kept_because == KeptBecause.FOREIGN


def test_copies_from_a_region_that_is_in_no_plan_stay() -> None:
    copies = [copy_of(night) for night in nightly(3)]
    decisions = decide(copies, [COPIED], NOW, regions=[AWAY])
    assert deleted(decisions) == []
    assert reason(decisions, copies[2]) == f"keep: a copy from {HOME}, which is not among the Regions of the plans"
    assert decision_on(decisions, copies[2]).kept_because == KeptBecause.REGION_NOT_CONFIGURED
    assert deleted(decide(copies, [COPIED], NOW, regions=[AWAY, HOME])) == names(copies[1:])


def test_copies_say_so_when_their_plan_does_not_copy_there_any_more() -> None:
    copies = [copy_of(night) for night in nightly(3)]
    decisions = decide(copies, [make_plan(keep=Keep(last=2), regions=(AWAY,))], NOW, regions=[AWAY, HOME])
    assert [each.kept_because for each in decisions] == [KeptBecause.REGION_NOT_CONFIGURED] * 2 + [None]
    assert reason(decisions, copies[0]) == f"keep: plan daily has left {AWAY}"


def test_copies_of_unplanned_snapshots_go_when_they_expire() -> None:
    sources = [snapshot(NOW - n * DAY, plan=None, tags={"expires-at": "2026-11-23T00:00:00Z"}) for n in (1, 2)]
    copies = [copy_of(each) for each in sources]
    decisions = decide(copies, [COPIED], NOW)
    assert deleted(decisions) == [sources[1].name]
    assert decision_on(decisions, copies[0]).kept_because == KeptBecause.NEWEST
