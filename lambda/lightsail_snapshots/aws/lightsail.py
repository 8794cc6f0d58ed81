"""Amazon Lightsail, one Region at a time."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from lightsail_snapshots.aws.client import client
from lightsail_snapshots.aws.errors import AwsError, NotFoundError, RefusedError, translate_errors
from lightsail_snapshots.instance import Instance
from lightsail_snapshots.snapshot import Snapshot

if TYPE_CHECKING:
    from mypy_boto3_lightsail import LightsailClient
    from mypy_boto3_lightsail.type_defs import InstanceSnapshotTypeDef, OperationTypeDef, TagTypeDef

Page = TypeVar("Page", bound=Mapping[str, object])


class Operation(NamedTuple):
    """Something that was done to a resource, by whomever."""

    type: str
    """Not always in the service model's enum: `CopySnapshot` is not."""
    details: str
    created_at: datetime


class Lightsail:
    """Amazon Lightsail in one Region."""

    def __init__(self, region: str) -> None:
        """Make the client; this calls nothing."""
        self.region = region
        self._client = cast("LightsailClient", client("lightsail", region))

    def instance_tags(self, instance_name: str) -> dict[str, str]:
        """Return the tags of an instance; a key-only tag has an empty value."""
        with translate_errors():
            instance = self._client.get_instance(instanceName=instance_name)["instance"]
        return _tags(instance.get("tags", []))

    def instances(self) -> Iterator[list[Instance]]:
        """Return all instances, a page for each call; how many a page holds is Lightsail's choice."""
        for page in _pages(self._client.get_instances):
            yield [
                Instance(name=raw["name"], arn=raw["arn"], tags=_tags(raw.get("tags", [])), created_at=raw["createdAt"])
                for raw in page.get("instances", [])
            ]

    def create_snapshot(self, name: str, instance_name: str, tags: Mapping[str, str]) -> list[str]:
        """Ask for a snapshot; return the keys of tags that were left out, see `_tagged`.

        That it is accepted does not make it usable: see `find_snapshot`.
        """
        call = partial(self._client.create_instance_snapshot, instanceSnapshotName=name, instanceName=instance_name)
        return _tagged(call, tags)

    def copy_snapshot(self, name: str, source_region: str) -> None:
        """Ask for a copy, here and under the same name, of another Region's snapshot; it can be given no tags."""
        with translate_errors():
            self._client.copy_snapshot(
                # A text as good as any: the stubs know only the Regions of their own day.
                sourceRegion=source_region,  # type: ignore[arg-type]
                sourceSnapshotName=name,
                targetSnapshotName=name,
            )

    def tag_snapshot(self, name: str, tags: Mapping[str, str]) -> list[str]:
        """Add tags to the snapshot of this name, or change them; return the keys of those left out, see `_tagged`."""
        return _tagged(partial(self._client.tag_resource, resourceName=name), tags)

    def find_snapshot(self, name: str) -> Snapshot | None:
        """Return the snapshot of this name, or None where there is none."""
        try:
            with translate_errors():
                answer = self._client.get_instance_snapshot(instanceSnapshotName=name)
        except NotFoundError:
            return None
        return _snapshot(answer["instanceSnapshot"], self.region)

    def snapshots(self) -> list[Snapshot]:
        """Return all instance snapshots of the Region, whoever made them: all or, where any page fails, none."""
        pages = _pages(self._client.get_instance_snapshots)
        return [_snapshot(raw, self.region) for page in pages for raw in page.get("instanceSnapshots", [])]

    def delete_snapshot(self, name: str) -> None:
        """Delete the snapshot of this name, for good."""
        with translate_errors():
            self._client.delete_instance_snapshot(instanceSnapshotName=name)

    def operations(self, name: str) -> Iterator[Operation]:
        """Return what was done to whatever has, or had, this name; how far back it goes is not documented."""
        with suppress(NotFoundError):
            for page in _pages(self._client.get_operations_for_resource, resourceName=name):
                yield from map(_operation, page.get("operations", []))


def _pages(call: Callable[..., Page], **request: str) -> Iterator[Page]:
    """Make a call, and make it again for the next page as long as there is one."""
    token: object = None
    while token != "":
        with translate_errors():
            page = call(**request, **({"pageToken": token} if token else {}))
        yield page
        token = page.get("nextPageToken", "")


@cache
def lightsail(region: str) -> Lightsail:
    """Return the Lightsail of a Region, always the same one: making a client costs more than a call."""
    return Lightsail(region)


def list_snapshots(regions: Iterable[str]) -> tuple[list[Snapshot], dict[str, AwsError]]:
    """Return all snapshots of these Regions, and by Region what went wrong: the list has nothing of such a one."""
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


def _tagged(call: Callable[..., object], tags: Mapping[str, str]) -> list[str]:
    """Make a call with tags; where Lightsail refuses it, once more without those that are a key alone.

    Returns the keys that were left out. That Lightsail takes such a tag is documented, and not for each operation.
    """
    with_value = {key: value for key, value in tags.items() if value}
    try:
        with translate_errors():
            call(tags=_api_tags(tags))
    except RefusedError:
        if len(with_value) == len(tags):
            raise
        with translate_errors():
            call(tags=_api_tags(with_value))
        return [key for key in tags if key not in with_value]
    return []


def _snapshot(raw: "InstanceSnapshotTypeDef", region: str) -> Snapshot:
    return Snapshot(
        name=raw["name"],
        arn=raw["arn"],
        region=region,
        state=raw["state"],
        created_at=raw["createdAt"],
        instance_name=raw.get("fromInstanceName", ""),
        instance_arn=raw.get("fromInstanceArn", ""),
        tags=_tags(raw.get("tags", [])),
    )


def _operation(raw: "OperationTypeDef") -> Operation:
    return Operation(
        type=raw.get("operationType", ""),
        details=raw.get("operationDetails", ""),
        created_at=raw.get("createdAt", datetime.min.replace(tzinfo=UTC)),
    )
