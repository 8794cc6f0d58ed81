"""The keep rules that travel with a snapshot: what each case keeps, and what it says."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lightsail_snapshots.decision import KeptBecause
from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.retention import decide
from lightsail_snapshots.snapshot import Snapshot
from tests.support.snapshots import (
    DAY,
    HOUR,
    LAST_1,
    NOW,
    decision_on,
    deleted,
    held,
    make_plan,
    names,
    nightly,
    reason,
    snapshot,
)

TIGHTENED = make_plan(keep=Keep(last=1))


def test_snapshot_that_only_older_rules_keep_is_held_and_says_whose() -> None:
    newest, second, third, oldest = nightly(4)
    carrier = replace(third, tags={**third.tags, "snapshot-keep": "last=3"})
    decisions = decide([newest, second, carrier, oldest], [TIGHTENED], NOW)
    assert reason(decisions, second) == f"keep: held: last 2 of 3, since {third.name} was taken under last=3"
    decision = decision_on(decisions, second)
    assert (decision.kept_because, decision.older_rules, decision.is_held) == (
        KeptBecause.RULES_TIGHTENED,
        "last=3",
        True,
    )
    assert held(decisions) == names([second, third])
    assert deleted(decisions) == [oldest.name]


@pytest.mark.parametrize(
    ("tag", "why"),
    [
        ("all", "was taken when plan daily had no keep rules"),
        ("last=many", "does not say under which keep rules it was taken"),
        (None, "does not say under which keep rules it was taken"),
    ],
)
def test_snapshot_that_carries_no_rules_holds_its_whole_list(tag: str | None, why: str) -> None:
    newest, second, oldest = nightly(3)
    carrier = snapshot(oldest.created_at, keep=tag)
    decisions = decide([newest, second, carrier], [TIGHTENED], NOW)
    assert held(decisions) == names([second, carrier])
    assert reason(decisions, second) == f"keep: held: {carrier.name} {why}"
    assert {each.older_rules for each in decisions if each.is_held} == {"all"}


def test_held_snapshot_names_the_newest_that_carries_the_rules() -> None:
    newest, *older = nightly(4, keep="last=9")
    newest = replace(newest, tags={**newest.tags, "snapshot-keep": "last=1"})
    decisions = decide([newest, *older], [TIGHTENED], NOW)
    assert reason(decisions, older[2]) == f"keep: held: last 4 of 9, since {older[0].name} was taken under last=9"


def test_rules_of_newer_snapshots_are_named_first_when_several_keep_one() -> None:
    newest, second, third = nightly(3)
    listing = [
        newest,
        replace(second, tags={**second.tags, "snapshot-keep": "daily=5"}),
        replace(third, tags={**third.tags, "snapshot-keep": "last=5"}),
    ]
    assert decision_on(decide(listing, [TIGHTENED], NOW), listing[2]).older_rules == "daily=5"


def test_same_rules_in_another_notation_hold_nothing() -> None:
    nights = nightly(4, keep="within=24h last=1")
    decisions = decide(nights, [make_plan(keep=Keep(last=1, within=timedelta(days=1)))], NOW)
    assert deleted(decisions) == names(nights[1:])


@pytest.mark.parametrize("outside", ["of another plan", "expiring", "failed", "pending", "foreign", "of the future"])
def test_only_snapshots_of_the_list_carry_rules_for_it(outside: str) -> None:
    newest, second = nightly(2)
    other: Snapshot = {
        "of another plan": snapshot(NOW - HOUR, plan="hourly", keep="all"),
        "expiring": snapshot(NOW - HOUR, keep="all", tags={"expires-at": "2027-01-01T00:00:00Z"}),
        "failed": snapshot(NOW - HOUR, keep="all", state="error"),
        "pending": snapshot(NOW - HOUR, keep="all", state="pending"),
        "foreign": replace(snapshot(NOW - HOUR, keep="all"), name="manual"),
        "of the future": snapshot(NOW + HOUR, keep="all"),
    }[outside]
    decisions = decide([newest, second, other], [TIGHTENED, make_plan("hourly")], NOW)
    assert decision_on(decisions, second).kept_because is None


def test_expiring_snapshots_take_no_place_of_older_rules_while_the_plan_has_keep() -> None:
    older = nightly(4, until=NOW - 5 * DAY, keep="last=3")
    newer = [snapshot(NOW - n * DAY, keep=None, tags={"expires-at": "2027-01-01T00:00:00Z"}) for n in (1, 2)]
    decisions = decide([*older, *newer], [TIGHTENED], NOW)
    assert held(decisions) == names(older[1:3])
    assert deleted(decisions) == [older[3].name]


def test_snapshot_on_hold_carries_its_rules_too() -> None:
    nights = nightly(4)
    on_hold = replace(nights[3], tags={**nights[3].tags, "snapshot-keep": "last=3", "snapshot-hold": ""})
    decisions = decide([*nights[:3], on_hold], [TIGHTENED], NOW)
    assert held(decisions) == names(nights[1:3])
    assert decision_on(decisions, on_hold).kept_because == KeptBecause.HOLD


def test_confirmed_rules_decide_alone_when_snapshots_carry_others() -> None:
    nights = nightly(4, keep="all")
    confirmed = replace(TIGHTENED, keep_confirmed=Keep(last=1))
    assert deleted(decide(nights, [confirmed], NOW)) == names(nights[1:])
    mistyped = replace(confirmed, keep=Keep(daily=1))
    assert deleted(decide(nights, [mistyped], NOW)) == []


@pytest.mark.parametrize("confirmed", [None, Keep(last=1)])
def test_plan_without_keep_and_keep_for_deletes_nothing_by_rules(confirmed: Keep | None) -> None:
    nights = nightly(4)
    decisions = decide(nights, [make_plan(keep_confirmed=confirmed)], NOW)
    assert deleted(decisions) == []
    assert {each.kept_because for each in decisions[1:]} == {KeptBecause.RULE}


def test_with_keep_for_older_snapshots_go_by_the_rules_that_they_carry() -> None:
    plan = make_plan(keep_for=9 * DAY)
    older = nightly(3, until=NOW - 5 * DAY, keep="last=3")
    newer = [snapshot(NOW - n * DAY, keep=None, tags={"expires-at": "2027-01-01T00:00:00Z"}) for n in (1, 2)]
    decisions = decide([*older, *newer], [plan], NOW)
    assert deleted(decisions) == names(older[1:])
    assert reason(decisions, older[0]) == f"keep: last 3 of 3, since {older[0].name} was taken under last=3"
    decision = decision_on(decisions, older[0])
    assert (decision.kept_because, decision.older_rules) == (KeptBecause.RULE, "")


def test_deletion_by_carried_rules_says_that_no_rule_keeps_it() -> None:
    old, new = nightly(2, keep="last=1")[::-1]
    decisions = decide([old, new], [make_plan(keep_for=9 * DAY)], NOW)
    assert reason(decisions, old) == "delete: no keep rule of plan daily keeps it"


def test_renamed_plan_is_named_as_it_is_today() -> None:
    nights = [replace(each, tags={**each.tags, "snapshot-plan": "nightly"}) for each in nightly(2)]
    decisions = decide(nights, [replace(LAST_1, was=("nightly",))], NOW)
    assert reason(decisions, nights[1]) == "delete: no keep rule of plan daily keeps it"
