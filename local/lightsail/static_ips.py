"""The operations on static IPs."""

from typing import Any

from local.lightsail import errors
from local.lightsail.errors import invalid
from local.lightsail.region import Region
from local.lightsail.resources import StaticIp, new_address


def allocate_static_ip(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Create a static IP, attached to nothing."""
    name = request["staticIpName"]
    region.check_free([name])
    static_ip = region.add(StaticIp(name=name, region=region.name, account=region.account, created_at=region.now))
    return {"operations": region.describe([region.record("AllocateStaticIp", static_ip)])}


def attach_static_ip(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Give an instance the address of a static IP.

    That AWS rejects a static IP in use, and an instance that has one, is not confirmed: a client detaches first.
    """
    static_ip = region.find(request["staticIpName"], StaticIp)
    instance = region.instance(request["instanceName"])
    state = instance.state_at(region.now)
    if state in ("pending", "stopping"):
        raise errors.busy("Instance", instance.name, state)
    if static_ip.attached_to:
        raise invalid(f"The static IP {static_ip.name} is already attached to {static_ip.attached_to}.")
    if instance.static_ip:
        raise invalid(f"The instance {instance.name} already has the static IP {instance.static_ip.name}.")
    if instance.ip_address_type == "ipv6":
        raise invalid(f"The instance {instance.name} has no IPv4 address.")
    instance.static_ip, static_ip.attached_to = static_ip, instance.name
    return {"operations": region.describe(region.record_on_both("AttachStaticIp", static_ip, instance))}


def detach_static_ip(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Take a static IP from its instance, which gets another public address."""
    static_ip = region.find(request["staticIpName"], StaticIp)
    if static_ip.attached_to is None:
        raise invalid(f"The static IP {static_ip.name} is not attached.")  # not confirmed
    instance = region.instance(static_ip.attached_to)
    instance.static_ip, static_ip.attached_to = None, None
    instance.address = new_address()
    return {"operations": region.describe(region.record_on_both("DetachStaticIp", static_ip, instance))}


def release_static_ip(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a static IP."""
    static_ip = region.find(request["staticIpName"], StaticIp)
    if static_ip.attached_to:
        raise invalid(f"The static IP {static_ip.name} is attached to {static_ip.attached_to}.")  # not confirmed
    region.remove(static_ip)
    return {"operations": region.describe([region.record("ReleaseStaticIp", static_ip)])}


def get_static_ip(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """One static IP, by name."""
    return {"staticIp": region.find(request["staticIpName"], StaticIp).describe()}


def get_static_ips(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """A page of the Region's static IPs."""
    page, token = region.page(region.resources_of_type(StaticIp), request.get("pageToken"))
    return {"staticIps": [static_ip.describe() for static_ip in page], **token}
