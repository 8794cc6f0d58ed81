"""Lists the instances and the snapshots of many Regions side by side."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from lightsail_snapshots.aws.errors import AwsError
from lightsail_snapshots.aws.lightsail import Lightsail, lightsail
from lightsail_snapshots.instance import Instance
from lightsail_snapshots.snapshot import Snapshot
from lightsail_snapshots_cli.errors import explain, is_not_enabled
from lightsail_snapshots_cli.parameters import lightsail_regions
from lightsail_snapshots_cli.terminal import progress

_T = TypeVar("_T")
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
    """List the instances and snapshots of each Region."""
    listing = Listing()
    for region, found in in_threads(_list_region, regions):
        if isinstance(found, AwsError):
            listing.errors[region] = found
        else:
            listing.instances[region], snapshots = found
            listing.snapshots.extend(snapshots)
    return listing


def list_snapshots(regions: Iterable[str]) -> Listing:
    """List the snapshots of each Region, and no instances."""
    listing = Listing()
    for region, found in in_threads(lambda region: region_client(region).snapshots(), regions):
        if isinstance(found, AwsError):
            listing.errors[region] = found
        else:
            listing.snapshots.extend(found)
    return listing


def in_threads(work: Callable[[str], _T], regions: Iterable[str]) -> Iterator[tuple[str, _T | AwsError]]:
    """Do it for each Region in a thread of its own; return what it returned or why it failed."""

    def attempt(region: str) -> _T | AwsError:
        try:
            return work(region)
        except AwsError as error:
            return error

    regions = list(dict.fromkeys(regions))
    with ThreadPoolExecutor(_MOST_THREADS) as threads:
        yield from zip(regions, threads.map(attempt, regions), strict=True)


def _list_region(region: str) -> tuple[list[Instance], list[Snapshot]]:
    client = region_client(region)
    # A page may repeat instances of an earlier one.
    instances = {each.arn: each for page in client.instances() for each in page}
    return list(instances.values()), client.snapshots()


def region_client(region: str) -> Lightsail:
    """Return the Lightsail of a Region, also if other threads ask for theirs."""
    with _making_clients:
        return lightsail(region)


def list_all_regions() -> Listing:
    """List all Regions of Lightsail; end the command if none can be.

    A Region that the account has not enabled is skipped silently, any other that fails with a line on stderr.
    """
    listing = list_regions(lightsail_regions())
    if not listing.instances:
        raise explain(next(iter(listing.errors.values())), "while listing your Regions")
    for region, error in listing.errors.items():
        if not is_not_enabled(error):
            progress(f"Skipped {region}, so what is there stays. {error}")
    return listing
