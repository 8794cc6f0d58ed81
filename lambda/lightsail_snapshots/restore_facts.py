"""What a restored instance does not get back from its snapshot, so each snapshot carries it as tags.

    restore-settings   zone=eu-central-1a bundle=small_3_0 address-type=dualstack static-ip=203.0.113.7 key-pair=ops
    restore-ports      tcp=22@203.0.113.0/24+lightsail-connect tcp=80 tcp=443 udp=4000:4010@4

A rule is `protocol=port` or `protocol=first:last`, and `@` with its sources; without `@` it is open to everybody. `4`
stands for all IPv4 addresses, `6` for all of IPv6. `restore-ports-2` and `-3` continue the list, and `none` is a
firewall without rules. What does not fit, or could not be read, is named as `incomplete`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

from lightsail_snapshots.naming import MAX_TAG_VALUE, tag_problems
from lightsail_snapshots.reader import InvalidValueError, Problem, format_value, read_object

if TYPE_CHECKING:
    from mypy_boto3_lightsail.type_defs import InstancePortInfoTypeDef, InstanceTypeDef

SETTINGS_KEY = "restore-settings"
PORTS_KEYS = ("restore-ports", "restore-ports-2", "restore-ports-3")
KEYS = (SETTINGS_KEY, *PORTS_KEYS)

ANYWHERE = "0.0.0.0/0"
ANYWHERE_IPV6 = "::/0"
_EVERYBODY = (ANYWHERE, ANYWHERE_IPV6)
_SHORT = {ANYWHERE: "4", ANYWHERE_IPV6: "6"}
_LONG = {short: source for source, short in _SHORT.items()}
_FIELDS = ("cidrs", "ipv6Cidrs", "cidrListAliases")
_NO_PORTS = "none"
_RULE = re.compile(
    r"(?P<protocol>[a-z0-9]{1,20})=(?P<first>-?[0-9]{1,5})(?::(?P<last>-?[0-9]{1,5}))?"
    r"(?:@(?P<sources>[^\s+@]+(?:\+[^\s+@]+)*))?"
)
_SOURCES_PER_RULE = 5
"""So that every rule fits into one tag: a range of IPv6 addresses has at most 43 characters."""
_INCOMPLETE = "incomplete"
_OFF = {"disabled", "disabling"}


class PortRule(NamedTuple):
    """One rule of the firewall."""

    protocol: str
    first: int
    """For ICMP, the type."""
    last: int
    """For ICMP, the code."""
    sources: tuple[str, ...]
    """CIDRs of IPv4, then those of IPv6, then names of lists such as `lightsail-connect`; at least one."""

    def as_port_info(self) -> dict[str, Any]:
        """Return it as PutInstancePublicPorts takes it."""
        info: dict[str, Any] = {"fromPort": self.first, "toPort": self.last, "protocol": self.protocol}
        for source in self.sources:
            info.setdefault(_field_of(source), []).append(source)
        return info

    def __str__(self) -> str:
        """Write it as in the tag."""
        last = f":{self.last}" if self.last != self.first else ""
        sources = "" if self.sources == _EVERYBODY else "@" + "+".join(_SHORT.get(each, each) for each in self.sources)
        return f"{self.protocol}={self.first}{last}{sources}"


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreFacts:
    """What an instance had when its snapshot was requested; an empty text is not known, or there was none."""

    zone: str = ""
    bundle: str = ""
    address_type: str = ""
    """`dualstack`, `ipv4` or `ipv6`."""
    static_ip: str = ""
    """The public address, if it was a static IP's."""
    address: str = ""
    """The public address, if it was not: nobody can get it back."""
    auto_snapshots: str = ""
    """The hour of Lightsail's automatic snapshots in UTC, such as `06:00`."""
    key_pair: str = ""
    ports: tuple[PortRule, ...] | None = None
    """None if it is not known."""
    incomplete: tuple[str, ...] = ()
    """Of which of these not everything is here, by the names in the tags: `ports`, `key-pair`, `add-ons`."""


NOTHING_KNOWN = RestoreFacts()

_SETTINGS = {
    field.name.replace("_", "-"): field.name
    for field in fields(RestoreFacts)
    if field.name not in {"ports", _INCOMPLETE}
}
"""The key in the tag, and the field. The longest value, the key pair's name, is the last one."""


