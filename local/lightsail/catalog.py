"""The bundles and blueprints that the emulator has: a selection of AWS's."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.lightsail.errors import invalid

Description = dict[str, Any]


@dataclass(frozen=True)
class Bundle:
    """An instance plan. `memory` and `disk` are in GB, `transfer` in GB a month, `price` in USD a month."""

    id: str
    size: str
    cpus: int
    memory: float
    disk: int
    transfer: int
    power: int
    price: float
    platform: str = "LINUX_UNIX"
    has_ipv4: bool = True
    is_active: bool = True

    def is_smaller_than(self, other: "Bundle") -> bool:
        """Whether a restore from `other` to this bundle is rejected."""
        return self.cpus < other.cpus or self.memory < other.memory or self.disk < other.disk

    def describe(self) -> Description:
        """As GetBundles returns it."""
        return {
            "bundleId": self.id,
            "name": self.size.title(),
            "instanceType": self.size,
            "cpuCount": self.cpus,
            "ramSizeInGb": self.memory,
            "diskSizeInGb": self.disk,
            "transferPerMonthInGb": self.transfer,
            "power": self.power,
            "price": self.price,
            "supportedPlatforms": [self.platform],
            "publicIpv4AddressCount": int(self.has_ipv4),
            "isActive": self.is_active,
        }


# The first three rows, without the last two prices, are in the CLI's sample of get-bundles. The rest is from price
# lists that others publish; AWS's prices differ by Region and change.
# size, vCPUs, GB of memory, GB of disk, GB of transfer, power, and USD a month for Linux, for IPv6 only, for Windows
_SIZES = (
    ("nano", 2, 0.5, 20, 1024, 298, 5.0, 3.5, 9.5),
    ("micro", 2, 1.0, 40, 2048, 500, 7.0, 5.0, 14.0),
    ("small", 2, 2.0, 60, 3072, 1000, 12.0, 10.0, 22.0),
    ("medium", 2, 4.0, 80, 4096, 2000, 24.0, 20.0, 44.0),
    ("large", 2, 8.0, 160, 5120, 3000, 44.0, 40.0, 74.0),
    ("xlarge", 4, 16.0, 320, 6144, 3500, 84.0, 80.0, 124.0),
    ("2xlarge", 8, 32.0, 640, 7168, 4000, 164.0, 160.0, 244.0),
)


def _bundles() -> list[Bundle]:
    linux: list[Bundle] = []
    ipv6: list[Bundle] = []
    windows: list[Bundle] = []
    for size, cpus, memory, disk, transfer, power, price, ipv6_price, windows_price in _SIZES:
        bundle = Bundle(f"{size}_3_0", size, cpus, memory, disk, transfer, power, price)
        linux.append(bundle)
        ipv6.append(replace(bundle, id=f"{size}_ipv6_3_0", price=ipv6_price, has_ipv4=False))
        windows.append(
            replace(bundle, id=f"{size}_win_3_0", price=windows_price, platform="WINDOWS", disk=max(disk, 30))
        )
    earlier = replace(linux[0], id="nano_2_0", cpus=1, power=300, price=3.5, is_active=False)
    return [*linux, *ipv6, *windows, earlier]


BUNDLES: Mapping[str, Bundle] = {bundle.id: bundle for bundle in _bundles()}


@dataclass(frozen=True)
class Blueprint:
    """An image: an operating system (`os`) or an application on top of one (`app`)."""

    id: str
    name: str
    type: str
    username: str
    platform: str = "LINUX_UNIX"

    def default_ports(self) -> list[int]:
        """The open TCP ports of a new instance (the guide's default firewall rules)."""
        if self.platform == "WINDOWS":
            return [80, 22, 3389]
        return [80, 22, 443] if self.type == "app" else [80, 22]

    def describe(self) -> Description:
        """As GetBlueprints returns it."""
        return {
            "blueprintId": self.id,
            "name": self.name,
            "group": self.id,
            "type": self.type,
            "isActive": True,
            "minPower": 0,
            "version": "1",
            "versionCode": "1",
            "platform": self.platform,
        }


BLUEPRINTS: Mapping[str, Blueprint] = {
    blueprint.id: blueprint
    for blueprint in (
        Blueprint("amazon_linux_2023", "Amazon Linux 2023", "os", "ec2-user"),
        Blueprint("ubuntu_22_04", "Ubuntu 22.04 LTS", "os", "ubuntu"),
        Blueprint("ubuntu_24_04", "Ubuntu 24.04 LTS", "os", "ubuntu"),
        Blueprint("debian_12", "Debian 12", "os", "admin"),
        Blueprint("wordpress", "WordPress", "app", "bitnami"),
        Blueprint("nodejs", "Node.js", "app", "bitnami"),
        Blueprint("windows_server_2022", "Windows Server 2022", "os", "Administrator", "WINDOWS"),
    )
}


def find_bundle(bundle_id: str) -> Bundle:
    """A bundle, active or not: whether AWS creates instances with an inactive bundle is not confirmed."""
    if bundle_id not in BUNDLES:
        raise invalid(f"There is no bundle {bundle_id}. The bundles are {', '.join(BUNDLES)}.")
    return BUNDLES[bundle_id]


def find_blueprint(blueprint_id: str) -> Blueprint:
    """A blueprint."""
    if blueprint_id not in BLUEPRINTS:
        raise invalid(f"There is no blueprint {blueprint_id}. The blueprints are {', '.join(BLUEPRINTS)}.")
    return BLUEPRINTS[blueprint_id]


def check_fit(bundle: Bundle, blueprint: Blueprint, ip_address_type: str) -> None:
    """Reject a bundle of another platform (the API reference), or of another address type (not confirmed)."""
    if bundle.platform != blueprint.platform:
        raise invalid(f"The blueprint {blueprint.id} needs a bundle for {blueprint.platform}, not {bundle.id}.")
    if bundle.has_ipv4 == (ip_address_type == "ipv6"):
        raise invalid(f"The bundle {bundle.id} does not have the address type {ip_address_type}.")
