"""What a run will do, and what it costs at most: chosen and shown before anything is done."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from lightsail_snapshots.restore_plan import Bundle
from lightsail_snapshots_cli.doctor.calls import Calls, NotYetError, Resource
from lightsail_snapshots_cli.doctor.names import ROLE, TAGS
from lightsail_snapshots_cli.doctor.walk import Size
from lightsail_snapshots_cli.prices import DOLLARS_PER_GB

_HOURS_A_MONTH = 730
_MOST_INSTANCES = 3
"""One after the other, but each is billed for an hour."""
_MOST_SNAPSHOTS = 12
_BLUEPRINT = "amazon_linux_2023"
_LINUX = "LINUX_UNIX"


def choose_size(calls: Calls) -> Size:
    """Return the cheapest Linux instance that the Region offers. Raises AwsError, DeniedError or NotYetError."""
    regions = calls.read(partial(calls.client.get_regions, includeAvailabilityZones=True))["regions"]
    zones = [zone for each in regions if each["name"] == calls.region for zone in each.get("availabilityZones", [])]
    open_zones = sorted(zone["zoneName"] for zone in zones if zone.get("state", "available") == "available")
    bundles = [(Bundle.of(each), each.get("power", 0)) for each in _all(calls, "get_bundles", "bundles")]
    fitting = [each for each in bundles if each[0].is_active and each[0].platform == _LINUX and each[0].has_ipv4]
    bundle, power = min(fitting, key=lambda each: (each[0].price, each[0].id), default=(None, 0))
    blueprints = [each for each in _all(calls, "get_blueprints", "blueprints") if _is_linux(each, power)]
    names = sorted(str(each["blueprintId"]) for each in blueprints)
    if not open_zones or not names or bundle is None:
        raise NotYetError(f"{calls.region} offers no instance with Linux")
    blueprint = _BLUEPRINT if _BLUEPRINT in names else names[0]
    return Size(zone=open_zones[0], bundle=bundle.id, blueprint=blueprint, disk=round(bundle.disk), price=bundle.price)


def _is_linux(blueprint: Mapping[str, Any], power: int) -> bool:
    """Whether it is a plain Linux that needs no larger bundle."""
    is_linux = blueprint.get("platform") == _LINUX and blueprint.get("type") == "os"
    return is_linux and blueprint.get("isActive", True) and blueprint.get("minPower", 0) <= power


def _all(calls: Calls, operation: str, member: str) -> list[Any]:
    found: list[Any] = []
    token = ""
    seen = {""}
    while True:
        page = calls.read(partial(getattr(calls.client, operation), **({"pageToken": token} if token else {})))
        found += page.get(member, [])
        token = page.get("nextPageToken", "")
        if token in seen:
            return found
        seen.add(token)


def lines(size: Size, home: str, away: str, left: Sequence[Resource], *, is_role_left: bool) -> list[str]:
    """Return what will be done, for a person to read."""
    [(key, value)] = TAGS.items()
    instance = f"({size.bundle}, {size.blueprint}, all ports closed)"
    found = [f"Left by an earlier run, and deleted first: {each}." for each in left]
    found += [f"Left by an earlier run, and deleted first: the role {ROLE}."] if is_role_left else []
    found += ["If doctor is running somewhere else at this moment, wait until it has ended."] if found else []
    return [
        *found,
        f"In {home}: an instance {instance}, up to {_MOST_SNAPSHOTS} snapshots of",
        "it, and two instances that are made from one of them, one after the other. It is stopped at the end.",
        f"In {away}: two copies of a snapshot, deleted at once.",
        f"In IAM: the role {ROLE}, which can do nothing to what is yours.",
        "If the stack is deployed here: an event that its bus must deny; its log and its metrics are read.",
        f"Everything has the tag {key}={value}. It is deleted at the end, also after a failure or Ctrl-C;",
        "if the command is killed, the next run deletes it. Nothing else is changed. It takes about ten minutes.",
        f"It costs at most ${cost(size):.2f}, and the transfer of a copy's data, whose price AWS does not document.",
    ]


def cost(size: Size) -> float:
    """Return the most in USD, if each is billed for an hour, and each snapshot for its whole disk."""
    snapshots = _MOST_SNAPSHOTS * size.disk * DOLLARS_PER_GB
    return (_MOST_INSTANCES * size.price + snapshots) / _HOURS_A_MONTH


def choose_away(home: str, regions: Sequence[str]) -> str:
    """Return another Region that could be listed, if possible on the same continent. Raises NotYetError."""
    others = sorted(each for each in regions if each != home)
    if not others:
        raise NotYetError("there is no second Region to copy to")
    near = [each for each in others if each.partition("-")[0] == home.partition("-")[0]]
    return (near or others)[0]
