"""What must hold of `decide` for any listing and any policies."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.keep_rules import Keep, apply_keep_rules
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.retention import Decision, decide
from lightsail_snapshots.snapshot import Snapshot
from tests.support.snapshots import AWAY, HOME, copy_of, instance_arn, make_plan, snapshot

NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)  # ten days after the clocks of Europe/Berlin went back
BERLIN = ZoneInfo("Europe/Berlin")
EXPIRIES = ("2026-10-01T00:00:00Z", "2026-11-04T12:00:00Z", "2027-01-01T00:00:00Z", "soon")

Key = tuple[str, str]


def key(of: Snapshot) -> Key:
    return of.region, of.name


counts = st.sampled_from([0, 0, 0, 1, 2, 5])
keeps = st.builds(
    Keep,
    last=counts,
    hourly=counts,
    daily=counts,
    weekly=counts,
    monthly=counts,
    yearly=counts,
    within=st.sampled_from([timedelta(0), timedelta(hours=5), timedelta(days=3)]),
)
policies = st.tuples(
    *(
        st.builds(
            make_plan,
            name=st.just(plan),
            timezone=st.sampled_from(["UTC", BERLIN.key]),
            keep=keeps,
            copy_to=st.sampled_from([(), (AWAY,)]),
            max_deletes=st.sampled_from([None, 1, 50]),
        )
        for plan in ("daily", "hourly")
    )
)
# Mostly on whole hours around a few days, so that many fall into one period, on one moment, and on the hour that comes
# twice; a few a year before and some in the future.
moments = st.builds(
    lambda days, hours: NOW - timedelta(days=days, hours=hours),
    st.sampled_from([0, 1, 1, 2, 5, 10, 10, 10, 40, 400, -1]),
    st.integers(0, 30),
)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Draw mostly what the keep rules of one plan decide on, and now and then something odd in several ways."""
    taken = draw(moments)
    if draw(st.integers(0, 3)):
        return snapshot(taken, tags=draw(st.sampled_from([{}, {}, {}, {}, {"snapshot-hold": ""}])))
    odd = snapshot(
        taken,
        region=draw(st.sampled_from([HOME, HOME, AWAY])),
        state=draw(st.sampled_from(["available", "available", "pending", "error", "archived"])),
        instance=draw(st.sampled_from(["web-1", "web-1", "shop"])),
        of=draw(st.sampled_from([instance_arn(1), instance_arn(1), instance_arn(1), instance_arn(2), ""])),
        plan=draw(st.sampled_from(["daily", "daily", "hourly", "removed", None])),
        tags=draw(st.sampled_from([{}, {}, {"snapshot-hold": ""}, *({"expires-at": text} for text in EXPIRIES)])),
    )
    if draw(st.integers(0, 5)) == 0:
        return replace(odd, tags={**odd.tags, "managed-by": "terraform"})
    return odd


copy_states = st.sampled_from(["available", "available", "available", "pending", "error"])
delays = st.sampled_from([1, 30, 60])


@st.composite
def listings(draw: st.DrawFn) -> list[Snapshot]:
    """Draw a listing of two Regions in which some snapshots of one have copies in the other, at any stage."""
    drawn = draw(st.lists(snapshots(), min_size=3, max_size=20))
    sources = [replace(each, name=f"{each.name}-{number}") for number, each in enumerate(drawn)]
    how_many = draw(st.sampled_from([0, len(sources)]))
    copies = [
        copy_of(each, state=draw(copy_states), after=timedelta(hours=draw(delays)))
        for each in sources[:how_many]
        if each.region == HOME and draw(st.integers(0, 3))
    ]
    return sources + copies


def deleted(decisions: Iterable[Decision]) -> set[Key]:
    return {key(each.snapshot) for each in decisions if each.action == "delete"}


def would_go(decisions: Iterable[Decision]) -> set[Key]:
    """Return what the rules would delete if it were not too much at once."""
    return {key(each.snapshot) for each in decisions if each.action == "delete" or each.refused}


def usable(listing: Iterable[Snapshot]) -> list[Snapshot]:
    return [
        each
        for each in listing
        if each.tags.get("managed-by") == "lightsail-snapshots"
        and each.state == "available"
        and min(each.created_at, each.origin.taken_at) <= NOW
    ]


