"""What must hold of `decide` for any listing and any plans."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.decision import Decision, KeptBecause
from lightsail_snapshots.keep_rules import Keep, apply_keep_rules, format_keep_tag
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.retention import decide
from lightsail_snapshots.snapshot import Snapshot
from tests.support.keep_oracle import PERIODS, obviously_kept
from tests.support.snapshots import AWAY, HOME, WEAKEST, copy_of, instance_arn, make_plan, snapshot

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
).map(lambda keep: keep or None)
# Half of the plans confirm their rules, so that the tags of the snapshots do not hide what these do.
plan_pairs = st.tuples(
    *(
        st.builds(
            lambda name, keep, confirmed, **more: make_plan(name, keep, keep_confirmed=confirmed and keep, **more),
            name=st.just(name),
            keep=keeps,
            confirmed=st.booleans(),
            keep_for=st.sampled_from([None, None, timedelta(days=9)]),
            timezone=st.sampled_from(["UTC", BERLIN.key]),
            copy_to=st.sampled_from([(), (AWAY,)]),
            was=st.sampled_from([(), (f"old-{name}",)]),
        )
        for name in ("daily", "hourly")
    )
)
# Mostly on whole hours around a few days, so that many fall into one period, on one moment, and on the hour that comes
# twice; a few a year before and some in the future.
moments = st.builds(
    lambda days, hours: NOW - timedelta(days=days, hours=hours),
    st.sampled_from([0, 1, 1, 2, 5, 10, 10, 10, 40, 400, -1]),
    st.integers(0, 30),
)
carried = st.sampled_from([WEAKEST, WEAKEST, WEAKEST, "last=3", "daily=2 within=P3D", "all", "junk", None])


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Draw mostly what the keep rules of one plan decide on, and now and then something odd in several ways."""
    taken = draw(moments)
    if draw(st.integers(0, 3)):
        tags = draw(st.sampled_from([{}, {}, {}, {}, {"snapshot-hold": ""}, {"proven-at": "2026-11-01T05:00:00Z"}]))
        return snapshot(taken, keep=draw(carried), tags=tags)
    odd = snapshot(
        taken,
        region=draw(st.sampled_from([HOME, HOME, AWAY])),
        state=draw(st.sampled_from(["available", "available", "pending", "error", "archived"])),
        instance=draw(st.sampled_from(["web-1", "web-1", "shop"])),
        of=draw(st.sampled_from([instance_arn(1), instance_arn(1), instance_arn(1), instance_arn(2), ""])),
        plan=draw(st.sampled_from(["daily", "daily", "old-daily", "hourly", "removed", None])),
        keep=draw(carried),
        tags=draw(st.sampled_from([{}, {}, {"snapshot-hold": ""}, *({"expires-at": text} for text in EXPIRIES)]))
        | draw(st.sampled_from([{}, {}, {"proven-at": "soon"}])),
    )
    foreign = draw(st.sampled_from([{}, {}, {}, {}, {"managed-by": "terraform"}, {"snapshot-name": "another"}]))
    return replace(odd, tags={**odd.tags, **foreign})


copy_states = st.sampled_from(["available", "available", "available", "pending", "error"])
delays = st.sampled_from([1, 30, 60])


def renamed(of: Snapshot, name: str) -> Snapshot:
    """Give it a name that no other has, in its tag too, unless that has another already."""
    is_own = of.tags["snapshot-name"] == of.name
    return replace(of, name=name, tags={**of.tags, "snapshot-name": name if is_own else of.tags["snapshot-name"]})


@st.composite
def listings(draw: st.DrawFn) -> list[Snapshot]:
    """Draw a listing of two Regions in which some snapshots of one have copies in the other, at any stage."""
    drawn = draw(st.lists(snapshots(), min_size=3, max_size=20))
    sources = [renamed(each, f"{each.name}-{number}") for number, each in enumerate(drawn)]
    how_many = draw(st.sampled_from([0, len(sources)]))
    copies = [
        copy_of(each, state=draw(copy_states), after=timedelta(hours=draw(delays)))
        for each in sources[:how_many]
        if each.region == HOME and draw(st.integers(0, 3))
    ]
    return sources + copies


def deleted(decisions: Iterable[Decision]) -> set[Key]:
    return {key(each.snapshot) for each in decisions if each.action == "delete"}


def usable(listing: Iterable[Snapshot]) -> list[Snapshot]:
    return [
        each
        for each in listing
        if each.tags.get("managed-by") == "lightsail-snapshots"
        and each.tags.get("snapshot-name") == each.name
        and each.state == "available"
        and min(each.created_at, each.origin.taken_at) <= NOW
    ]


def plan_named(name: str | None, plans: Iterable[Plan]) -> Plan | None:
    return next((plan for plan in plans if name in (plan.name, *plan.was)), None)


