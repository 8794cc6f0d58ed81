"""What snapshots of instances do not cover: managed databases, and disks that are attached to nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lightsail_snapshots.aws.errors import AwsError, translate_errors
from lightsail_snapshots_cli.listing import in_threads, region_client


@dataclass(frozen=True, kw_only=True)
class Uncovered:
    """One resource that has data and that nothing here takes snapshots of."""

    name: str
    region: str
    kind: str
    """For people, such as `disk of 32 GB, attached to nothing`."""
    resource_type: str
    """Lightsail's: RelationalDatabase or Disk."""

    def as_json(self) -> dict[str, Any]:
        """Return it with camelCase keys."""
        return {"name": self.name, "region": self.region, "resourceType": self.resource_type, "mark": "NOT COVERED"}


def list_uncovered(regions: Iterable[str]) -> tuple[list[Uncovered], dict[str, AwsError]]:
    """List them in each Region, by Region and name; return them, and the errors by Region."""
    found: list[Uncovered] = []
    errors: dict[str, AwsError] = {}
    for region, listed in in_threads(_list_region, regions):
        if isinstance(listed, AwsError):
            errors[region] = listed
        else:
            found.extend(listed)
    return sorted(found, key=lambda each: (each.region, each.resource_type, each.name)), errors


def _list_region(region: str) -> list[Uncovered]:
    with translate_errors():
        return [*_databases(region), *_loose_disks(region)]


def _databases(region: str) -> Iterator[Uncovered]:
    pages = region_client(region).client.get_paginator("get_relational_databases").paginate()
    for each in (each for page in pages for each in page["relationalDatabases"]):
        kind = f"managed database, {each.get('engine', 'of unknown kind')}"
        yield Uncovered(name=each.get("name", ""), region=region, kind=kind, resource_type="RelationalDatabase")


def _loose_disks(region: str) -> Iterator[Uncovered]:
    """A snapshot of an instance has the data of the disks that are attached to it."""
    pages = region_client(region).client.get_paginator("get_disks").paginate()
    for each in (each for page in pages for each in page["disks"]):
        if not (each.get("isAttached") or each.get("isSystemDisk")):
            kind = f"disk of {each.get('sizeInGb', '?')} GB, attached to nothing"
            yield Uncovered(name=each.get("name", ""), region=region, kind=kind, resource_type="Disk")