def read_instance(raw: "InstanceTypeDef") -> RestoreFacts:
    """Read an instance as GetInstance and GetInstances return it; never fails, since a snapshot matters more."""
    address = raw.get("publicIpAddress", "")
    hours, other_add_ons = _read_add_ons(raw)
    ports, lacks_ports = _read_ports(raw.get("networking", {}).get("ports"))
    incomplete = [*(["ports"] if lacks_ports else []), *(["add-ons"] if other_add_ons else [])]
    return RestoreFacts(
        zone=intern(raw.get("location", {}).get("availabilityZone", "")),
        bundle=intern(raw.get("bundleId", "")),
        address_type=intern(raw.get("ipAddressType", "")),
        static_ip=address if raw.get("isStaticIp") else "",
        address="" if raw.get("isStaticIp") else address,
        auto_snapshots=intern(hours),
        key_pair=intern(raw.get("sshKeyName", "")),
        ports=ports,
        incomplete=tuple(incomplete),
    )


def write_tags(facts: RestoreFacts) -> dict[str, str]:
    """Return the tags of a snapshot of the instance; there are none if nothing is known."""
    incomplete = list(facts.incomplete)
    tags: dict[str, str] = {}
    if facts.ports is not None:
        values, is_complete = _fill([str(part) for rule in facts.ports for part in _split(rule)])
        tags = dict(zip(PORTS_KEYS, values or [_NO_PORTS], strict=False))
        incomplete += [] if is_complete else ["ports"]
    settings = {key: getattr(facts, name) for key, name in _SETTINGS.items() if getattr(facts, name)}
    if settings or incomplete:
        tags[SETTINGS_KEY] = _write_settings(settings, incomplete)
    return tags


def parse_tags(tags: Mapping[str, str]) -> RestoreFacts | None:
    """Read the tags of a snapshot; None if it carries no facts."""
    if not any(key in tags for key in KEYS):
        return None
    pairs = dict(token.partition("=")[::2] for token in tags.get(SETTINGS_KEY, "").split())
    settings: dict[str, Any] = {name: pairs.get(key, "") for key, name in _SETTINGS.items()}
    incomplete = [each for each in pairs.get(_INCOMPLETE, "").split("+") if each]
    ports, is_complete = _parse_ports([tags.get(key, "") for key in PORTS_KEYS])
    incomplete += [] if is_complete else ["ports"]
    return RestoreFacts(**settings, ports=ports, incomplete=tuple(dict.fromkeys(incomplete)))


def read_restore(value: object) -> dict[str, str]:
    """Read `restore` of a request: the tags that `write_tags` wrote."""
    tags = {str(key): text for key, text in read_object(value).items()}
    problems = []
    for key, text in tags.items():
        if key not in KEYS:
            problems.append(Problem((key,), f"unknown key; allowed are {', '.join(KEYS)}"))
        elif not isinstance(text, str):
            problems.append(Problem((key,), f"must be a text, not {format_value(text)}"))
        else:
            problems += [Problem((key,), each) for each in tag_problems(key, text)]
    if problems:
        raise InvalidValueError(*problems)
    return {key: str(text) for key, text in tags.items()}


def _read_add_ons(raw: "InstanceTypeDef") -> tuple[str, bool]:
    """Return the hour of automatic snapshots, and whether there are add-ons that a snapshot cannot carry."""
    on = [each for each in raw.get("addOns", []) if each.get("status", "").lower() not in _OFF]
    hours = [
        each.get("nextSnapshotTimeOfDay") or each.get("snapshotTimeOfDay", "")
        for each in on
        if each.get("name") == "AutoSnapshot"
    ]
    return (hours[0] if hours else ""), any(each.get("name") != "AutoSnapshot" for each in on)


def _read_ports(infos: "Sequence[InstancePortInfoTypeDef] | None") -> tuple[tuple[PortRule, ...] | None, bool]:
    """Return the firewall, and whether it has something that a rule cannot say."""
    if infos is None:
        return None, False
    inbound = [info for info in infos if info.get("accessDirection", "inbound").lower() == "inbound"]
    readable = [info for info in inbound if info.get("accessType", "public").lower() == "public" and _sources(info)]
    rules = [
        PortRule(intern(info.get("protocol", "")), info.get("fromPort", 0), info.get("toPort", 0), _sources(info))
        for info in readable
    ]
    writable = [rule for rule in rules if _can_be_written(rule)]
    return _merge(writable), len(writable) < len(inbound)