@given(listings(), plan_pairs)
def test_newest_usable_snapshot_of_an_instance_is_never_deleted(
    listing: list[Snapshot], plans: tuple[Plan, ...]
) -> None:
    remaining = {key(each) for each in listing} - deleted(decide(listing, plans, NOW))
    instances: dict[tuple[str, ...], list[Snapshot]] = defaultdict(list)
    for each in usable(listing):
        instances[each.region, each.tags["snapshot-of"]].append(each)
        instances[each.region, each.tags["snapshot-of"], each.origin.instance_arn].append(each)
    for instance in instances.values():
        newest = max(each.origin.taken_at for each in instance)
        assert any(key(each) in remaining for each in instance if each.origin.taken_at == newest)


@given(listings(), plan_pairs)
def test_newest_proven_snapshot_of_an_instance_is_never_deleted(
    listing: list[Snapshot], plans: tuple[Plan, ...]
) -> None:
    remaining = {key(each) for each in listing} - deleted(decide(listing, plans, NOW))
    instances: dict[tuple[str, ...], list[Snapshot]] = defaultdict(list)
    for each in usable(listing):
        if "proven-at" in each.tags:
            instances[each.region, each.tags["snapshot-of"], each.origin.instance_arn].append(each)
    for instance in instances.values():
        newest = max(each.origin.taken_at for each in instance)
        assert any(key(each) in remaining for each in instance if each.origin.taken_at == newest)


@given(listings(), plan_pairs)
def test_protected_snapshots_are_never_deleted(listing: list[Snapshot], plans: tuple[Plan, ...]) -> None:
    gone = deleted(decide(listing, plans, NOW))
    for each in (each for each in listing if key(each) in gone):
        failed, name = each.state == "error", each.tags.get("snapshot-plan")
        assert each.tags["managed-by"] == "lightsail-snapshots"
        assert each.tags["snapshot-name"] == each.name
        assert "snapshot-hold" not in each.tags
        assert each.state in {"available", "error"}
        assert name is None or plan_named(name, plans)
        assert failed or name or each.tags["expires-at"] in EXPIRIES[:2]
        assert failed or each.tags.get("expires-at") not in EXPIRIES[2:]
        assert each.created_at <= NOW or each.origin.taken_at <= NOW


@given(listings(), plan_pairs)
def test_failed_snapshot_goes_only_when_a_newer_usable_one_stays(
    listing: list[Snapshot], plans: tuple[Plan, ...]
) -> None:
    gone = deleted(decide(listing, plans, NOW))
    for failed in (each for each in listing if each.state == "error" and key(each) in gone):
        assert any(
            each.origin.taken_at > failed.origin.taken_at
            and (each.region, each.origin.instance_arn) == (failed.region, failed.origin.instance_arn)
            and key(each) not in gone
            for each in usable(listing)
        )


@given(listings(), plan_pairs)
def test_snapshot_goes_only_when_it_or_a_newer_one_of_its_plan_has_a_usable_copy(
    listing: list[Snapshot], plans: tuple[Plan, ...]
) -> None:
    gone = deleted(decide(listing, plans, NOW))
    copies = {each.name for each in usable(listing) if each.is_copy}
    for source in listing:
        plan = plan_named(source.tags.get("snapshot-plan"), plans)
        if plan and plan.copy_to and key(source) in gone and source.region == HOME and source.state == "available":
            assert any(
                each.name in copies
                and plan_named(each.tags.get("snapshot-plan"), plans) == plan
                and each.created_at >= source.created_at
                for each in usable(listing)
                if each.region == HOME
            )


@given(listings(), plan_pairs, st.data())
def test_second_run_deletes_what_the_first_left_undone_and_what_only_deleted_ones_held(
    listing: list[Snapshot], plans: tuple[Plan, ...], data: st.DataObject
) -> None:
    first = decide(listing, plans, NOW)
    done = {each for each in sorted(deleted(first)) if data.draw(st.booleans(), label=str(each))}
    left = [each for each in listing if key(each) not in done]
    held = {key(each.snapshot) for each in first if each.older_rules or each.kept_because == KeptBecause.RULE}
    assert deleted(decide(left, plans, NOW)) <= (deleted(first) - done) | held


@given(listings(), plan_pairs, keeps.filter(bool))
def test_looser_plan_never_deletes_more(listing: list[Snapshot], plans: tuple[Plan, ...], more: Keep) -> None:
    def looser(plan: Plan) -> Plan:
        if not plan.keep:  # keeps everything, or what the snapshots say: any rule may be stricter
            return plan
        sums = {each.name: getattr(plan.keep, each.name) + getattr(more, each.name) for each in fields(Keep)}
        return replace(plan, keep=Keep(**sums))

    strict = deleted(decide(listing, plans, NOW))
    assert deleted(decide(listing, [looser(plan) for plan in plans], NOW)) <= strict
    assert deleted(decide(listing, [replace(plan, copy_to=(AWAY, "us-east-1")) for plan in plans], NOW)) <= strict
    assert deleted(decide(listing, [replace(plan, keep_confirmed=None) for plan in plans], NOW)) <= strict


