"""The steps of a restore: what is chosen, what is refused, and what is said about it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.naming import is_name, is_reserved_key, our_tags
from lightsail_snapshots.restore_facts import PortRule, RestoreFacts
from lightsail_snapshots.restore_plan import (
    Bundle,
    Place,
    RestorePlan,
    RestoreRefusedError,
    StaticIp,
    Wishes,
    WrongBundleError,
    own_tags,
    restore_plan,
    restored_name,
)
from lightsail_snapshots.snapshot import AVAILABLE, AttachedDisk, Snapshot

TAKEN_AT = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)
SMALL = Bundle("small_3_0", 2, 2, 60, "LINUX_UNIX", True, True, 12)
PLACE = Place(
    zones=("eu-central-1a", "eu-central-1b"),
    bundles={
        each.id: each
        for each in (
            SMALL,
            SMALL._replace(id="nano_3_0", memory=0.5, disk=20, price=5),
            SMALL._replace(id="nano_2_0", cpus=1, memory=0.5, disk=20, is_active=False, price=3.5),
            SMALL._replace(id="small_ipv6_3_0", has_ipv4=False, price=10),
            SMALL._replace(id="small_win_3_0", platform="WINDOWS", price=22),
        )
    },
    key_pairs=frozenset({"ops"}),
)
FACTS = RestoreFacts(
    zone="eu-central-1b",
    bundle="small_3_0",
    address_type="ipv4",
    static_ip="203.0.113.7",
    auto_snapshots="04:00",
    key_pair="ops",
    ports=(PortRule("tcp", 22, 22, ("203.0.113.0/24",)),),
)
SNAPSHOT = Snapshot(
    name="web-1-20261124",
    arn="arn:aws:lightsail:eu-central-1:1:InstanceSnapshot/1",
    region="eu-central-1",
    state=AVAILABLE,
    created_at=TAKEN_AT,
    instance_name="web-1",
    instance_arn="arn:aws:lightsail:eu-central-1:1:Instance/1",
    tags={"env": "prod", "nightly": "", **our_tags("web-1-20261124", "web-1")},
    bundle="small_3_0",
)


def plan(
    facts: RestoreFacts | None = FACTS, snapshot: Snapshot = SNAPSHOT, place: Place = PLACE, **wishes: Any
) -> RestorePlan:
    return restore_plan(snapshot, facts, Wishes(name="web-2", **wishes), place)


def creation(plan: RestorePlan) -> dict[str, Any]:
    return dict(plan.steps[0].call.arguments)


def test_plan_has_each_call_with_its_arguments_and_its_undo() -> None:
    ip = StaticIp("ip-1", "203.0.113.7", "web-1")
    found = plan(static_ip=ip, snapshot=replace(SNAPSHOT, disks=(AttachedDisk("data", "/dev/xvdf"),)))
    add_on = {"addOnType": "AutoSnapshot", "autoSnapshotAddOnRequest": {"snapshotTimeOfDay": "04:00"}}
    rule = {"fromPort": 22, "toPort": 22, "protocol": "tcp", "cidrs": ["203.0.113.0/24"]}
    web_2 = {"instanceName": "web-2"}
    create = {
        "instanceNames": ["web-2"],
        "availabilityZone": "eu-central-1b",
        "instanceSnapshotName": "web-1-20261124",
        "bundleId": "small_3_0",
        "attachedDiskMapping": {"web-2": [{"originalDiskPath": "/dev/xvdf", "newDiskName": "web-2-disk-1"}]},
        "keyPairName": "ops",
        "ipAddressType": "ipv4",
        "addOns": [add_on],
        "tags": [{"key": "env", "value": "prod"}, {"key": "nightly"}],
    }
    moved = {"staticIpName": "ip-1"}
    assert [(step.call, step.undo) for step in found.steps] == [
        (("CreateInstancesFromSnapshot", create), ("DeleteInstance", web_2)),
        (("GetInstance", web_2), None),
        (("PutInstancePublicPorts", {**web_2, "portInfos": [rule]}), None),
        (("DetachStaticIp", moved), ("AttachStaticIp", {**moved, "instanceName": "web-1"})),
        (("AttachStaticIp", {**moved, **web_2}), ("DetachStaticIp", moved)),
    ]
    assert found.notes == ()


def test_plan_says_what_nobody_knows_when_the_snapshot_has_no_facts() -> None:
    found = plan(None)
    assert [step.call.operation for step in found.steps] == ["CreateInstancesFromSnapshot", "GetInstance"]
    assert creation(found)["availabilityZone"] == "eu-central-1a"
    assert found.notes[0].startswith("The snapshot does not say which ports, zone, key pair,")


def test_firewall_without_rules_stays_closed() -> None:
    assert plan(replace(FACTS, ports=())).steps[2].call.arguments["portInfos"] == []


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (replace(FACTS, ports=None), "The snapshot does not say which ports were open: it gets the default."),
        (replace(FACTS, incomplete=("ports",)), "does not have all rules of the firewall: open the others by hand."),
        (replace(FACTS, incomplete=("add-ons",)), "The instance had an add-on that is not restored."),
        (replace(FACTS, incomplete=("zone",)), "The snapshot does not have its zone."),
        (
            replace(FACTS, zone="eu-west-1a"),
            "It was in eu-west-1a, which is not available in this Region: it will be in ",
        ),
        (replace(FACTS, key_pair="gone"), "There is no key pair gone in this Region: it gets the default one."),
    ],
)
def test_plan_notes_what_will_not_be_as_before(facts: RestoreFacts, text: str) -> None:
    [note] = plan(facts).notes
    assert text in note


def test_default_key_pair_needs_no_argument_and_no_note() -> None:
    found = plan(replace(FACTS, key_pair="LightsailDefaultKeyPair"))
    assert (found.notes, "keyPairName" in creation(found)) == ((), False)


def test_bundle_that_is_no_longer_offered_is_replaced_by_the_cheapest_that_fits() -> None:
    found = plan(snapshot=replace(SNAPSHOT, bundle="nano_2_0"))
    assert creation(found)["bundleId"] == "nano_3_0"
    assert found.notes == ("Its bundle nano_2_0 is no longer offered: it will be nano_3_0.",)


def test_bundle_that_the_region_does_not_know_is_left_to_lightsail() -> None:
    found = plan(snapshot=replace(SNAPSHOT, bundle="huge_9_0"))
    assert (creation(found)["bundleId"], found.bundle) == ("huge_9_0", None)
    assert creation(plan(snapshot=replace(SNAPSHOT, bundle="huge_9_0"), bundle="small_3_0"))["bundleId"] == "small_3_0"


def test_bundle_of_the_facts_counts_when_the_snapshot_has_none() -> None:
    assert creation(plan(snapshot=replace(SNAPSHOT, bundle="")))["bundleId"] == "small_3_0"


@pytest.mark.parametrize(
    ("bundle", "wanted", "text"),
    [
        ("small_3_0", "nano_3_0", "is smaller than the snapshot's, small_3_0 (2 CPUs, 2 GB, disk 60 GB)"),
        ("small_3_0", "small_win_3_0", "is of another kind than the snapshot's"),
        ("small_3_0", "small_ipv6_3_0", "is of another kind than the snapshot's"),
        ("small_3_0", "smal_3_0", "There is no bundle smal_3_0 in this Region; did you mean small_3_0?"),
        ("", "", "The snapshot does not say its bundle: choose one with --bundle."),
    ],
)
def test_plan_refuses_a_bundle_that_cannot_be(bundle: str, wanted: str, text: str) -> None:
    with pytest.raises(WrongBundleError) as caught:
        plan(replace(FACTS, bundle=""), snapshot=replace(SNAPSHOT, bundle=bundle), bundle=wanted)
    assert text in str(caught.value)


def test_plan_refuses_when_nothing_fits_any_longer() -> None:
    old = SMALL._replace(id="old", memory=99, is_active=False)
    place = replace(PLACE, bundles={**PLACE.bundles, "old": old})
    with pytest.raises(WrongBundleError, match="The bundle old is no longer offered: choose one with --bundle"):
        plan(snapshot=replace(SNAPSHOT, bundle="old"), place=place)


def test_plan_refuses_when_the_region_has_no_zone() -> None:
    with pytest.raises(RestoreRefusedError, match="No Availability Zone of this Region is available now"):
        plan(place=replace(PLACE, zones=()))


def test_static_ip_that_is_free_is_only_attached() -> None:
    found = plan(static_ip=StaticIp("ip-1", "203.0.113.7"))
    assert [step.call.operation for step in found.steps[3:]] == ["AttachStaticIp"]


def test_name_says_of_what_and_from_when() -> None:
    assert restored_name("web-1", TAKEN_AT) == "web-1-restored-20261124T0315"
    assert restored_name("web-1", TAKEN_AT.astimezone()) == "web-1-restored-20261124T0315"


@given(
    name=st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,253}[A-Za-z0-9_]", fullmatch=True), minutes=st.integers(0, 10**6)
)
def test_every_name_is_legal(name: str, minutes: int) -> None:
    assert is_name(restored_name(name, TAKEN_AT + timedelta(minutes=minutes)))


@given(tags=st.dictionaries(st.text(min_size=1) | st.sampled_from(["Managed-By", "AWS:x", "restore-ports"]), st.text()))
def test_own_tags_have_none_of_ours_and_all_others(tags: dict[str, str]) -> None:
    own = own_tags(tags)
    assert own.items() <= tags.items()
    assert all(is_reserved_key(key) or key.lower().startswith("aws:") for key in tags.keys() - own.keys())
    assert not any(is_reserved_key(key) for key in own)
