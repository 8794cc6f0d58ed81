"""The firewall of an instance."""

from typing import Any

from tests.emulator.builders import error_from, make_instance
from tests.emulator.endpoints import Lightsail


def ports(lightsail: Lightsail) -> dict[int, dict[str, Any]]:
    """The rules of web-1 by their first port, from GetInstancePortStates."""
    states = lightsail.get_instance_port_states(instanceName="web-1")["portStates"]
    return {state["fromPort"]: state for state in states}


def port(number: int, **more: Any) -> dict[str, Any]:
    """A PortInfo of one TCP port."""
    return {"fromPort": number, "toPort": number, "protocol": "tcp", **more}


def test_new_instance_has_the_default_ports_of_its_blueprint(lightsail: Lightsail) -> None:
    blueprints = {"ubuntu_24_04": [80, 22], "wordpress": [80, 22, 443], "windows_server_2022": [80, 22, 3389]}
    for number, (blueprint, default) in enumerate(blueprints.items()):
        bundle = "small_win_3_0" if blueprint.startswith("windows") else "small_3_0"
        made = make_instance(lightsail, f"web-{number}", blueprintId=blueprint, bundleId=bundle)
        assert [rule["fromPort"] for rule in made["networking"]["ports"]] == default


def test_instance_describes_who_can_reach_a_port(lightsail: Lightsail) -> None:
    for number, (address_type, access, cidrs, ipv6_cidrs) in enumerate(
        [
            ("dualstack", "Anywhere (0.0.0.0/0 and ::/0)", ["0.0.0.0/0"], ["::/0"]),
            ("ipv4", "Anywhere (0.0.0.0/0)", ["0.0.0.0/0"], []),
            ("ipv6", "Anywhere (::/0)", [], ["::/0"]),
        ]
    ):
        bundle = "small_ipv6_3_0" if address_type == "ipv6" else "small_3_0"
        made = make_instance(lightsail, f"web-{number}", ipAddressType=address_type, bundleId=bundle)
        assert made["networking"]["ports"][0] == {
            "fromPort": 80,
            "toPort": 80,
            "protocol": "tcp",
            "accessFrom": access,
            "accessType": "public",
            "commonName": "",
            "accessDirection": "inbound",
            "cidrs": cidrs,
            "ipv6Cidrs": ipv6_cidrs,
            "cidrListAliases": [],
        }


def test_put_ports_closes_all_others(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    office = port(22, cidrs=["203.0.113.0/24"], cidrListAliases=["lightsail-connect"])
    ping = {"fromPort": 8, "toPort": -1, "protocol": "icmp"}
    answer = lightsail.put_instance_public_ports(instanceName="web-1", portInfos=[office, port(443), ping])
    assert answer["operation"]["operationDetails"] == "22/tcp, 443/tcp, 8--1/icmp"
    assert answer["operation"]["status"] == "Succeeded"
    found = ports(lightsail)
    assert list(found) == [22, 443, 8]
    assert {"ipv6Cidrs": [], "state": "open", **office}.items() <= found[22].items()
    assert {"cidrs": ["0.0.0.0/0"], "ipv6Cidrs": ["::/0"]}.items() <= found[443].items()
    [ssh, *_] = lightsail.get_instance(instanceName="web-1")["instance"]["networking"]["ports"]
    assert ssh["accessFrom"] == "Custom"


def test_put_ports_with_none_closes_all(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    lightsail.put_instance_public_ports(instanceName="web-1", portInfos=[])
    assert ports(lightsail) == {}


def test_open_ports_adds_addresses_to_ports_that_are_open(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    lightsail.open_instance_public_ports(instanceName="web-1", portInfo=port(8080, cidrs=["192.0.2.1"]))
    lightsail.open_instance_public_ports(instanceName="web-1", portInfo=port(8080, cidrs=["192.0.2.2/32"]))
    found = ports(lightsail)
    assert list(found) == [80, 22, 8080]
    assert found[8080]["cidrs"] == ["192.0.2.1", "192.0.2.2/32"]


def test_close_ports_leaves_the_others_open(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    for _ in range(2):
        operation = lightsail.close_instance_public_ports(instanceName="web-1", portInfo=port(80))["operation"]
        assert operation["operationType"] == "CloseInstancePublicPorts"
        assert list(ports(lightsail)) == [22]


def test_all_protocols_need_no_ports(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    lightsail.put_instance_public_ports(instanceName="web-1", portInfos=[{"protocol": "all"}])
    assert (ports(lightsail)[0]["toPort"], ports(lightsail)[0]["protocol"]) == (65535, "all")


def test_wrong_ports_are_rejected_and_change_nothing(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"fromPort": 80, "toPort": 80}, "protocol"),
        ({"protocol": "tcp"}, "fromPort"),
        ({"fromPort": 90, "toPort": 80, "protocol": "tcp"}, "90 to 80"),
        (port(70000), "70000"),
        (port(80, cidrs=["here"]), "cidrs: here"),
        (port(80, cidrs=["::/0"]), "cidrs: ::/0 is not an IPv4"),
        (port(80, ipv6Cidrs=["192.0.2.0/24"]), "is not an IPv6"),
    ]
    for info, text in wrong:
        error = error_from(lightsail.put_instance_public_ports, instanceName="web-1", portInfos=[port(443), info])
        assert error["name"] == "InvalidInputException"
        assert text in error["message"]
    assert list(ports(lightsail)) == [80, 22]
    assert error_from(lightsail.get_instance_port_states, instanceName="web-2")["name"] == "NotFoundException"
