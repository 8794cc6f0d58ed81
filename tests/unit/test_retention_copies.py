"""Copies in another Region: no snapshot goes before its copy has arrived, and copies are pruned like their sources."""

from dataclasses import replace

import pytest

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
    deleted,
    instance_arn,
    names,
    nightly,
    reason,
    reason_for,
    snapshot,
)

COPIED = replace(LAST_1, copy_to=(AWAY,))


def test_a_snapshot_whose_copy_is_not_usable_yet_stays() -> None:
    old, new = nightly(2)[::-1]
    pending = decide([old, new, copy_of(old, state="pending"), copy_of(new)], [COPIED], NOW)
    assert reason(pending, old) == f"keep: its copy in {AWAY} is not usable yet"
    usable = decide([old, new, copy_of(old), copy_of(new, state="pending")], [COPIED], NOW)
    assert reason(usable, old) == "delete: no keep rule of plan daily keeps it"


@pytest.mark.parametrize("state", [None, "error"])
def test_a_snapshot_without_a_copy_stays_until_a_newer_one_has_arrived(state: str | None) -> None:
    older, old, new = nightly(3)[::-1]
    broken = [copy_of(old, state=state)] if state else []
    behind = decide([older, old, new, copy_of(older), *broken], [COPIED], NOW)
    assert reason(behind, old) == f"keep: neither it nor a newer one has a usable copy in {AWAY}"
    caught_up = decide([older, old, new, copy_of(older), *broken, copy_of(new)], [COPIED], NOW)
    assert reason(caught_up, old) == "delete: no keep rule of plan daily keeps it"


def test_a_source_stays_when_the_listing_of_its_copies_is_missing() -> None:
    assert deleted(decide(nightly(3), [COPIED], NOW, incomplete=[AWAY])) == []


def test_copies_from_a_region_that_cannot_be_listed_stay_since_they_may_be_all_that_is_left() -> None:
    copies = [copy_of(night) for night in nightly(3)]
    own = [replace(night, name=f"own-{night.name}", instance_arn=instance_arn(2)) for night in nightly(3, region=AWAY)]
    assert deleted(decide([*copies, *own], [LAST_1], NOW)) == names([*copies[1:], *own[1:]])
    decisions = decide([*copies, *own], [LAST_1], NOW, incomplete=[HOME])
    assert deleted(decisions) == names(own[1:])
    assert reason(decisions, copies[2]) == f"keep: a copy from {HOME}, whose listing is not complete"


def test_a_snapshot_of_an_unknown_instance_stays_when_its_namesakes_cannot_be_seen() -> None:
    unclear = [snapshot(NOW - days * DAY, of="") for days in (1, 2)]
    assert deleted(decide(unclear, [LAST_1], NOW)) == names(unclear[1:])
    decisions = decide(unclear, [LAST_1], NOW, incomplete=[AWAY])
    assert reason(decisions, unclear[1]) == (
        "keep: it does not say which instance it is of, and not every listing is complete"
    )


def test_every_region_of_copy_to_is_waited_for() -> None:
    old, new = nightly(2)[::-1]
    policy = replace(LAST_1, copy_to=(AWAY, "us-east-1"))
    decisions = decide([old, new, copy_of(old), copy_of(new)], [policy], NOW)
    assert reason(decisions, old) == "keep: neither it nor a newer one has a usable copy in us-east-1"


def test_an_expired_snapshot_waits_for_its_copy_too() -> None:
    expired = snapshot(NOW - DAY, tags={"expires-at": "2026-11-23T00:00:00Z"})
    assert reason_for(expired, plan=COPIED) == f"keep: neither it nor a newer one has a usable copy in {AWAY}"


def test_a_snapshot_of_the_same_name_that_is_no_copy_of_it_does_not_count() -> None:
    old, new = nightly(2)[::-1]
    copy = copy_of(new)
    for impostor in (
        replace(copy, tags={key: value for key, value in copy.tags.items() if key != "copy-of"}),
        replace(copy, tags={**copy.tags, "managed-by": "somebody"}),
        replace(copy, tags={**copy.tags, "copy-of": replace(new, region="us-east-1").copy_of}),
        replace(copy, tags={**copy.tags, "copy-of": replace(new, instance_arn=instance_arn(2)).copy_of}),
        copy_of(replace(new, created_at=new.created_at - HOUR)),
    ):
        assert names([old]) != deleted(decide([old, new, impostor], [COPIED], NOW))
    assert deleted(decide([old, new, copy], [COPIED], NOW)) == names([old])


