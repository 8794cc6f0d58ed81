"""What a snapshot carries for a restore: read from the API, written as tags, and read back without loss."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.naming import is_reserved_key, tag_problems
from lightsail_snapshots.reader import InvalidValueError
from lightsail_snapshots.restore_facts import (
    KEYS,
    NOTHING_KNOWN,
    PortRule,
    RestoreFacts,
    parse_tags,
    read_instance,
    read_restore,
    write_tags,
)

EVERYBODY = ("0.0.0.0/0", "::/0")


def instance(*ports: dict[str, Any], **fields: Any) -> Any:
    """Build an instance as the API returns it."""
    return {
        "name": "web-1",
        "location": {"availabilityZone": "eu-central-1a", "regionName": "eu-central-1"},
        "bundleId": "small_3_0",
        "ipAddressType": "dualstack",
        "isStaticIp": True,
        "publicIpAddress": "203.0.113.7",
        "sshKeyName": "ops",
        "addOns": [{"name": "AutoSnapshot", "status": "Enabled", "snapshotTimeOfDay": "06:00"}],
        "networking": {"ports": list(ports)},
    } | fields


def port(first: int, protocol: str = "tcp", last: int | None = None, **fields: Any) -> dict[str, Any]:
    """Build a rule as the API returns it, open to everybody."""
    return {
        "fromPort": first,
        "toPort": first if last is None else last,
        "protocol": protocol,
        "accessFrom": "Anywhere (0.0.0.0/0 and ::/0)",
        "accessType": "public",
        "commonName": "",
        "accessDirection": "inbound",
        "cidrs": ["0.0.0.0/0"],
        "ipv6Cidrs": ["::/0"],
        "cidrListAliases": [],
    } | fields


def test_tags_say_what_a_restore_needs() -> None:
    office: Any = {
        "cidrs": ["203.0.113.0/24"],
        "ipv6Cidrs": ["2001:db8::/32"],
        "cidrListAliases": ["lightsail-connect"],
    }
    raw = instance(
        port(22, **office), port(80), port(4000, "udp", 4010, ipv6Cidrs=[]), port(8, "icmp", -1), port(0, "all", 65535)
    )
    assert write_tags(read_instance(raw)) == {
        "restore-settings": "zone=eu-central-1a bundle=small_3_0 address-type=dualstack static-ip=203.0.113.7 "
        "auto-snapshots=06:00 key-pair=ops",
        "restore-ports": "tcp=22@203.0.113.0/24+2001:db8::/32+lightsail-connect tcp=80 udp=4000:4010@4 icmp=8:-1 "
        "all=0:65535",
    }


def test_rule_is_what_put_instance_public_ports_takes() -> None:
    facts = read_instance(instance(port(22, cidrs=["203.0.113.0/24"], cidrListAliases=["lightsail-connect"])))
    assert facts.ports is not None
    assert [rule.as_port_info() for rule in facts.ports] == [
        {
            "fromPort": 22,
            "toPort": 22,
            "protocol": "tcp",
            "cidrs": ["203.0.113.0/24"],
            "ipv6Cidrs": ["::/0"],
            "cidrListAliases": ["lightsail-connect"],
        }
    ]


def test_address_that_is_not_static_is_told_apart() -> None:
    facts = read_instance(instance(isStaticIp=False))
    assert (facts.static_ip, facts.address) == ("", "203.0.113.7")


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("Anywhere (0.0.0.0/0)", ("0.0.0.0/0",)),
        ("Anywhere (::/0)", ("::/0",)),
        ("Anywhere (0.0.0.0/0 and ::/0)", EVERYBODY),
    ],
)
def test_sources_are_read_from_their_text_when_there_are_no_lists(text: str, sources: tuple[str, ...]) -> None:
    facts = read_instance(instance(port(80, accessFrom=text, cidrs=[], ipv6Cidrs=[])))
    assert (facts.ports, facts.incomplete) == ((PortRule("tcp", 80, 80, sources),), ())


@pytest.mark.parametrize(
    "odd",
    [
        port(80, accessFrom="Custom", cidrs=[], ipv6Cidrs=[]),
        port(80, accessType="private"),
        port(80, cidrListAliases=["a list"]),
        port(80, cidrListAliases=["x" * 300]),
        port(80, "TCP?"),
    ],
)
def test_rule_that_cannot_be_written_is_left_out_and_marked(odd: dict[str, Any]) -> None:
    facts = read_instance(instance(odd, port(443)))
    assert (facts.ports, facts.incomplete) == ((PortRule("tcp", 443, 443, EVERYBODY),), ("ports",))
    assert parse_tags(write_tags(facts)) == facts


def test_firewall_without_rules_differs_from_one_that_is_not_known() -> None:
    closed, unknown = read_instance(instance()), read_instance(instance(networking={}))
    assert (closed.ports, unknown.ports) == ((), None)
    assert write_tags(closed)["restore-ports"] == "none"
    assert (parse_tags(write_tags(closed)), parse_tags(write_tags(unknown))) == (closed, unknown)


@pytest.mark.parametrize("status", ["Disabled", "Disabling"])
def test_automatic_snapshots_that_are_off_stay_off(status: str) -> None:
    assert read_instance(instance(addOns=[{"name": "AutoSnapshot", "status": status}])).auto_snapshots == ""


def test_other_add_on_is_marked() -> None:
    facts = read_instance(instance(addOns=[{"name": "StopInstanceOnIdle", "status": "Enabled"}]))
    assert (facts.auto_snapshots, facts.incomplete) == ("", ("add-ons",))


def test_long_firewall_is_continued_in_further_tags_and_then_marked() -> None:
    ranges = [f"203.0.113.{number}/32" for number in range(25)]
    facts = read_instance(instance(*(port(number, cidrs=ranges) for number in (22, 3389, 5432))))
    tags = write_tags(facts)
    assert set(tags) == set(KEYS)
    assert "incomplete=ports" in tags["restore-settings"]
    read = parse_tags(tags)
    assert read is not None
    assert read.ports
    assert facts.ports
    assert read.ports[0] == facts.ports[0]
    assert set(read.ports[1].sources) < set(facts.ports[1].sources)


def test_long_key_pair_is_marked_and_takes_no_other_setting_with_it() -> None:
    tags = write_tags(read_instance(instance(sshKeyName="k" * 255)))
    assert tags["restore-settings"].endswith("auto-snapshots=06:00 incomplete=key-pair")


def test_snapshot_without_facts_has_none() -> None:
    assert write_tags(NOTHING_KNOWN) == {}
    assert parse_tags({"env": "prod"}) is None


def test_rule_that_somebody_changed_is_left_out_and_marked() -> None:
    read = parse_tags({"restore-ports": "tcp=22@203.0.113.0/24 tcp=everything"})
    assert read == RestoreFacts(ports=(PortRule("tcp", 22, 22, ("203.0.113.0/24",)),), incomplete=("ports",))


def test_all_keys_are_reserved() -> None:
    assert all(map(is_reserved_key, KEYS))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], "must be a JSON object, not []"),
        ({"restore-port": "x"}, "restore-port: unknown key; allowed are restore-settings, restore-ports, "),
        ({"restore-ports": 7}, "restore-ports: must be a text, not 7"),
        ({"restore-ports": "a;b"}, "restore-ports: the value may hold only letters, "),
    ],
)
def test_restore_of_a_request_must_be_our_tags(value: object, text: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        read_restore(value)
    assert str(caught.value).startswith(text)


cidrs = st.ip_addresses(v=4).map(lambda address: f"{address}/32") | st.just("0.0.0.0/0")
ipv6_cidrs = st.ip_addresses(v=6).map(lambda address: f"{address}/128") | st.just("::/0")
infos = st.builds(
    port,
    st.integers(-1, 65535),
    st.sampled_from(["tcp", "udp", "icmp", "icmpv6", "all"]),
    st.none() | st.integers(-1, 65535),
    cidrs=st.lists(cidrs, max_size=12),
    ipv6Cidrs=st.lists(ipv6_cidrs, max_size=12),
    cidrListAliases=st.lists(st.just("lightsail-connect"), max_size=1),
)
instances = st.builds(
    instance,
    isStaticIp=st.booleans(),
    ipAddressType=st.sampled_from(["dualstack", "ipv4", "ipv6"]),
    sshKeyName=st.from_regex(r"\w[\w\-]{0,253}\w", fullmatch=True),
    addOns=st.lists(
        st.fixed_dictionaries({"name": st.sampled_from(["AutoSnapshot", "x"]), "snapshotTimeOfDay": st.just("04:00")}),
        max_size=2,
    ),
    networking=st.fixed_dictionaries({}, optional={"ports": st.lists(infos, max_size=12)}),
)


@given(raw=instances)
def test_facts_survive_as_tags_unless_they_are_marked(raw: Any) -> None:
    facts = read_instance(raw)
    tags = write_tags(facts)
    assert not [problem for key, value in tags.items() for problem in tag_problems(key, value)]
    assert read_restore(tags) == tags
    read = parse_tags(tags)
    assert read is not None
    if read.incomplete == facts.incomplete:
        assert read == facts
    assert {*read.incomplete} - {*facts.incomplete} <= {"ports", "key-pair"}
    # Never more open than the instance was.
    was = {rule[:3]: set(rule.sources) for rule in facts.ports or ()}
    assert all(set(rule.sources) <= was[rule[:3]] for rule in read.ports or ())


@given(raw=instances)
def test_facts_written_again_are_the_same_tags(raw: Any) -> None:
    read = parse_tags(write_tags(read_instance(raw)))
    assert read is not None
    assert parse_tags(write_tags(read)) == read


@given(tags=st.dictionaries(st.sampled_from(KEYS), st.text(max_size=300) | st.sampled_from(["none tcp=1", "tcp=1@"])))
def test_tags_that_anybody_wrote_never_raise(tags: dict[str, str]) -> None:
    read = parse_tags(tags)
    assert (read is None) == (not tags)
    if read:
        assert not [each for key, value in write_tags(read).items() for each in tag_problems(key, value)]
