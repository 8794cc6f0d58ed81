"""Which snapshots may go: one test for each interlock and for each scenario that has cost somebody a backup."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lightsail_snapshots.keep import Keep
from lightsail_snapshots.policy import UNPLANNED, Policy
from lightsail_snapshots.retention import Decision, decide
from lightsail_snapshots.snapshot import Snapshot
from tests.unit.snapshots import AWAY, HOME, copy_of, instance_arn, snapshot

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LAST_1 = Policy(plan="daily", keep=Keep(last=1))
DAILY_7 = Policy(plan="daily", keep=Keep(daily=7))


def on(*days_of_november: int) -> list[Snapshot]:
    return [snapshot(datetime(2026, 11, day, 3, 15, tzinfo=UTC)) for day in days_of_november]


def nightly(nights: int, *, until: datetime = NOW, region: str = HOME) -> list[Snapshot]:
    """Build one snapshot for each of the last nights, newest first."""
    return [snapshot(until - (night + 1) * DAY, region=region) for night in range(nights)]


def deleted(decisions: Iterable[Decision]) -> list[str]:
    return sorted(each.snapshot.name for each in decisions if each.action == "delete")


def names(snapshots: Iterable[Snapshot]) -> list[str]:
    return sorted(each.name for each in snapshots)


def reason(decisions: Iterable[Decision], about: Snapshot) -> str:
    [decision] = [each for each in decisions if each.snapshot == about]
    return f"{decision.action}: {decision.reason}"


def reason_for(about: Snapshot, *others: Snapshot, policy: Policy = LAST_1) -> str:
    """Decide on one old snapshot beside the newest one of the same instance, which makes it superfluous."""
    newest = snapshot(NOW - HOUR, name="newest")
    return reason(decide([about, newest, *others], [policy], NOW), about)


# The rules


def test_a_missed_day_costs_nothing() -> None:
    assert deleted(decide(on(20, 18, 17, 16), [replace(DAILY_7, keep=Keep(daily=3))], NOW)) == names(on(16))


def test_the_newest_of_a_day_is_kept() -> None:
    morning, noon, newest = (snapshot(NOW - ago) for ago in (27 * HOUR, 24 * HOUR, HOUR))
    decisions = decide([morning, noon, newest], [DAILY_7], NOW)
    assert reason(decisions, noon) == "keep: daily 2 of 7"
    assert reason(decisions, morning) == "delete: no keep rule of plan daily keeps it"


def test_a_snapshot_that_any_rule_keeps_stays_and_all_its_rules_are_named() -> None:
    keep = Keep(last=2, hourly=2, daily=2, weekly=2, monthly=2, yearly=2, within=2 * DAY)
    second = snapshot(NOW - DAY)
    assert reason_for(second, policy=Policy(plan="daily", keep=keep)) == (
        "keep: last 2 of 2, hourly 2 of 2, daily 2 of 2, weekly 2 of 2, within 2 days of the newest"
    )


def test_weeks_begin_on_monday_and_belong_to_the_year_of_their_thursday() -> None:
    sunday, monday, friday = (
        snapshot(datetime(2026, 12, 27, 12, tzinfo=UTC)),
        snapshot(datetime(2026, 12, 28, 12, tzinfo=UTC)),
        snapshot(datetime(2027, 1, 1, 12, tzinfo=UTC)),
    )
    later = datetime(2027, 1, 2, tzinfo=UTC)
    assert deleted(decide([sunday, monday, friday], [Policy(plan="daily", keep=Keep(weekly=9))], later)) == [
        monday.name
    ]


def test_the_same_week_of_another_year_is_another_week() -> None:
    year = [snapshot(NOW - HOUR), snapshot(NOW - HOUR - 52 * 7 * DAY)]
    assert deleted(decide(year, [Policy(plan="daily", keep=Keep(weekly=2))], NOW)) == []


def test_months_and_years_are_counted_from_the_newest_that_has_one() -> None:
    months = [snapshot(datetime(2026, month, 5, tzinfo=UTC)) for month in (1, 3, 4, 9, 11)]
    years = [snapshot(datetime(year, 5, 5, tzinfo=UTC)) for year in (2019, 2023, 2025)]
    policy = Policy(plan="daily", keep=Keep(monthly=3, yearly=3), max_deletes=9)
    assert deleted(decide(months + years, [policy], NOW)) == names([months[0], months[1], years[0]])


def test_within_is_counted_from_the_newest_snapshot_so_that_old_ones_stay_where_no_new_ones_come() -> None:
    stopped = nightly(5, until=NOW - 300 * DAY)
    decisions = decide(stopped, [Policy(plan="daily", keep=Keep(within=3 * DAY))], NOW)
    assert deleted(decisions) == names(stopped[3:])


def test_days_are_those_of_the_plans_time_zone() -> None:
    evening, night = (snapshot(datetime(2026, 11, 20, hour, tzinfo=UTC)) for hour in (22, 23))
    one_day_in_utc = decide([evening, night], [DAILY_7], NOW)
    two_days_in_berlin = decide([evening, night], [replace(DAILY_7, time_zone=ZoneInfo("Europe/Berlin"))], NOW)
    assert deleted(one_day_in_utc) == [evening.name]
    assert deleted(two_days_in_berlin) == []


@pytest.mark.parametrize(
    ("first", "last", "hours"),
    [
        pytest.param(datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 21, tzinfo=UTC), 23, id="spring"),
        pytest.param(datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 22, tzinfo=UTC), 25, id="autumn"),
    ],
)
def test_dst_days_have_as_many_hours_as_the_clock_shows(first: datetime, last: datetime, hours: int) -> None:
    day = [snapshot(first + hour * HOUR) for hour in range(hours)]
    assert day[-1].created_at == last
    zone = ZoneInfo("Europe/Berlin")
    assert deleted(decide(day, [Policy(plan="daily", time_zone=zone, keep=Keep(hourly=30))], NOW)) == []
    one_day = Policy(plan="daily", time_zone=zone, keep=Keep(daily=30), max_deletes=30)
    assert deleted(decide(day, [one_day], NOW)) == names(day[:-1])


def test_two_snapshots_in_one_slot_take_two_places_of_last_and_one_of_daily() -> None:
    one, two = (snapshot(NOW - HOUR, name=name) for name in ("web-1-a", "web-1-b"))
    assert deleted(decide([one, two], [Policy(plan="daily", keep=Keep(last=2))], NOW)) == []
    assert deleted(decide([one, two], [DAILY_7], NOW)) == ["web-1-a"]


def test_a_plan_without_keep_rules_deletes_only_what_expires() -> None:
    no_rules = Policy(plan="daily")
    failed = snapshot(NOW - 300 * DAY, state="error")
    old = snapshot(NOW - 200 * DAY)
    expired = snapshot(NOW - 100 * DAY, tags={"expires-at": "2026-09-01T00:00:00Z"})
    decisions = decide([failed, old, expired, snapshot(NOW - HOUR)], [no_rules], NOW)
    assert deleted(decisions) == [expired.name]
    assert reason(decisions, old) == "keep: plan daily has no keep rules"


def test_each_plan_of_an_instance_keeps_its_own() -> None:
    hourly = [snapshot(NOW - hour * HOUR, plan="hourly") for hour in (1, 2, 3)]
    daily = nightly(3)
    plans = [Policy(plan="hourly", keep=Keep(last=2)), Policy(plan="daily", keep=Keep(last=1))]
    assert deleted(decide(hourly + daily, plans, NOW)) == names([hourly[2], daily[1], daily[2]])


# Expiry


def test_a_snapshot_with_expires_at_goes_after_it_and_not_before() -> None:
    def at(moment: str) -> str:
        return reason_for(snapshot(NOW - DAY, tags={"expires-at": moment}), policy=DAILY_7)

    assert at("2026-11-23T12:00:01Z") == "keep: expires on 2026-11-23T12:00:01Z"
    assert at("2026-11-23T12:00:00Z") == "delete: expired on 2026-11-23T12:00:00Z"


def test_a_snapshot_with_expires_at_takes_no_place_of_a_keep_rule() -> None:
    passing = snapshot(NOW - 2 * HOUR, tags={"expires-at": "2027-01-01T00:00:00Z"})
    oldest = snapshot(NOW - 3 * HOUR)
    decisions = decide([snapshot(NOW - HOUR), passing, oldest], [Policy(plan="daily", keep=Keep(last=2))], NOW)
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
    policy = Policy(plan="daily", keep=Keep(last=2))
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


# Interlock 5: the newest usable one, and copies


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


def test_every_region_of_copy_to_is_waited_for() -> None:
    old, new = nightly(2)[::-1]
    policy = replace(LAST_1, copy_to=(AWAY, "us-east-1"))
    decisions = decide([old, new, copy_of(old), copy_of(new)], [policy], NOW)
    assert reason(decisions, old) == "keep: neither it nor a newer one has a usable copy in us-east-1"


def test_an_expired_snapshot_waits_for_its_copy_too() -> None:
    expired = snapshot(NOW - DAY, tags={"expires-at": "2026-11-23T00:00:00Z"})
    assert reason_for(expired, policy=COPIED) == f"keep: neither it nor a newer one has a usable copy in {AWAY}"


def test_a_snapshot_of_the_same_name_that_is_no_copy_of_it_does_not_count() -> None:
    old, new = nightly(2)[::-1]
    copy = copy_of(new)
    for impostor in (
        replace(copy, tags={key: value for key, value in copy.tags.items() if key != "copy-of"}),
        replace(copy, tags={**copy.tags, "managed-by": "somebody"}),
        replace(copy, tags={**copy.tags, "copy-of": replace(new, region="us-east-1").copy_of}),
        replace(copy, tags={**copy.tags, "copy-of": replace(new, instance_arn=instance_arn(2)).copy_of}),
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


# Interlock 6: the listing


def test_nothing_is_deleted_in_a_region_whose_listing_was_cut_short() -> None:
    here, there = nightly(3), nightly(3, region=AWAY)
    decisions = decide([*here, *there], [LAST_1], NOW, incomplete=[AWAY])
    assert deleted(decisions) == names(here[1:])
    assert reason(decisions, there[2]) == f"keep: the listing of {AWAY} is not complete"


def test_a_source_stays_when_the_listing_of_its_copies_is_missing() -> None:
    assert deleted(decide(nightly(3), [COPIED], NOW, incomplete=[AWAY])) == []


def test_copies_from_a_region_that_cannot_be_listed_stay_since_they_may_be_all_that_is_left() -> None:
    copies = [copy_of(night) for night in nightly(3)]
    own = [replace(night, name=f"own-{night.name}") for night in nightly(3, region=AWAY)]
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


def test_a_snapshot_that_two_pages_repeat_is_one_snapshot() -> None:
    nights = nightly(3)
    decisions = decide([replace(nights[0]), *nights], [Policy(plan="daily", keep=Keep(last=2))], NOW)
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


# Interlock 7: too many at once


def test_a_plan_changed_from_70_to_7_deletes_nothing_and_says_so() -> None:
    decisions = decide(nightly(70), [DAILY_7], NOW)
    assert deleted(decisions) == []
    refused = [each for each in decisions if each.refused]
    assert len(refused) == 63
    assert refused[0].reason == (
        "no keep rule of plan daily keeps it; not done: 63 deletions by plan daily in one run, at most 17 are allowed"
    )


@pytest.mark.parametrize(("owned", "limit"), [(3, 2), (11, 2), (12, 3), (40, 10)])
def test_by_default_a_quarter_of_an_instances_snapshots_may_go_and_always_two(owned: int, limit: int) -> None:
    strangers = [replace(snapshot(NOW - 500 * DAY, name=f"manual-{n}"), tags={}) for n in range(90)]

    def gone(keep: int) -> int:
        return len(deleted(decide(nightly(owned) + strangers, [Policy(plan="daily", keep=Keep(last=keep))], NOW)))

    assert gone(owned - limit) == limit
    assert gone(max(owned - limit - 1, 1)) == (0 if owned - limit > 1 else limit)


def test_max_deletes_is_the_plans_own_limit_for_each_instance() -> None:
    policy = replace(DAILY_7, max_deletes=3)
    calm = [replace(night, name=f"b-{night.name}", instance_arn=instance_arn(2)) for night in nightly(10)]
    decisions = decide([*nightly(11), *calm], [policy], NOW)
    assert deleted(decisions) == names(calm[7:])
    assert sum(each.refused for each in decisions) == 4
    assert deleted(decide(nightly(8), [replace(DAILY_7, max_deletes=0)], NOW)) == []


def test_one_plan_that_would_delete_too_much_stops_every_deletion_of_its_instance() -> None:
    hourly = [snapshot(NOW - hour * HOUR, plan="hourly") for hour in (1, 2)]
    plans = [DAILY_7, Policy(plan="hourly", keep=Keep(last=1))]
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
    policy = replace(DAILY_7, allow_deletes_until=date(2026, 11, 23), time_zone=ZoneInfo("Europe/Berlin"))
    assert deleted(decide(nightly(70), [policy], datetime(2026, 11, 23, 22, 59, tzinfo=UTC)))
    assert not deleted(decide(nightly(70), [policy], datetime(2026, 11, 23, 23, 0, tzinfo=UTC)))


def test_what_others_let_expire_is_limited_too_and_can_be_allowed() -> None:
    expired = [replace(night, tags=expired_tags(night)) for night in nightly(9)]
    decisions = decide(expired, [], NOW)
    assert deleted(decisions) == []
    assert "8 deletions by their own expiry in one run, at most 2 are allowed" in decisions[-1].reason
    allowed = Policy(plan=UNPLANNED, allow_deletes_until=NOW.date())
    assert deleted(decide(expired, [allowed], NOW)) == names(expired[1:])


def expired_tags(of: Snapshot) -> dict[str, str]:
    unplanned = {key: value for key, value in of.tags.items() if key != "snapshot-plan"}
    return {**unplanned, "expires-at": "2026-11-23T00:00:00Z"}


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


def test_a_clock_that_jumps_ahead_expires_no_more_than_the_limit() -> None:
    snapshots = [replace(night, tags={**night.tags, "expires-at": "2027-06-01T00:00:00Z"}) for night in nightly(12)]
    decisions = decide(snapshots, [DAILY_7], NOW + 9000 * DAY)
    assert deleted(decisions) == []
    assert sum(each.refused for each in decisions) == 11


def test_a_dry_run_decides_alike_and_is_marked() -> None:
    nights = nightly(9)
    looks_on = decide(nights, [replace(DAILY_7, dry_run=True)], NOW)
    assert deleted(looks_on) == deleted(decide(nights, [DAILY_7], NOW))
    assert all(each.dry_run for each in looks_on)
    assert not any(each.dry_run for each in decide(nights, [DAILY_7], NOW))


def test_a_plan_that_only_looks_on_does_not_stop_the_deletions_of_another() -> None:
    hourly = [snapshot(NOW - hour * HOUR, plan="hourly") for hour in (1, 2)]
    plans = [replace(DAILY_7, dry_run=True), Policy(plan="hourly", keep=Keep(last=1))]
    decisions = decide([*nightly(70), *hourly], plans, NOW)
    assert deleted(decisions) == [hourly[1].name]
    assert sum(each.refused and each.dry_run for each in decisions) == 63


def test_decisions_are_sorted_by_instance_and_newest_first() -> None:
    web, shop = nightly(3), [snapshot(NOW - days * DAY, instance="shop") for days in (2, 1)]
    decisions: Sequence[Decision] = decide([*web[::-1], *shop], [DAILY_7], NOW)
    assert [each.snapshot for each in decisions] == [shop[1], shop[0], *web]


def test_nothing_is_decided_about_nothing() -> None:
    assert decide([], [DAILY_7], NOW) == []