@given(listings(), plan_pairs, st.data())
def test_order_and_repeats_of_the_listing_change_nothing(
    listing: list[Snapshot], plans: tuple[Plan, ...], data: st.DataObject
) -> None:
    changed = replace(listing[0], state="pending", arn="changed between two pages")
    expected = decide([*listing, changed], plans, NOW)
    repeated = [*listing, *(replace(each) for each in listing[:3]), changed]
    assert decide(data.draw(st.permutations(repeated)), plans[::-1], NOW) == expected


@given(listings(), plan_pairs)
def test_incomplete_listing_never_leads_to_a_deletion(listing: list[Snapshot], plans: tuple[Plan, ...]) -> None:
    complete = deleted(decide(listing, plans, NOW))
    gone = deleted(decide(listing, plans, NOW, incomplete=[AWAY]))
    assert gone == {(region, name) for region, name in complete if region != AWAY}
    without_copies = [each for each in listing if each.region != AWAY]
    assert deleted(decide(without_copies, plans, NOW, incomplete=[AWAY])) <= complete


@given(listings(), plan_pairs)
def test_every_snapshot_gets_one_decision_and_a_reason(listing: list[Snapshot], plans: tuple[Plan, ...]) -> None:
    decisions = decide(listing, plans, NOW)
    assert sorted(key(each.snapshot) for each in decisions) == sorted(map(key, listing))
    for each in decisions:
        assert each.reason
        assert bool(each.older_rules) == each.is_held


# Half hours through the nights in which the clocks of Berlin and of Lord Howe Island change.
nights = st.builds(
    lambda night, halves: night + halves * timedelta(minutes=30),
    st.sampled_from([datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 4, 4, 12, tzinfo=UTC)]),
    st.integers(0, 16),
)
# Often one rule alone, so that no other hides what it does.
rules = st.one_of(keeps.filter(bool), *(st.builds(Keep, **{rule: st.integers(1, 4)}) for rule in PERIODS))
past = moments.filter(lambda moment: moment <= NOW)


@given(
    st.sets(nights | moments, min_size=1, max_size=60),
    rules,
    st.sampled_from([BERLIN, ZoneInfo("Australia/Lord_Howe")]),
)
def test_keep_rules_agree_with_an_obvious_reading_of_them(taken: set[datetime], keep: Keep, zone: ZoneInfo) -> None:
    newest_first = sorted(taken, reverse=True)
    reasons = apply_keep_rules(newest_first, keep, zone)
    kept = {moment for moment, reason in zip(newest_first, reasons, strict=True) if reason}
    assert kept == obviously_kept(taken, keep, zone)


carried_rules = st.one_of(rules, st.none(), st.just("junk"))


@given(st.dictionaries(past, carried_rules | rules, min_size=1), rules, st.booleans())
def test_decide_agrees_with_an_obvious_reading_of_the_rules_that_travel(
    taken: dict[datetime, Keep | str | None], keep: Keep, is_confirmed: bool
) -> None:
    """What today's rules keep stays; what only rules in a tag keep is held; the rest goes, except the newest."""
    tags = {moment: each if isinstance(each, str) else format_keep_tag(each) for moment, each in taken.items()}
    plan = make_plan(keep=keep, timezone=BERLIN.key, keep_confirmed=keep if is_confirmed else None)
    decisions = decide([snapshot(moment, keep=tag) for moment, tag in tags.items()], [plan], NOW)

    today = obviously_kept(taken, keep, BERLIN)
    older: set[datetime] = set()
    for each in () if is_confirmed else taken.values():
        older |= obviously_kept(taken, each, BERLIN) if isinstance(each, Keep) else taken.keys()
    by_class: dict[KeptBecause | None, set[datetime]] = defaultdict(set)
    for decision in decisions:
        by_class[decision.kept_because].add(decision.snapshot.created_at)
    newest = {max(taken)}
    assert by_class == {
        because: these
        for because, these in {
            KeptBecause.NEWEST: newest,
            KeptBecause.RULE: today - newest,
            KeptBecause.RULES_TIGHTENED: older - today - newest,
            None: taken.keys() - today - older - newest,
        }.items()
        if these
    }


@given(st.dictionaries(past, carried_rules, min_size=1), st.sets(past))
def test_with_keep_for_the_carried_rules_decide_over_all_snapshots_of_the_plan(
    taken: dict[datetime, Keep | str | None], expiring: set[datetime]
) -> None:
    tags = {moment: each if isinstance(each, str) else format_keep_tag(each) for moment, each in taken.items()}
    older = [snapshot(moment, keep=tag) for moment, tag in tags.items()]
    newer = [
        snapshot(moment, name=f"expiring-{moment:%s}", keep=None, tags={"expires-at": "2027-01-01T00:00:00Z"})
        for moment in expiring - taken.keys()
    ]
    decisions = decide(older + newer, [make_plan(keep_for=timedelta(days=9), timezone=BERLIN.key)], NOW)

    moments = taken.keys() | expiring
    kept = {max(moments)} | (expiring - taken.keys())
    for each in taken.values():
        kept |= obviously_kept(moments, each, BERLIN) if isinstance(each, Keep) else moments
    assert {each.snapshot.created_at for each in decisions if each.kept_because} == kept
    assert not any(each.is_held for each in decisions)
