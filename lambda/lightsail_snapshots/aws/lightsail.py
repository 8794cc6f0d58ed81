"""Amazon Lightsail, one Region at a time."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import boto3

from lightsail_snapshots.aws import CONFIG, SINGLE_ATTEMPT
from lightsail_snapshots.aws.clients import make_client
from lightsail_snapshots.aws.errors import (
    THROTTLED,
    AwsError,
    NotFoundError,
    RejectedError,
    RetryableError,
    translate_errors,
)
from lightsail_snapshots.instance import Instance
from lightsail_snapshots.pace import Pace
from lightsail_snapshots.restore_facts import read_instance
from lightsail_snapshots.snapshot import AttachedDisk, Snapshot

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_lightsail import LightsailClient
    from mypy_boto3_lightsail.type_defs import InstanceSnapshotTypeDef, InstanceTypeDef, OperationTypeDef, TagTypeDef

MAX_WAIT = 600.0
"""Seconds that a page is retried."""

Page = TypeVar("Page", bound=Mapping[str, object])


class Operation(NamedTuple):
    """One of Lightsail's records of what was done to a resource."""

    type: str
    """Not always in the service model's enum: `CopySnapshot` is not."""
    details: str
    created_at: datetime
    finished_at: datetime | None = None
    """None: it has not finished, or that is not known."""


class Lightsail:
    """Amazon Lightsail in one Region."""

    def __init__(self, region: str, config: "Config" = CONFIG) -> None:
        """Make the client; this does not call AWS. Raises an AwsError if no Region can have this name."""
        self.region = region
        self.pace = Pace(time.monotonic)
        with translate_errors():
            self._client: LightsailClient = make_client("lightsail", region, config)
        self._client.meta.events.register("after-call.lightsail", self._count)

    @property
    def client(self) -> "LightsailClient":
        """The SDK's client, for operations that only the command line calls."""
        return self._client

    def _count(self, parsed: Mapping[str, Any], **_: object) -> None:
        self.pace.called(is_throttled=parsed.get("Error", {}).get("Code") in THROTTLED)

    def instance(self, name: str) -> Instance:
        """Return the instance of this name, or raise NotFoundError."""
        with translate_errors():
            return _instance(self._client.get_instance(instanceName=name)["instance"])

    def instances(self, has_time: Callable[[], bool] = lambda: False) -> Iterator[list[Instance]]:
        """Return all instances, a page for each call; Lightsail decides how many are on a page.

        A page that fails is retried as long as `has_time`.
        """
        for page in _pages(partial(_persist, self._client.get_instances, has_time)):
            yield [_instance(raw) for raw in page.get("instances", [])]

    def create_snapshot(self, name: str, instance_name: str, tags: Mapping[str, str]) -> list[str]:
        """Request a snapshot; return the keys of the tags that were dropped, see `_call_with_tags`.

        It is usable once `find_snapshot` says so.
        """
        call = partial(self._client.create_instance_snapshot, instanceSnapshotName=name, instanceName=instance_name)
        return _call_with_tags(call, tags)

    def copy_snapshot(self, name: str, source_region: str) -> None:
        """Request a copy, in this Region and under the same name, of another Region's snapshot; it gets no tags."""
        with translate_errors():
            self._client.copy_snapshot(
                sourceRegion=source_region,  # type: ignore[arg-type]  # the stubs know only some Regions
                sourceSnapshotName=name,
                targetSnapshotName=name,
            )

    def tag_snapshot(self, name: str, tags: Mapping[str, str]) -> list[str]:
        """Add or change tags of a snapshot; return the keys of the tags that were dropped, see `_call_with_tags`."""
        return _call_with_tags(partial(self._client.tag_resource, resourceName=name), tags)

    def find_snapshot(self, name: str) -> Snapshot | None:
        """Return the snapshot of this name, or None if there is none."""
        try:
            with translate_errors():
                answer = self._client.get_instance_snapshot(instanceSnapshotName=name)
        except NotFoundError:
            return None
        return _snapshot(answer["instanceSnapshot"], self.region)

    def snapshots(self) -> list[Snapshot]:
        """Return all instance snapshots of the Region, not only ours, as `Snapshot.compact` leaves them.

        If any page fails, this raises.
        """
        pages = _pages(self._client.get_instance_snapshots)
        return [_snapshot(raw, self.region).compact() for page in pages for raw in page.get("instanceSnapshots", [])]

    def delete_snapshot(self, name: str) -> None:
        """Delete the snapshot of this name. This cannot be undone."""
        with translate_errors():
            self._client.delete_instance_snapshot(instanceSnapshotName=name)

    def operations(self, name: str) -> Iterator[Operation]:
        """Return the operations on all resources that have or had this name; AWS does not document for how long."""
        with suppress(NotFoundError):
            for page in _pages(self._client.get_operations_for_resource, resourceName=name):
                yield from map(_operation, page.get("operations", []))