@lru_cache(maxsize=1024)
def _can_be_written(rule: PortRule) -> bool:
    """Whether it can be read back. The instances of a fleet have few different rules."""
    return all(_parse_rule(str(part)) == part for part in _split(rule))


def _sources(info: "InstancePortInfoTypeDef") -> tuple[str, ...]:
    """Return who may connect. Samples of the AWS CLI have no lists: their text says `Anywhere (0.0.0.0/0)`."""
    listed = [*info.get("cidrs", []), *info.get("ipv6Cidrs", []), *info.get("cidrListAliases", [])]
    text = "" if listed else info.get("accessFrom", "")
    return _in_order(tuple(listed or (each for each in _EVERYBODY if text.startswith("Anywhere") and each in text)))


@lru_cache(maxsize=1024)
def _in_order(sources: tuple[str, ...]) -> tuple[str, ...]:
    unique = dict.fromkeys(map(intern, sources))
    return tuple(sorted(unique, key=lambda source: _FIELDS.index(_field_of(source))))


def _field_of(source: str) -> str:
    """Return the field of the API that takes a source."""
    return "ipv6Cidrs" if ":" in source else "cidrs" if "." in source else "cidrListAliases"


def _split(rule: PortRule) -> Iterator[PortRule]:
    """Return rules of few sources that mean the same."""
    for start in range(0, len(rule.sources), _SOURCES_PER_RULE):
        yield rule._replace(sources=rule.sources[start : start + _SOURCES_PER_RULE])


def _merge(rules: Iterable[PortRule]) -> tuple[PortRule, ...]:
    """Return one rule for the same protocol and ports."""
    merged: dict[tuple[str, int, int], PortRule] = {}
    for rule in rules:
        same = merged.get(rule[:3])
        merged[rule[:3]] = rule._replace(sources=_in_order((*(same.sources if same else ()), *rule.sources)))
    return tuple(merged.values())


def _fill(tokens: Iterable[str]) -> tuple[list[str], bool]:
    """Return the values of the tags that hold these texts in turn, and whether all had room."""
    values: list[str] = []
    for token in tokens:
        if values and len(values[-1]) + 1 + len(token) <= MAX_TAG_VALUE:
            values[-1] += f" {token}"
        elif len(values) < len(PORTS_KEYS):
            values.append(token)
        else:
            return values, False
    return values, True


def _write_settings(settings: Mapping[str, str], incomplete: Sequence[str]) -> str:
    """Return the tag's value; what cannot be written is added to what is incomplete."""
    left, names = list(settings), list(dict.fromkeys(incomplete))
    written: list[str] = []
    for key, value in settings.items():
        left.remove(key)
        token = f"{key}={value}"
        longest = " ".join([*written, token, _note([*names, *left])])
        if " " in value or tag_problems(key, value) or len(longest) > MAX_TAG_VALUE:
            names.append(key)
        else:
            written.append(token)
    return " ".join([*written, _note(names)]).strip()


def _note(names: Sequence[str]) -> str:
    return f"{_INCOMPLETE}={'+'.join(names)}" if names else ""


def _parse_ports(values: Sequence[str]) -> tuple[tuple[PortRule, ...] | None, bool]:
    tokens = " ".join(values).split()
    if not tokens:
        return None, True
    if tokens == [_NO_PORTS]:
        return (), True
    rules = [rule for rule in map(_parse_rule, tokens) if rule]
    return _merge(rules), len(rules) == len(tokens)


def _parse_rule(token: str) -> PortRule | None:
    found = _RULE.fullmatch(token)
    if not found or tag_problems("rule", token):
        return None
    sources = [_LONG.get(each, each) for each in (found["sources"] or "4+6").split("+")]
    return PortRule(
        intern(found["protocol"]), int(found["first"]), int(found["last"] or found["first"]), _in_order(tuple(sources))
    )
