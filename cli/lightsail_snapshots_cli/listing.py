"""Lists the instances and the snapshots of many Regions side by side."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

from lightsail_snapshots.aws.errors import AwsError
from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots.instance import Instance
from lightsail_snapshots.snapshot import Snapshot

_MOST_THREADS = 20
_making_clients = Lock()
"""boto3 cannot make two clients at a time: its default session is not safe for threads."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The Regions that could be listed, and why the others could not."""

    instances: dict[str, list[Instance]] = field(default_factory=dict)
    """By Region, of the Regions that could be listed."""
    snapshots: list[Snapshot] = field(default_factory=list)
    errors: dict[str, AwsError] = field(default_factory=dict)
    """By Region; a Region with an error has nothing in the two others."""


def list_regions(regions: Iterable[str]) -> Listing:
    """List each Region in a thread of its own."""
    listing = Listing()
    regions = list(dict.fromkeys(regions))
    with ThreadPoolExecutor(_MOST_THREADS) as threads:
        for region, found in zip(regions, threads.map(_list_region, regions), strict=True):
            if isinstance(found, AwsError):
                listing.errors[region] = found
            else:
                listing.instances[region], snapshots = found
                listing.snapshots.extend(snapshots)
    return listing


def _list_region(region: str) -> tuple[list[Instance], list[Snapshot]] | AwsError:
    try:
        with _making_clients:
            client = lightsail(region)
        # A page may repeat instances of an earlier one.
        instances = {each.arn: each for page in client.instances() for each in page}
        return list(instances.values()), client.snapshots()
    except AwsError as error:
        return error