def _persist(call: Callable[..., Page], has_time: Callable[[], bool], **request: str) -> Page:
    """Make a call, and repeat it after a random time if a retry may help, as long as `has_time`, for ten minutes."""
    longest, waited = 1.0, 0.0
    while True:
        try:
            with translate_errors():
                return call(**request)
        except RetryableError:
            if waited > MAX_WAIT or not has_time():
                raise
        wait = random.uniform(0.2, longest)  # noqa: S311 - no secret
        time.sleep(wait)
        waited += wait
        longest = min(20.0, 2 * longest)


def _pages(call: Callable[..., Page], **request: str) -> Iterator[Page]:
    """Make a call, and repeat it for each further page.

    Raises RetryableError if Lightsail gives a page token twice: the list would never end, and would not be complete.
    """
    token, seen = "", {""}
    while True:
        with translate_errors():
            page = call(**request, **({"pageToken": token} if token else {}))
        yield page
        token = str(page.get("nextPageToken") or "")
        if not token:
            return
        if token in seen:
            raise RetryableError("RepeatedPageToken: Lightsail gave the same page token twice, so the list never ends")
        seen.add(token)


@cache
def lightsail(region: str) -> Lightsail:
    """Return the Lightsail of a Region, always the same object: making a client costs more than a call."""
    return Lightsail(region)


@cache
def single_attempt(region: str) -> Lightsail:
    """Return another Lightsail of a Region, always the same object, which leaves each retry to its caller."""
    return Lightsail(region, SINGLE_ATTEMPT)


@cache
def lightsail_regions() -> tuple[str, ...]:
    """Return all Regions that have Lightsail, as the SDK knows them; the account may not have enabled each."""
    return tuple(boto3.Session().get_available_regions("lightsail"))


def list_snapshots(regions: Iterable[str]) -> tuple[list[Snapshot], dict[str, AwsError]]:
    """Return all snapshots of these Regions, and the errors by Region. A Region with an error has none in the list."""
    listed: list[Snapshot] = []
    errors: dict[str, AwsError] = {}
    for region in regions:
        try:
            listed += lightsail(region).snapshots()
        except AwsError as error:
            errors[region] = error
    return listed, errors


def _tags(tags: Sequence["TagTypeDef"]) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in tags if "key" in tag}


def _api_tags(tags: Mapping[str, str]) -> list["TagTypeDef"]:
    return [{"key": key, "value": value} if value else {"key": key} for key, value in tags.items()]


def _call_with_tags(call: Callable[..., object], tags: Mapping[str, str]) -> list[str]:
    """Make a call with tags; if Lightsail rejects it, repeat it once without the tags that have no value.

    Returns the keys of the dropped tags. AWS documents tags without a value, but not that every operation takes them.
    """
    with_value = {key: value for key, value in tags.items() if value}
    try:
        with translate_errors():
            call(tags=_api_tags(tags))
    except RejectedError:
        if len(with_value) == len(tags):
            raise
        with translate_errors():
            call(tags=_api_tags(with_value))
        return [key for key in tags if key not in with_value]
    return []


def _instance(raw: "InstanceTypeDef") -> Instance:
    return Instance(
        name=raw["name"],
        arn=raw["arn"],
        tags=_tags(raw.get("tags", [])),
        created_at=raw["createdAt"],
        facts=read_instance(raw),
    )


def _snapshot(raw: "InstanceSnapshotTypeDef", region: str) -> Snapshot:
    return Snapshot(
        name=raw["name"],
        arn=raw["arn"],
        region=region,
        state=raw["state"],
        created_at=raw["createdAt"],
        instance_name=raw.get("fromInstanceName", ""),
        instance_arn=raw.get("fromInstanceArn", ""),
        bundle=raw.get("fromBundleId", ""),
        disks=tuple(
            AttachedDisk(disk.get("name", ""), disk.get("path", ""))
            for disk in raw.get("fromAttachedDisks", [])
            if not disk.get("isSystemDisk")
        ),
        tags=_tags(raw.get("tags", [])),
        size_in_gb=raw.get("sizeInGb", 0),
    )


def _operation(raw: "OperationTypeDef") -> Operation:
    return Operation(
        type=raw.get("operationType", ""),
        details=raw.get("operationDetails", ""),
        created_at=raw.get("createdAt", datetime.min.replace(tzinfo=UTC)),
        finished_at=raw.get("statusChangedAt") if raw.get("isTerminal") else None,
    )