@given(listings(), policies)
def test_the_newest_usable_snapshot_of_an_instance_is_never_deleted(
    listing: list[Snapshot], plans: tuple[Plan, ...]
) -> None:
    remaining = {key(each) for each in listing} - would_go(decide(listing, plans, NOW))
    instances: dict[tuple[str, ...], list[Snapshot]] = defaultdict(list)
    for each in usable(listing):
        instances[each.region, each.tags["snapshot-of"]].append(each)
        instances[each.region, each.tags["snapshot-of"], each.origin.instance_arn].append(each)
    for instance in instances.values():
        newest = max(each.origin.taken_at for each in instance)
        assert any(key(each) in remaining for each in instance if each.origin.taken_at == newest)


@given(listings(), policies)
def test_what_is_not_ours_or_held_or_unfinished_or_of_no_known_plan_is_never_deleted(
    listing: list[Snapshot], plans: tuple[Plan, ...]
) -> None:
    gone = would_go(decide(listing, plans, NOW))
    for each in listing:
        if key(each) in gone:
            assert each.tags["managed-by"] == "lightsail-snapshots"
            assert "snapshot-hold" not in each.tags
            assert each.state in {"available", "error"}
            assert each.tags.get("snapshot-plan") in {"daily", "hourly", None}
            assert "snapshot-plan" in each.tags or each.tags["expires-at"] in EXPIRIES[:2] or each.state == "error"
            assert each.tags.get("expires-at") not in EXPIRIES[2:] or each.state == "error"
            assert each.created_at <= NOW or each.origin.taken_at <= NOW


@given(listings(), policies)
def test_a_failed_snapshot_goes_only_when_a_newer_usable_one_stays(
    listing: list[Snapshot], plans: tuple[Plan, ...]
) -> None:
    gone = would_go(decide(listing, plans, NOW))
    for failed in (each for each in listing if each.state == "error" and key(each) in gone):
        assert any(
            each.origin.taken_at > failed.origin.taken_at
            and (each.region, each.origin.instance_arn) == (failed.region, failed.origin.instance_arn)
            and key(each) not in gone
            for each in usable(listing)
        )


@given(listings(), policies)
def test_a_snapshot_goes_only_when_it_or_a_newer_one_of_its_plan_has_a_usable_copy(
    listing: list[Snapshot], plans: tuple[Plan, ...]
) -> None:
    gone = would_go(decide(listing, plans, NOW))
    copied_plans = {plan.name for plan in plans if plan.copy_to}
    copies = {each.name for each in listing if each.is_copy and each.state == "available"}
    for source in listing:
        plan = source.tags.get("snapshot-plan")
        if key(source) in gone and source.region == HOME and source.state == "available" and plan in copied_plans:
            assert any(
                each.name in copies and each.tags.get("snapshot-plan") == plan and each.created_at >= source.created_at
                for each in usable(listing)
                if each.region == HOME
            )


@given(listings(), policies, st.data())
def test_a_second_run_deletes_only_what_the_first_one_left_undone(
    listing: list[Snapshot], plans: tuple[Plan, ...], data: st.DataObject
) -> None:
    first = deleted(decide(listing, plans, NOW))
    done = {each for each in sorted(first) if data.draw(st.booleans(), label=str(each))}
    again = deleted(decide([each for each in listing if key(each) not in done], plans, NOW))
    assert again <= first - done
    assert deleted(decide([each for each in listing if key(each) not in first], plans, NOW)) == set()


@given(listings(), policies, keeps)
def test_a_looser_policy_never_deletes_more(listing: list[Snapshot], plans: tuple[Plan, ...], more: Keep) -> None:
    def looser(plan: Plan) -> Plan:
        if not plan.keep:  # keeps everything: it is the loosest plan, and any rule is stricter
            return plan
        sums = {each.name: getattr(plan.keep, each.name) + getattr(more, each.name) for each in fields(Keep)}
        return replace(plan, keep=Keep(**sums))

    strict = would_go(decide(listing, plans, NOW))
    assert would_go(decide(listing, [looser(plan) for plan in plans], NOW)) <= strict
    assert would_go(decide(listing, [replace(plan, copy_to=(AWAY, "us-east-1")) for plan in plans], NOW)) <= strict


@given(listings(), policies, st.data())
def test_order_and_repeats_of_the_listing_change_nothing(
    listing: list[Snapshot], plans: tuple[Plan, ...], data: st.DataObject
) -> None:
    changed = replace(listing[0], state="pending", arn="changed between two pages")
    expected = decide([*listing, changed], plans, NOW)
    repeated = [*listing, *(replace(each) for each in listing[:3]), changed]
    assert decide(data.draw(st.permutations(repeated)), plans[::-1], NOW) == expected


