"""The rules of an instance's firewall, each with the fields of PortInfo."""

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from local.lightsail.errors import invalid

Rule = dict[str, Any]

ANYWHERE = "0.0.0.0/0"
ANYWHERE_IPV6 = "::/0"
SOURCES = ("cidrs", "ipv6Cidrs", "cidrListAliases")


def default_rules(ports: Sequence[int], ip_address_type: str) -> list[Rule]:
    """The rules of a new instance. Each address family that the instance has can reach them from anywhere."""
    return [
        {
            "fromPort": port,
            "toPort": port,
            "protocol": "tcp",
            "cidrs": [ANYWHERE] if ip_address_type != "ipv6" else [],
            "ipv6Cidrs": [ANYWHERE_IPV6] if ip_address_type != "ipv4" else [],
            "cidrListAliases": [],
        }
        for port in ports
    ]


def read_rule(info: dict[str, Any]) -> Rule:
    """A rule from a request. It is open to all addresses if the request names none."""
    if "protocol" not in info:
        raise invalid("portInfo needs a protocol.")
    ports = (0, 65535) if info["protocol"] == "all" else (info.get("fromPort"), info.get("toPort"))
    _check_ports(info["protocol"], *ports)
    sources = {field: list(info.get(field, [])) for field in SOURCES}
    for field, version in (("cidrs", 4), ("ipv6Cidrs", 6)):
        for cidr in sources[field]:
            _check_cidr(field, cidr, version)
    if not any(sources.values()):
        sources |= {"cidrs": [ANYWHERE], "ipv6Cidrs": [ANYWHERE_IPV6]}
    return {"fromPort": ports[0], "toPort": ports[1], "protocol": info["protocol"], **sources}


def open_ports(rules: list[Rule], added: Rule) -> list[Rule]:
    """Add a rule. If its ports are open to other addresses, they are open to both (not confirmed)."""
    same = next((rule for rule in rules if _ports(rule) == _ports(added)), None)
    if same is None:
        return [*rules, added]
    merged = {field: list(dict.fromkeys(same[field] + added[field])) for field in SOURCES}
    return [{**rule, **merged} if rule is same else rule for rule in rules]


def close_ports(rules: list[Rule], closed: Rule) -> list[Rule]:
    """Remove the rule for the same ports, with any sources. It is no error if there is none (not confirmed)."""
    return [rule for rule in rules if _ports(rule) != _ports(closed)]


def describe_access(rule: Rule) -> Rule:
    """A rule as GetInstance returns it, in InstancePortInfo."""
    everywhere = {
        ((ANYWHERE,), (ANYWHERE_IPV6,)): f"Anywhere ({ANYWHERE} and {ANYWHERE_IPV6})",
        ((ANYWHERE,), ()): f"Anywhere ({ANYWHERE})",
        ((), (ANYWHERE_IPV6,)): f"Anywhere ({ANYWHERE_IPV6})",
    }
    sources = (tuple(rule["cidrs"]), tuple(rule["ipv6Cidrs"]))
    return rule | {
        "accessFrom": "Custom" if rule["cidrListAliases"] else everywhere.get(sources, "Custom"),
        "accessType": "public",
        "commonName": "",
        "accessDirection": "inbound",
    }


def summarize(rules: Sequence[Rule]) -> str:
    """The operationDetails of an operation on ports, such as `22/tcp`."""
    return ", ".join(f"{_port_range(rule)}/{rule['protocol']}" for rule in rules)


def _port_range(rule: Rule) -> str:
    first, last, _ = _ports(rule)
    return str(first) if first == last else f"{first}-{last}"


def _ports(rule: Rule) -> tuple[int, int, str]:
    return rule["fromPort"], rule["toPort"], rule["protocol"]


def _check_ports(protocol: str, first: int | None, last: int | None) -> None:
    if first is None or last is None:
        raise invalid("portInfo needs fromPort and toPort.")
    if protocol in ("tcp", "udp") and not 0 <= first <= last <= 65535:
        raise invalid(f"The ports {first} to {last} are not a range from 0 to 65535.")


def _check_cidr(field: str, cidr: str, version: int) -> None:
    try:
        valid = ip_network(cidr).version == version
    except ValueError:
        valid = False
    if not valid:
        raise invalid(f"{field}: {cidr} is not an IPv{version} address or range.")