def test_copies_are_pruned_by_the_same_rules_in_their_own_region() -> None:
    nights = nightly(4)
    decisions = decide([*nights, *(copy_of(night) for night in nights)], [replace(COPIED, max_deletes=3)], NOW)
    assert deleted(decisions) == sorted(2 * names(nights[1:]))


def test_a_copy_does_not_wait_for_the_copy_in_a_third_region() -> None:
    old, new = nightly(2)[::-1]
    decisions = decide([copy_of(old), copy_of(new)], [replace(LAST_1, copy_to=("us-east-1", AWAY))], NOW)
    assert deleted(decisions) == [old.name]


def test_a_plan_of_two_regions_that_copies_from_one_to_the_other_does_not_wait_for_copies_in_the_same_region() -> None:
    there = [snapshot(NOW - days * DAY, region=AWAY) for days in (1, 2)]
    assert deleted(decide(there, [COPIED], NOW)) == [there[1].name]


def test_a_copy_counts_by_the_time_of_its_source_not_by_the_time_it_was_made() -> None:
    old, new = nightly(2)[::-1]
    late = copy_of(old, after=40 * HOUR)
    prompt = copy_of(new)
    assert late.created_at > prompt.created_at
    decisions = decide([late, prompt], [LAST_1], NOW)
    assert reason(decisions, prompt) == "keep: the newest usable snapshot of web-1"
    assert reason(decisions, late) == "delete: no keep rule of plan daily keeps it"


def test_copies_of_two_instances_of_one_name_are_told_apart_by_their_tag() -> None:
    first, second = snapshot(NOW - 9 * DAY, of=instance_arn(1)), snapshot(NOW - DAY, of=instance_arn(2))
    assert deleted(decide([copy_of(first), copy_of(second)], [LAST_1], NOW)) == []


@pytest.mark.parametrize("text", ["", HOME, f"{HOME} 2026-99-99T99:99:99Z {instance_arn()}"])
def test_a_copy_whose_tag_cannot_be_read_counts_by_its_own_time(text: str) -> None:
    source = snapshot(NOW - 9 * DAY)
    copy = replace(copy_of(source), tags={**source.tags, "copy-of": text})
    assert copy.origin == (AWAY, copy.created_at, "")


def test_a_copy_that_claims_to_be_older_than_its_source_counts_by_its_own_time() -> None:
    source = snapshot(NOW)
    copy = replace(copy_of(source), created_at=NOW - DAY)
    assert copy.origin.taken_at == NOW - DAY


def test_a_snapshot_of_an_instance_restored_from_a_copy_neither_goes_nor_takes_the_place_of_a_copy() -> None:
    old, new = copy_of(nightly(2)[1]), copy_of(nightly(1)[0])
    restored = replace(
        new, name="web-1-zz-manual", created_at=NOW - HOUR, instance_name="web-1", instance_arn=instance_arn(9, AWAY)
    )
    decisions = decide([old, new, restored], [LAST_1], NOW)
    assert deleted(decisions) == [old.name]
    assert reason(decisions, restored).startswith("keep: made by somebody else, of web-1")


def test_a_copy_tag_of_the_first_year_does_not_stop_every_deletion() -> None:
    old, new = nightly(2)[::-1]
    forged = replace(copy_of(new), tags={**new.tags, "copy-of": f"{HOME} 0001-01-01T00:00:00Z {instance_arn()}"})
    policy = replace(LAST_1, keep=Keep(daily=1, within=DAY), timezone="America/New_York")
    assert deleted(decide([old, new, forged], [policy], NOW)) == [old.name]


@pytest.mark.parametrize("text", ["", f"{HOME} 2026-11-22T12:00:00Z"])
def test_a_copy_that_does_not_say_what_it_is_a_copy_of_neither_goes_nor_passes_for_the_newest(text: str) -> None:
    old, new = nightly(2)[::-1]
    late = replace(copy_of(old, after=40 * HOUR), instance_name=old.instance_name, instance_arn=old.instance_arn)
    unclear = replace(late, tags={**late.tags, "copy-of": text})
    decisions = decide([unclear, copy_of(new)], [LAST_1], NOW)
    assert deleted(decisions) == []
    assert reason(decisions, unclear) == "keep: a copy, and its tag copy-of does not say of what"


def test_copies_from_a_region_that_is_not_looked_after_any_more_or_by_another_stack_stay() -> None:
    copies = [copy_of(night) for night in nightly(3)]
    decisions = decide(copies, [LAST_1], NOW, regions=[AWAY])
    assert deleted(decisions) == []
    assert reason(decisions, copies[2]) == f"keep: a copy from {HOME}, which is not among the Regions of the plans"
    assert deleted(decide(copies, [LAST_1], NOW, regions=[AWAY, HOME])) == names(copies[1:])
