"""Which snapshots may go: expiry, each interlock, and the class of each reason."""

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from lightsail_snapshots.decision import KeptBecause
from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.retention import decide
from lightsail_snapshots.snapshot import Snapshot
from tests.support.snapshots import (
    AWAY,
    DAILY_7,
    DAY,
    HOME,
    HOUR,
    LAST_1,
    NOW,
    class_of,
    copy_of,
    decide_beside_newer,
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

DOCUMENT = Path(__file__).parents[2] / "docs" / "retention.md"
EXPIRED = {"expires-at": "2026-11-23T00:00:00Z"}

# Expiry


def test_snapshot_with_expires_at_goes_at_that_time() -> None:
    def at(moment: str) -> str:
        return reason_for(snapshot(NOW - DAY, tags={"expires-at": moment}), plan=DAILY_7)

    assert at("2026-11-23T12:00:01Z") == "keep: expires on 2026-11-23T12:00:01Z"
    assert at("2026-11-23T12:00:00Z") == "delete: expired on 2026-11-23T12:00:00Z"


def test_snapshot_with_expires_at_takes_no_place_of_a_keep_rule() -> None:
    passing = snapshot(NOW - 2 * HOUR, tags={"expires-at": "2027-01-01T00:00:00Z"})
    oldest = snapshot(NOW - 3 * HOUR)
    decisions = decide([snapshot(NOW - HOUR), passing, oldest], [make_plan(keep=Keep(last=2))], NOW)
    assert reason(decisions, oldest) == "keep: last 2 of 2"


@pytest.mark.parametrize("text", ["", "soon", "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00Z"])
def test_snapshot_stays_when_its_expires_at_is_unreadable(text: str) -> None:
    unreadable = snapshot(NOW - DAY, tags={"expires-at": text})
    assert reason_for(unreadable) == f"keep: its expires-at ({text}) cannot be read"
    assert class_of(unreadable) == KeptBecause.EXPIRES


def test_all_expired_snapshots_go_at_once_except_the_newest() -> None:
    expired = [replace(night, tags={**night.tags, **EXPIRED}) for night in nightly(40)]
    assert deleted(decide(expired, [DAILY_7], NOW)) == names(expired[1:])


def test_snapshot_without_plan_goes_only_when_it_expires() -> None:
    assert reason_for(snapshot(NOW - DAY, plan=None, tags=EXPIRED)) == "delete: expired on 2026-11-23T00:00:00Z"
    unplanned = snapshot(NOW - DAY, plan=None)
    assert reason_for(unplanned) == "keep: no plan made it, and it has no expires-at"
    assert class_of(unplanned) == KeptBecause.RULE


# Foreign ones


def test_snapshot_without_our_managed_by_stays() -> None:
    manual = replace(snapshot(NOW - 99 * DAY), tags={"snapshot-plan": "daily", **EXPIRED})
    other = replace(manual, tags={**manual.tags, "managed-by": "terraform"})
    for foreign in (manual, other, replace(manual, state="error"), replace(manual, tags={})):
        assert reason_for(foreign) == "keep: not managed by lightsail-snapshots"
        assert class_of(foreign) == KeptBecause.FOREIGN


def test_newer_foreign_snapshot_is_no_reason_to_delete_our_newest() -> None:
    ours = snapshot(NOW - DAY, tags={"expires-at": "2026-11-01T00:00:00Z"})
    manual = replace(snapshot(NOW - HOUR), tags={})
    assert deleted(decide([ours, manual], [LAST_1], NOW)) == []


def test_snapshot_of_restored_instance_stays_when_it_inherited_our_tags() -> None:
    source = snapshot(NOW - 9 * DAY)
    for manual in (
        replace(source, name="before-upgrade", instance_arn=instance_arn(2)),
        replace(source, name="before-upgrade", instance_arn=instance_arn(2), state="error"),
        replace(source, name="before-upgrade", instance_name="web-1-restored", instance_arn=instance_arn(2)),
    ):
        newer = replace(manual, name="before-move", created_at=NOW - DAY)
        assert reason_for(manual, newer) == "keep: made by somebody else: its tag snapshot-name is not its name"
        assert class_of(manual, newer) == KeptBecause.FOREIGN


def test_foreign_snapshot_takes_no_place_of_a_keep_rule() -> None:
    nights = nightly(4)
    manual = replace(nights[0], name="before-upgrade", created_at=NOW - HOUR)
    decisions = decide([manual, *nights], [make_plan(keep=Keep(last=2))], NOW)
    assert deleted(decisions) == names(nights[2:])


def test_snapshot_without_snapshot_name_stays() -> None:
    ours = snapshot(NOW - 9 * DAY)
    stripped = replace(ours, tags={key: value for key, value in ours.tags.items() if key != "snapshot-name"})
    assert class_of(stripped) == KeptBecause.FOREIGN


def test_snapshot_of_another_instance_than_its_tag_says_stays() -> None:
    handed_on = replace(snapshot(NOW - 9 * DAY), instance_name="web-1-restored", instance_arn=instance_arn(2))
    assert reason_for(handed_on) == (
        "keep: made by somebody else, of web-1-restored: our tags on it were handed on to it"
    )


# Plans


def test_snapshot_of_removed_plan_stays_when_it_has_expired() -> None:
    removed = snapshot(NOW - 9 * DAY, plan="weekly", tags=EXPIRED)
    assert reason_for(removed) == "keep: its plan weekly is not among the plans"
    assert class_of(removed) == KeptBecause.UNKNOWN_PLAN
    assert class_of(replace(removed, state="error")) == KeptBecause.UNKNOWN_PLAN


def test_without_plans_only_unplanned_expired_snapshots_go() -> None:
    expired = snapshot(NOW - DAY, plan=None, tags=EXPIRED)
    assert deleted(decide([*nightly(30), expired], [], NOW)) == []
    assert deleted(decide([*nightly(30, until=NOW + HOUR), expired], [], NOW)) == [expired.name]


def test_plan_takes_over_snapshots_of_its_earlier_names() -> None:
    nights = nightly(9)
    renamed = [replace(each, tags={**each.tags, "snapshot-plan": "nightly"}) for each in nights[4:]]
    plan = replace(DAILY_7, was=("dayly", "nightly"))
    assert deleted(decide([*nights[:4], *renamed], [plan], NOW)) == names(nights[7:])


def test_earlier_name_loses_to_a_plan_that_has_it_now() -> None:
    other = make_plan("nightly", Keep(last=9))
    of_other = [replace(each, tags={**each.tags, "snapshot-plan": "nightly"}) for each in nightly(9)]
    for plans in ([other, replace(LAST_1, was=("nightly",))], [replace(LAST_1, was=("nightly",)), other]):
        assert deleted(decide(of_other, plans, NOW)) == []


def test_dry_run_decides_alike_and_is_marked() -> None:
    nights = nightly(9)
    dry = decide(nights, [replace(DAILY_7, dry_run=True)], NOW)
    assert deleted(dry) == deleted(decide(nights, [DAILY_7], NOW)) == names(nights[7:])
    assert all(each.dry_run for each in dry)
    assert not any(each.dry_run for each in decide(nights, [DAILY_7], NOW))


# Regions


def test_snapshot_in_unconfigured_region_stays_and_says_so() -> None:
    there = [replace(each, tags={**each.tags, **EXPIRED}) for each in nightly(3, region=AWAY)]
    decisions = decide(there, [LAST_1], NOW, regions=[HOME])
    assert deleted(decisions) == []
    assert reason(decisions, there[2]) == f"keep: in {AWAY}, which is not among the Regions of the plans"
    assert {each.kept_because for each in decisions} == {KeptBecause.REGION_NOT_CONFIGURED}


def test_snapshot_that_stays_in_a_region_its_plan_has_left_says_so() -> None:
    there = nightly(3, region=AWAY)
    decisions = decide(there, [replace(LAST_1, regions=(HOME,))], NOW, regions=[HOME, AWAY])
    assert reason(decisions, there[0]) == f"keep: plan daily has left {AWAY}"
    assert decision_on(decisions, there[0]).kept_because == KeptBecause.REGION_NOT_CONFIGURED
    assert deleted(decisions) == names(there[1:])
    here = decide(there, [replace(LAST_1, regions=(AWAY,))], NOW, regions=[HOME, AWAY])
    assert decision_on(here, there[0]).kept_because == KeptBecause.NEWEST


# Holds


@pytest.mark.parametrize("value", ["", "until the audit is over", "false"])
@pytest.mark.parametrize("key", ["snapshot-hold", "Snapshot-Hold", " snapshot-hold", "SNAPSHOT-HOLD "])
def test_snapshot_on_hold_stays_however_the_tag_is_written(key: str, value: str) -> None:
    for state in ("available", "error"):
        on_hold = snapshot(NOW - 99 * DAY, state=state, tags={key: value})
        assert reason_for(on_hold) == "keep: tagged snapshot-hold"
        assert class_of(on_hold) == KeptBecause.HOLD


def test_hold_changes_nothing_for_the_others() -> None:
    nights = nightly(9)
    held = [*nights[:3], replace(nights[3], tags={**nights[3].tags, "snapshot-hold": ""}), *nights[4:]]
    assert deleted(decide(held, [DAILY_7], NOW)) == deleted(decide(nights, [DAILY_7], NOW)) == names(nights[7:])


# Unfinished and failed ones


@pytest.mark.parametrize(("state", "why"), [("pending", "pending"), ("archived", "its state archived is not known")])
def test_snapshot_stays_until_it_is_finished(state: str, why: str) -> None:
    old = snapshot(NOW - 99 * DAY, state=state, tags={"expires-at": "2026-11-01T00:00:00Z"})
    assert reason_for(old) == f"keep: {why}"
    assert class_of(old) == KeptBecause.PENDING


@pytest.mark.parametrize("state", ["pending", "error", "archived"])
@pytest.mark.parametrize("position", range(4))
def test_unusable_snapshot_takes_no_place_of_a_keep_rule(state: str, position: int) -> None:
    nights = nightly(4)
    bad = replace(nights.pop(position), state=state)
    gone = set(deleted(decide([*nights, bad], [make_plan(keep=Keep(last=2))], NOW)))
    failed_and_superseded = state == "error" and position > 0
    assert gone == {nights[2].name} | ({bad.name} if failed_and_superseded else set())


def test_failed_snapshot_goes_only_after_a_newer_one_is_usable() -> None:
    failed, before = snapshot(NOW - DAY, state="error"), snapshot(NOW - 2 * DAY)
    pending = snapshot(NOW - HOUR, state="pending")
    another = snapshot(NOW - HOUR, instance="web-2")
    decisions = decide([failed, before, pending, another], [LAST_1], NOW)
    assert reason(decisions, failed) == "keep: failed, but there is no newer usable snapshot of web-1"
    assert decision_on(decisions, failed).kept_because == KeptBecause.NEWEST
    assert reason_for(failed, before) == "delete: failed, and there is a newer usable snapshot of web-1"


@pytest.mark.parametrize("keep", ["last=90", "all", None])
@pytest.mark.parametrize("plan", ["daily", None])
def test_failed_snapshot_goes_with_any_rules(keep: str | None, plan: str | None) -> None:
    failed = snapshot(NOW - DAY, state="error", plan=plan, keep=keep, tags={"expires-at": "2027-01-01T00:00:00Z"})
    no_expiry = snapshot(NOW - DAY, state="error", plan=plan, keep=keep)
    for rules in (make_plan(), LAST_1, replace(LAST_1, copy_to=(AWAY,)), make_plan(keep_for=DAY)):
        for each in (failed, no_expiry):
            assert class_of(each, plan=rules) is None


def test_failed_snapshot_stays_when_a_usable_one_is_of_the_same_second() -> None:
    failed, usable = snapshot(NOW - DAY, name="a", state="error"), snapshot(NOW - DAY, name="b")
    assert deleted(decide([failed, usable], [LAST_1], NOW)) == []


def test_failed_snapshot_stays_when_the_newer_one_is_dated_in_the_future() -> None:
    failed = snapshot(NOW - DAY, state="error")
    assert deleted(decide([failed, snapshot(NOW + DAY)], [LAST_1], NOW)) == []


# The newest usable one (of copies: test_retention_copies.py)


def test_last_usable_snapshot_stays_when_its_instance_is_gone() -> None:
    last = snapshot(NOW - 900 * DAY, tags={"expires-at": "2024-07-01T00:00:00Z"})
    failed = snapshot(NOW - 899 * DAY, state="error")
    decisions = decide([last, failed], [LAST_1], NOW)
    assert reason(decisions, last) == "keep: the newest usable snapshot of web-1"
    assert decision_on(decisions, last).kept_because == KeptBecause.NEWEST
    assert deleted(decisions) == []


def test_recreated_instance_does_not_push_out_the_last_snapshot_of_the_first() -> None:
    first = [snapshot(NOW - days * DAY, of=instance_arn(1)) for days in (30, 31)]
    second = [snapshot(NOW - days * DAY, of=instance_arn(2)) for days in (1, 2)]
    assert deleted(decide(first + second, [LAST_1], NOW)) == names([first[1], second[1]])


def test_renamed_instance_keeps_the_newest_under_each_name() -> None:
    old_name, new_name = snapshot(NOW - 9 * DAY, instance="shop"), snapshot(NOW - DAY, instance="shop-2")
    assert deleted(decide([old_name, new_name], [LAST_1], NOW)) == []


def test_instances_of_one_name_in_two_regions_are_two() -> None:
    here, there = snapshot(NOW - 2 * DAY), snapshot(NOW - DAY, region=AWAY, of=instance_arn(1, AWAY))
    assert deleted(decide([here, there], [LAST_1], NOW)) == []


def test_snapshot_stays_when_it_could_be_of_either_of_two_instances() -> None:
    unclear = [snapshot(NOW - days * DAY, of="") for days in (9, 8)]
    first, second = (snapshot(NOW - days * DAY, of=instance_arn(days)) for days in (2, 1))
    assert deleted(decide([*unclear, first], [LAST_1], NOW)) == [unclear[0].name]
    decisions = decide([*unclear, first, second], [LAST_1], NOW)
    assert deleted(decisions) == []
    several = "keep: several instances were named web-1, and it does not say which it is of"
    assert reason(decisions, unclear[0]) == several
    assert decision_on(decisions, unclear[0]).kept_because == KeptBecause.NEWEST


# Instances that are gone


def test_decision_says_whether_the_instance_is_gone() -> None:
    def gone(about: Snapshot, **instances: list[str]) -> bool:
        by_region = {HOME: [instance_arn(2)]} | {key.replace("_", "-"): value for key, value in instances.items()}
        return decision_on(decide([about], [LAST_1], NOW, instances=by_region), about).instance_gone

    assert gone(snapshot(NOW - DAY))
    assert not gone(snapshot(NOW - DAY), eu_central_1=[instance_arn(1)])
    assert not gone(snapshot(NOW - DAY, of=""))
    assert not gone(snapshot(NOW - DAY, region=AWAY))
    assert gone(snapshot(NOW - DAY, region=AWAY), eu_west_1=[])
    assert not decide_beside_newer(snapshot(NOW - DAY)).instance_gone


# The listing


def test_nothing_is_deleted_in_a_region_whose_listing_was_cut_short() -> None:
    here, there = nightly(3), nightly(3, region=AWAY)
    decisions = decide([*here, *there], [LAST_1], NOW, incomplete=[AWAY])
    assert deleted(decisions) == names(here[1:])
    assert reason(decisions, there[2]) == f"keep: the listing of {AWAY} is not complete"
    assert decision_on(decisions, there[2]).kept_because == KeptBecause.INCOMPLETE_LISTING


def test_snapshot_of_unknown_instance_stays_when_not_everything_was_listed() -> None:
    unclear = [snapshot(NOW - days * DAY, of="") for days in (1, 2)]
    assert deleted(decide(unclear, [LAST_1], NOW)) == names(unclear[1:])
    decisions = decide(unclear, [LAST_1], NOW, incomplete=[AWAY])
    assert reason(decisions, unclear[1]) == (
        "keep: it does not say which instance it is of, and not every listing is complete"
    )


def test_snapshot_that_two_pages_repeat_is_one() -> None:
    nights = nightly(3)
    decisions = decide([replace(nights[0]), *nights], [make_plan(keep=Keep(last=2))], NOW)
    assert len(decisions) == 3
    assert deleted(decisions) == [nights[2].name]


def test_snapshot_that_changed_between_two_pages_stays_and_counts_for_nothing() -> None:
    newest, middle, old, oldest = nightly(4)
    changed = replace(middle, tags={**middle.tags, "note": "x"})
    for listing in ([newest, changed, middle, old, oldest], [newest, middle, old, oldest, changed]):
        decisions = decide(listing, [make_plan(keep=Keep(last=2))], NOW)
        for version in (middle, changed):
            assert reason(decisions, version) == "keep: listed twice, and not the same both times"
            assert decision_on(decisions, version).kept_because == KeptBecause.INCOMPLETE_LISTING
        assert deleted(decisions) == [oldest.name]


def test_each_version_of_a_snapshot_has_one_decision_when_pages_repeat_them() -> None:
    first = snapshot(NOW - DAY)
    second, third = (replace(first, tags={**first.tags, "note": note}) for note in "xy")
    decisions = decide([first, second, third, second, third, first], [LAST_1], NOW)
    assert [each.action for each in decisions] == ["keep"] * 3


# Clocks


def test_snapshot_of_this_very_moment_is_usable() -> None:
    old, new = snapshot(NOW - DAY), snapshot(NOW)
    decisions = decide([old, new], [LAST_1], NOW)
    assert decision_on(decisions, new).kept_because == KeptBecause.NEWEST
    assert deleted(decisions) == [old.name]


def test_newest_proven_snapshot_stays_until_a_newer_one_is_proven() -> None:
    night, nights = snapshot(NOW - 30 * DAY, tags={"proven-at": "2026-10-06T05:20:00Z"}), nightly(3)
    decisions = decide([*nights, night], [LAST_1], NOW)
    assert reason(decisions, night) == "keep: the newest proven snapshot of web-1"
    assert deleted(decisions) == names(nights[1:])

    newer = replace(nights[1], tags={**nights[1].tags, "proven-at": "not a time, and yet a proof"})
    decisions = decide([nights[0], newer, nights[2], night], [LAST_1], NOW)
    assert deleted(decisions) == names([nights[2], night])
    assert decision_on(decisions, night).relies_on == (nights[0], newer), "prune reads the newer proof again"
    assert decision_on(decisions, nights[2]).relies_on == (nights[0],)


def test_newest_proven_snapshot_stays_after_it_has_expired() -> None:
    expired = {"expires-at": "2026-10-20T00:00:00Z"}
    night = snapshot(NOW - 30 * DAY, keep=None, tags=expired | {"proven-at": "2026-10-06T05:20:00Z"})
    without_proof = snapshot(NOW - 31 * DAY, keep=None, tags=expired)
    assert deleted(decide([*nightly(1), night, without_proof], [LAST_1], NOW)) == [without_proof.name]


def test_snapshots_dated_in_the_future_stay_and_push_out_nothing() -> None:
    nights = nightly(3)
    future = [snapshot(NOW + days * DAY) for days in (1, 400)]
    decisions = decide([*nights, *future], [LAST_1], NOW)
    assert {reason(decisions, each) for each in future} == {"keep: dated in the future"}
    assert {decision_on(decisions, each).kept_because for each in future} == {KeptBecause.PENDING}
    assert reason(decisions, nights[0]) == "keep: the newest usable snapshot of web-1"
    assert deleted(decisions) == names(nights[1:])


def test_clock_that_jumps_back_deletes_nothing_newer_than_it() -> None:
    assert deleted(decide(nightly(9), [LAST_1], NOW - 30 * DAY)) == []


def test_hour_that_comes_twice_has_an_order_in_any_time_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    older, newer = (
        snapshot(datetime(2026, 10, 25, 2, minute, tzinfo=berlin, fold=fold), name=name)
        for name, minute, fold in (("older", 50, 0), ("newer", 10, 1))
    )
    assert deleted(decide([older, newer], [LAST_1], NOW)) == ["older"]


# All together


def test_decisions_are_sorted_by_instance_and_newest_first() -> None:
    web, shop = nightly(3), [snapshot(NOW - days * DAY, instance="shop") for days in (2, 1)]
    decisions = decide([*web[::-1], *shop], [DAILY_7], NOW)
    assert [each.snapshot for each in decisions] == [shop[1], shop[0], *web]


def test_nothing_is_decided_about_nothing() -> None:
    assert decide([], [DAILY_7], NOW) == []


HELD = {"snapshot-hold": ""}
FUTURE = {"expires-at": "2027-01-01T00:00:00Z"}
PROVEN = {"proven-at": "2026-11-01T05:20:00Z"}
LAST_2 = make_plan(keep=Keep(last=2), copy_to=(AWAY,))


@pytest.mark.parametrize(
    ("about", "first"),
    [
        (replace(snapshot(NOW - 9 * DAY, plan="removed"), name="manual"), KeptBecause.FOREIGN),
        (snapshot(NOW - 9 * DAY, plan="removed", region="us-east-1"), KeptBecause.UNKNOWN_PLAN),
        (snapshot(NOW - 9 * DAY, region="us-east-1", tags=HELD), KeptBecause.REGION_NOT_CONFIGURED),
        (snapshot(NOW - 9 * DAY, state="pending", tags=HELD), KeptBecause.HOLD),
        (snapshot(NOW - 9 * DAY, state="pending", of=""), KeptBecause.PENDING),
        (snapshot(NOW - HOUR), KeptBecause.NEWEST),
        (snapshot(NOW - 2 * DAY, keep="last=9", tags=PROVEN), KeptBecause.PROVEN),
        (snapshot(NOW - 2 * DAY, keep="last=9"), KeptBecause.RULE),
        (snapshot(NOW - 4 * DAY, keep="last=9"), KeptBecause.RULES_TIGHTENED),
        (snapshot(NOW - 4 * DAY, tags=FUTURE), KeptBecause.EXPIRES),
        (snapshot(NOW - 4 * DAY), KeptBecause.NOT_COPIED),
        (copy_of(snapshot(NOW - 4 * DAY)), KeptBecause.INCOMPLETE_LISTING),
    ],
    ids=lambda value: value if isinstance(value, KeptBecause) else "",
)
def test_first_class_that_applies_is_the_reason(about: Snapshot, first: KeptBecause) -> None:
    """In each world the next class of the table applies too, or one after it."""
    newer = [snapshot(NOW - ago) for ago in (2 * HOUR, 3 * DAY)]
    namesake = snapshot(NOW - 9 * DAY, name="namesake", of=instance_arn(2))
    newer_copies = [copy_of(snapshot(NOW - ago)) for ago in (3 * DAY, 3.5 * DAY)] if about.region == AWAY else []
    listing = [about, *newer, namesake, *newer_copies]
    decisions = decide(listing, [LAST_2], NOW, regions=[HOME, AWAY], incomplete=[HOME, AWAY])
    assert decision_on(decisions, about).kept_because == first


def test_classes_are_in_the_order_of_the_document() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert [row for row in rows if row != "instance_gone"] == list(KeptBecause)
