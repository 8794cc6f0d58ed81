"""The operations on an instance's firewall."""

from collections.abc import Sequence
from typing import Any

from local.lightsail import errors, firewall
from local.lightsail.firewall import Rule
from local.lightsail.region import Region
from local.lightsail.resources import Instance


def put_instance_public_ports(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Open these ports and close all others."""
    instance = region.instance(request["instanceName"])
    rules = [firewall.read_rule(info) for info in request["portInfos"]]
    instance.ports = []
    for rule in rules:
        instance.ports = firewall.open_ports(instance.ports, rule)
    return _record(region, "PutInstancePublicPorts", instance, rules)


def open_instance_public_ports(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Open ports, and leave the others as they are."""
    instance = region.instance(request["instanceName"])
    rule = firewall.read_rule(request["portInfo"])
    instance.ports = firewall.open_ports(instance.ports, rule)
    return _record(region, "OpenInstancePublicPorts", instance, [rule])


def close_instance_public_ports(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Close ports, and leave the others as they are."""
    instance = region.instance(request["instanceName"])
    if instance.state_at(region.now) == "pending" and not region.settings.ports_while_pending:
        raise errors.busy("Instance", instance.name, "pending")
    rule = firewall.read_rule(request["portInfo"])
    instance.ports = firewall.close_ports(instance.ports, rule)
    return _record(region, "CloseInstancePublicPorts", instance, [rule])


def get_instance_port_states(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """The open ports; the state is always `open`."""
    return {"portStates": [rule | {"state": "open"} for rule in region.instance(request["instanceName"]).ports]}


def _record(region: Region, operation: str, instance: Instance, rules: Sequence[Rule]) -> dict[str, Any]:
    [described] = region.describe([region.record(operation, instance, firewall.summarize(rules))])
    return {"operation": described}
