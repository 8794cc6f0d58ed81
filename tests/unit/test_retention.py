"""Which snapshots may go: one test for each interlock and for each scenario that has cost somebody a backup."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.retention import Decision, decide
from tests.support.snapshots import (
    AWAY,
    DAILY_7,
    DAY,
    HOUR,
    LAST_1,
    NOW,
    deleted,
    instance_arn,
    make_plan,
    names,
    nightly,
    reason,
    reason_for,
    snapshot,
)

# Expiry


def test_a_snapshot_with_expires_at_goes_after_it_and_not_before() -> None:
    def at(moment: str) -> str:
        return reason_for(snapshot(NOW - DAY, tags={"expires-at": moment}), plan=DAILY_7)

    assert at("2026-11-23T12:00:01Z") == "keep: expires on 2026-11-23T12:00:01Z"
    assert at("2026-11-23T12:00:00Z") == "delete: expired on 2026-11-23T12:00:00Z"


def test_a_snapshot_with_expires_at_takes_no_place_of_a_keep_rule() -> None:
    passing = snapshot(NOW - 2 * HOUR, tags={"expires-at": "2027-01-01T00:00:00Z"})
    oldest = snapshot(NOW - 3 * HOUR)
    decisions = decide([snapshot(NOW - HOUR), passing, oldest], [make_plan(keep=Keep(last=2))], NOW)
    assert reason(decisions, oldest) == "keep: last 2 of 2"


@pytest.mark.parametrize("text", ["", "soon", "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00Z"])
def test_an_expires_at_that_cannot_be_read_never_leads_to_a_deletion(text: str) -> None:
    assert reason_for(snapshot(NOW - DAY, tags={"expires-at": text})) == f"keep: its expires-at ({text}) cannot be read"


def test_a_snapshot_that_another_system_asked_for_expires_by_itself() -> None:
    expired = snapshot(NOW - DAY, plan=None, tags={"expires-at": "2026-11-23T00:00:00Z"})
    assert reason_for(expired) == "delete: expired on 2026-11-23T00:00:00Z"


def test_a_snapshot_of_no_plan_and_without_expires_at_stays() -> None:
    for state in ("available", "error"):
        unplanned = snapshot(NOW - DAY, plan=None, state=state)
        assert reason_for(unplanned) == "keep: no plan made it, and it has no expires-at"


# Interlock 1: not ours


def test_what_is_not_ours_stays() -> None:
    manual = replace(snapshot(NOW - 99 * DAY), tags={"snapshot-plan": "daily", "expires-at": "2026-01-01T00:00:00Z"})
    other = replace(manual, tags={**manual.tags, "managed-by": "terraform"})
    for stranger in (manual, other, replace(manual, state="error"), replace(manual, tags={})):
        assert reason_for(stranger) == "keep: not managed by lightsail-snapshots"


def test_a_newer_snapshot_that_is_not_ours_does_not_make_the_newest_of_ours_superfluous() -> None:
    ours = snapshot(NOW - DAY, tags={"expires-at": "2026-11-01T00:00:00Z"})
    manual = replace(snapshot(NOW - HOUR), tags={})
    assert deleted(decide([ours, manual], [LAST_1], NOW)) == []


# Interlock 2: a plan that is not in the event


def test_snapshots_of_a_removed_plan_stay_even_when_they_have_expired() -> None:
    removed = snapshot(NOW - 9 * DAY, plan="weekly", tags={"expires-at": "2026-11-20T00:00:00Z"})
    assert reason_for(removed) == "keep: its plan weekly is not among the plans"


def test_without_any_plan_nothing_is_deleted_but_what_others_let_expire() -> None:
    expired = snapshot(NOW - DAY, plan=None, tags={"expires-at": "2026-11-23T00:00:00Z"})
    assert deleted(decide([*nightly(30), expired], [], NOW)) == []
    assert deleted(decide([*nightly(30, until=NOW + HOUR), expired], [], NOW)) == [expired.name]


# Interlock 3: hold


@pytest.mark.parametrize("value", ["", "until the audit is over", "false"])
def test_a_snapshot_on_hold_stays(value: str) -> None:
    for state in ("available", "error"):
        held = snapshot(NOW - 99 * DAY, state=state, tags={"snapshot-hold": value})
        assert reason_for(held) == "keep: tagged snapshot-hold"


def test_a_hold_changes_nothing_for_the_others() -> None:
    nights = nightly(9)
    held = [*nights[:3], replace(nights[3], tags={**nights[3].tags, "snapshot-hold": ""}), *nights[4:]]
    assert deleted(decide(held, [DAILY_7], NOW)) == deleted(decide(nights, [DAILY_7], NOW)) == names(nights[7:])


# Interlock 4: pending ones, and states that nobody knows


@pytest.mark.parametrize(("state", "why"), [("pending", "pending"), ("archived", "its state archived is not known")])
def test_only_a_finished_snapshot_is_ever_deleted(state: str, why: str) -> None:
    old = snapshot(NOW - 99 * DAY, state=state, tags={"expires-at": "2026-11-01T00:00:00Z"})
    assert reason_for(old) == f"keep: {why}"


@pytest.mark.parametrize("state", ["pending", "error", "archived"])
@pytest.mark.parametrize("position", range(4))
def test_what_is_not_usable_takes_no_place_wherever_it_stands(state: str, position: int) -> None:
    nights = nightly(4)
    bad = replace(nights.pop(position), state=state)
    policy = make_plan(keep=Keep(last=2))
    gone = set(deleted(decide([*nights, bad], [policy], NOW)))
    failed_and_superseded = state == "error" and position > 0
    assert gone == {nights[2].name} | ({bad.name} if failed_and_superseded else set())


def test_a_failed_snapshot_goes_only_after_a_newer_one_is_usable() -> None:
    failed, before = snapshot(NOW - DAY, state="error"), snapshot(NOW - 2 * DAY)
    pending = snapshot(NOW - HOUR, state="pending")
    another = snapshot(NOW - HOUR, instance="web-2")
    kept = decide([failed, before, pending, another], [LAST_1], NOW)
    assert reason(kept, failed) == "keep: failed, but there is no newer usable snapshot of web-1"
    assert reason_for(failed, before) == "delete: failed, and there is a newer usable snapshot of web-1"


def test_a_usable_snapshot_of_the_same_second_is_not_newer_than_a_failed_one() -> None:
    failed, usable = snapshot(NOW - DAY, name="a", state="error"), snapshot(NOW - DAY, name="b")
    assert deleted(decide([failed, usable], [LAST_1], NOW)) == []


# Interlock 5: the newest usable one (copies: test_retention_copies.py)


def test_when_an_instance_is_gone_its_last_usable_snapshot_stays() -> None:
    last = snapshot(NOW - 900 * DAY, tags={"expires-at": "2024-07-01T00:00:00Z"})
    failed = snapshot(NOW - 899 * DAY, state="error")
    decisions = decide([last, failed], [LAST_1], NOW)
    assert reason(decisions, last) == "keep: the newest usable snapshot of web-1"
    assert deleted(decisions) == []


def test_a_recreated_instance_of_the_same_name_does_not_push_out_the_last_snapshot_of_the_first() -> None:
    first = [snapshot(NOW - days * DAY, of=instance_arn(1)) for days in (30, 31)]
    second = [snapshot(NOW - days * DAY, of=instance_arn(2)) for days in (1, 2)]
    assert deleted(decide(first + second, [LAST_1], NOW)) == names([first[1], second[1]])


def test_a_renamed_instance_keeps_the_newest_under_each_name() -> None:
    old_name, new_name = snapshot(NOW - 9 * DAY, instance="shop"), snapshot(NOW - DAY, instance="shop-2")
    assert deleted(decide([old_name, new_name], [LAST_1], NOW)) == []


def test_instances_of_one_name_in_two_regions_are_two() -> None:
    here, there = snapshot(NOW - 2 * DAY), snapshot(NOW - DAY, region=AWAY, of=instance_arn(1, AWAY))
    assert deleted(decide([here, there], [LAST_1], NOW)) == []


def test_a_snapshot_that_does_not_say_which_of_two_namesakes_it_is_of_stays() -> None:
    unclear = [snapshot(NOW - days * DAY, of="") for days in (9, 8)]
    first, second = (snapshot(NOW - days * DAY, of=instance_arn(days)) for days in (2, 1))
    assert deleted(decide([*unclear, first], [LAST_1], NOW)) == [unclear[0].name]
    decisions = decide([*unclear, first, second], [LAST_1], NOW)
    assert deleted(decisions) == []
    several = "keep: several instances were named web-1, and it does not say which it is of"
    assert {reason(decisions, each) for each in unclear} == {several}


# Interlock 6: the listing


def test_nothing_is_deleted_in_a_region_whose_listing_was_cut_short() -> None:
    here, there = nightly(3), nightly(3, region=AWAY)
    decisions = decide([*here, *there], [LAST_1], NOW, incomplete=[AWAY])
    assert deleted(decisions) == names(here[1:])
    assert reason(decisions, there[2]) == f"keep: the listing of {AWAY} is not complete"


def test_a_snapshot_that_two_pages_repeat_is_one_snapshot() -> None:
    nights = nightly(3)
    decisions = decide([replace(nights[0]), *nights], [make_plan(keep=Keep(last=2))], NOW)
    assert len(decisions) == 3
    assert deleted(decisions) == [nights[2].name]


def test_a_snapshot_that_changed_between_two_pages_stays_and_counts_for_nothing() -> None:
    newest, middle, oldest = nightly(3)
    pending = replace(newest, state="pending")
    decisions = decide([newest, pending, middle, oldest], [LAST_1], NOW)
    assert {reason(decisions, each) for each in (newest, pending)} == {
        "keep: listed twice, and not the same both times"
    }
    assert deleted(decisions) == [oldest.name]


# Clocks, looking on, reading


def test_the_hour_that_comes_twice_has_an_order_whatever_zone_the_times_are_given_in() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    older, newer = (
        snapshot(datetime(2026, 10, 25, 2, minute, tzinfo=berlin, fold=fold), name=name)
        for name, minute, fold in (("older", 50, 0), ("newer", 10, 1))
    )
    assert deleted(decide([older, newer], [LAST_1], NOW)) == ["older"]


def test_snapshots_dated_in_the_future_stay_and_push_out_nothing() -> None:
    nights = nightly(3)
    future = [snapshot(NOW + days * DAY) for days in (1, 400)]
    decisions = decide([*nights, *future], [LAST_1], NOW)
    assert {reason(decisions, each) for each in future} == {"keep: dated in the future"}
    assert reason(decisions, nights[0]) == "keep: the newest usable snapshot of web-1"
    assert deleted(decisions) == names(nights[1:])


def test_a_failed_snapshot_does_not_go_because_of_one_dated_in_the_future() -> None:
    failed = snapshot(NOW - DAY, state="error")
    assert deleted(decide([failed, snapshot(NOW + DAY)], [LAST_1], NOW)) == []


def test_a_clock_that_jumps_back_deletes_nothing_that_is_newer_than_it() -> None:
    assert deleted(decide(nightly(9), [LAST_1], NOW - 30 * DAY)) == []


def test_a_dry_run_decides_alike_and_is_marked() -> None:
    nights = nightly(9)
    looks_on = decide(nights, [replace(DAILY_7, dry_run=True)], NOW)
    assert deleted(looks_on) == deleted(decide(nights, [DAILY_7], NOW))
    assert all(each.dry_run for each in looks_on)
    assert not any(each.dry_run for each in decide(nights, [DAILY_7], NOW))


def test_decisions_are_sorted_by_instance_and_newest_first() -> None:
    web, shop = nightly(3), [snapshot(NOW - days * DAY, instance="shop") for days in (2, 1)]
    decisions: Sequence[Decision] = decide([*web[::-1], *shop], [DAILY_7], NOW)
    assert [each.snapshot for each in decisions] == [shop[1], shop[0], *web]


def test_nothing_is_decided_about_nothing() -> None:
    assert decide([], [DAILY_7], NOW) == []


def test_a_snapshot_that_somebody_made_of_a_restored_instance_stays_though_our_tags_were_handed_on_to_it() -> None:
    source = snapshot(NOW - 9 * DAY)
    manual = replace(source, name="manual", instance_name="web-1-restored", instance_arn=instance_arn(2))
    newer = replace(manual, name="newer", created_at=NOW - DAY)
    assert reason_for(manual, newer) == (
        "keep: made by somebody else, of web-1-restored: our tags on it were handed on to it"
    )


def test_a_snapshot_of_an_instance_that_was_tagged_as_ours_stays() -> None:
    tags = {"managed-by": "lightsail-snapshots", "snapshot-plan": "daily"}
    manual = replace(snapshot(NOW - 9 * DAY, name="manual"), tags=tags)
    assert reason_for(manual).startswith("keep: made by somebody else, of web-1")


@pytest.mark.parametrize("hold", ["Snapshot-Hold", " snapshot-hold", "SNAPSHOT-HOLD "])
def test_a_hold_that_somebody_wrote_a_little_differently_holds(hold: str) -> None:
    assert reason_for(snapshot(NOW - 9 * DAY, tags={hold: ""})) == "keep: tagged snapshot-hold"