@given(listings(), policies)
def test_no_more_than_the_limit_goes_and_if_one_is_refused_all_of_its_instance_are(
    listing: list[Snapshot], plans: tuple[Plan, ...]
) -> None:
    instances: dict[tuple[str, ...], list[Decision]] = defaultdict(list)
    for each in decide(listing, plans, NOW):
        one = each.snapshot
        instances[one.region, one.snapshot_of, one.origin.instance_arn].append(each)
    for decisions in instances.values():
        gone = deleted(decisions)
        assert not (gone and any(each.refused for each in decisions))
        owned = sum(each.snapshot.tags["managed-by"] == "lightsail-snapshots" for each in decisions)
        for plan in plans:
            limit = max(3, owned // 4) if plan.max_deletes is None else plan.max_deletes
            of_plan = [each for each in decisions if each.snapshot.tags.get("snapshot-plan") == plan.name]
            assert len(deleted(of_plan)) <= limit


@given(listings(), policies)
def test_an_incomplete_listing_never_leads_to_a_deletion(listing: list[Snapshot], plans: tuple[Plan, ...]) -> None:
    complete = would_go(decide(listing, plans, NOW))
    gone = would_go(decide(listing, plans, NOW, incomplete=[AWAY]))
    assert gone == {(region, name) for region, name in complete if region != AWAY}
    without_copies = [each for each in listing if each.region != AWAY]
    assert would_go(decide(without_copies, plans, NOW, incomplete=[AWAY])) <= complete


@given(listings(), policies)
def test_every_snapshot_gets_one_decision_and_a_reason(listing: list[Snapshot], plans: tuple[Plan, ...]) -> None:
    decisions = decide(listing, plans, NOW)
    assert sorted(key(each.snapshot) for each in decisions) == sorted(map(key, listing))
    assert all(each.reason for each in decisions)


PERIODS: dict[str, Callable[[datetime], str]] = {
    "last": lambda moment: moment.astimezone(UTC).isoformat(),
    "hourly": lambda moment: f"{moment:%Y-%m-%d %H %z}",
    "daily": lambda moment: f"{moment:%Y-%m-%d}",
    "weekly": lambda moment: f"{moment:%G-%V}",
    "monthly": lambda moment: f"{moment:%Y-%m}",
    "yearly": lambda moment: f"{moment:%Y}",
}


def obviously_kept(moment: datetime, moments: Sequence[datetime], keep: Keep, zone: ZoneInfo) -> bool:
    """Read each rule as it is written: is this the newest of its period, and is that among the last n that have one?"""
    for rule, period in PERIODS.items():
        own = period(moment.astimezone(zone))
        of_newer = {period(newer.astimezone(zone)) for newer in moments if newer > moment}
        if own not in of_newer and len(of_newer) < getattr(keep, rule):
            return True
    return moment > max(moments) - keep.within


# Half hours through the nights in which the clocks of Berlin and of Lord Howe Island change.
nights = st.builds(
    lambda night, halves: night + halves * timedelta(minutes=30),
    st.sampled_from([datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 4, 4, 12, tzinfo=UTC)]),
    st.integers(0, 16),
)
# Often one rule alone, so that no other hides what it does.
rules = st.one_of(keeps, *(st.builds(Keep, **{rule: st.integers(1, 4)}) for rule in PERIODS))


@given(
    st.sets(nights | moments, min_size=1, max_size=60),
    rules,
    st.sampled_from([BERLIN, ZoneInfo("Australia/Lord_Howe")]),
)
def test_the_keep_rules_agree_with_an_obvious_reading_of_them(taken: set[datetime], keep: Keep, zone: ZoneInfo) -> None:
    newest_first = sorted(taken, reverse=True)
    kept = [
        moment
        for moment, reasons in zip(newest_first, apply_keep_rules(newest_first, keep, zone), strict=True)
        if reasons
    ]
    assert kept == [moment for moment in newest_first if obviously_kept(moment, newest_first, keep, zone)]


@given(st.sets(moments.filter(lambda moment: moment <= NOW), min_size=1), rules.filter(bool))
def test_decide_keeps_what_the_obvious_reading_keeps(taken: set[datetime], keep: Keep) -> None:
    listing = [snapshot(moment) for moment in sorted(taken)]
    plan = make_plan(keep=keep, timezone=BERLIN.key, max_deletes=999)
    remaining = {each.snapshot.created_at for each in decide(listing, [plan], NOW) if each.action == "keep"}
    assert remaining == {moment for moment in taken if obviously_kept(moment, list(taken), keep, BERLIN)}
