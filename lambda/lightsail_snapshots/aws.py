"""The one module that touches botocore: Lightsail, the event bus, and what can go wrong with either.

Every botocore exception leaves here as one of these:

    AwsError
    ├── NotFoundError        there is no such resource in this Region
    ├── NameInUseError       some resource of the Region, of whatever type, has this name
    ├── AccessDeniedError    the role may not do this
    ├── RefusedError         the request can never succeed as it stands
    └── TryLaterError        everything else: busy, throttled, 5xx, timeout, being set up, and what nobody knows yet
        └── NotAllPutError   the bus refused some of the events of one call
"""

import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache, cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from lightsail_snapshots.instance import Instance
from lightsail_snapshots.outcome import SOURCE
from lightsail_snapshots.snapshot import Snapshot

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_lightsail import LightsailClient
    from mypy_boto3_lightsail.type_defs import InstanceSnapshotTypeDef, OperationTypeDef, TagTypeDef

Page = TypeVar("Page", bound=Mapping[str, object])

OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "events": ("PutEvents",),
    "lightsail": (
        "CopySnapshot",
        "CreateInstanceSnapshot",
        "DeleteInstanceSnapshot",
        "GetInstance",
        "GetInstanceSnapshot",
        "GetInstanceSnapshots",
        "GetInstances",
        "GetOperationsForResource",
        "TagResource",
    ),
}
"""All that is called here, by service: the bundled service models are trimmed to it."""

MAX_ENTRIES = 10
"""Entries of one call: EventBridge API reference, PutEvents."""
PUT_ATTEMPTS = 5
"""How often an entry that the bus refuses is put in one invocation: within three seconds."""

LONGEST_CALL = 16.0
"""Seconds that one call may take: two attempts of 2 s to connect and 5 s to be answered, and the wait between them."""

# botocore tells at INFO, in each cold start, where it found its credentials: not what a log of ours is read for.
logging.getLogger("botocore").setLevel(logging.WARNING)

# Explicit, because botocore's defaults differ between versions (legacy or standard mode) and wait a minute for an
# answer. A second attempt after a lost answer is harmless: the snapshot's name makes the repeat visible.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})


class AwsError(Exception):
    """Base of what AWS answers; the text begins with AWS's own error code."""


class NotFoundError(AwsError):
    """Raised when there is no such resource in this Region."""


class NameInUseError(AwsError):
    """Raised when some resource of the Region, of whatever type, has this name."""


class AccessDeniedError(AwsError):
    """Raised when the role may not do this."""


class RefusedError(AwsError):
    """Raised when the request can never succeed as it stands."""


class TryLaterError(AwsError):
    """Raised when the same request may succeed later; also for an error that is not known, so that it is not lost."""


class NotAllPutError(TryLaterError):
    """Raised when the bus took a call and refused some of its entries, whose places are in `refused`."""

    def __init__(self, text: str, refused: Sequence[int]) -> None:
        """Keep the places of the entries."""
        super().__init__(text)
        self.refused = tuple(refused)


class Operation(NamedTuple):
    """Something that was done to a resource, by whomever."""

    type: str
    """Not always in the service model's enum: `CopySnapshot` is not."""
    details: str
    created_at: datetime


@cache
def _session() -> Session:
    """Return botocore's own session: boto3 adds S3 transfers and resources to it, and a tenth to a cold start."""
    return Session()


def _client(service: str, region: str) -> BaseClient:
    return _session().create_client(service, region_name=region, config=_CONFIG)


class Lightsail:
    """Amazon Lightsail in one Region."""

    def __init__(self, region: str) -> None:
        """Make the client; this calls nothing."""
        self.region = region
        self._client = cast("LightsailClient", _client("lightsail", region))

    def instance_tags(self, instance_name: str) -> dict[str, str]:
        """Return the tags of an instance; a key-only tag has an empty value."""
        with _our_errors():
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
        with _our_errors():
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
            with _our_errors():
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
        with _our_errors():
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
        with _our_errors():
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


class EventBus:
    """The event bus that requests and outcomes are put on, all in our name."""

    def __init__(self, name: str, region: str) -> None:
        """Remember which bus it is; this calls nothing."""
        self._name = name
        self._region = region

    @cached_property
    def _client(self) -> "EventBridgeClient":
        """Made when something is put: most invocations of `create`, its cold starts above all, have nothing to tell."""
        return cast("EventBridgeClient", _client("events", self._region))

    def put(self, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()) -> None:
        """Put one event on the bus; raise TryLaterError where the bus did not take it."""
        self._put([self._entry(detail_type, detail, resources)])

    def put_all(self, detail_type: str, details: Iterable[Mapping[str, Any]]) -> None:
        """Put an event for each detail, MAX_ENTRIES in a call; raise TryLaterError where the bus did not take them all.

        What it refuses is put again, alone, up to PUT_ATTEMPTS times. Ten entries have room enough: the largest
        request, with 45 tags of 384 characters of four bytes each, has less than a tenth of the 1 MB of a call.
        """
        entries = (self._entry(detail_type, detail) for detail in details)
        while left := list(islice(entries, MAX_ENTRIES)):
            self._put_again_and_again(left)

    def _put_again_and_again(self, left: "list[PutEventsRequestEntryTypeDef]") -> None:
        for attempt in range(1, PUT_ATTEMPTS):
            try:
                return self._put(left)
            except NotAllPutError as error:
                left = [left[index] for index in error.refused]
            time.sleep(0.1 * 2**attempt)
        return self._put(left)

    def _put(self, entries: "list[PutEventsRequestEntryTypeDef]") -> None:
        with _our_errors():
            answer = self._client.put_events(Entries=entries)
        # PutEvents answers 200 also where it refused an entry.
        refused = [index for index, entry in enumerate(answer["Entries"]) if entry.get("ErrorCode")]
        if refused:
            first = answer["Entries"][refused[0]]
            raise NotAllPutError(f"{first.get('ErrorCode')}: {first.get('ErrorMessage')} (PutEvents)", refused)

    def _entry(
        self, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()
    ) -> "PutEventsRequestEntryTypeDef":
        return {
            "Source": SOURCE,
            "DetailType": detail_type,
            "Detail": json.dumps(detail, ensure_ascii=False),
            "Resources": list(resources),
            "EventBusName": self._name,
        }


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
        with _our_errors():
            call(tags=_api_tags(tags))
    except RefusedError:
        if len(with_value) == len(tags):
            raise
        with _our_errors():
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


@contextmanager
def _our_errors() -> Iterator[None]:
    """Turn what botocore raises into ours: ClientError and BotoCoreError are not related, nor is a parser's error."""
    try:
        yield
    except ClientError as error:
        raise _from_answer(error) from error
    except ParamValidationError as error:
        raise RefusedError(f"ParamValidation: {error}") from error
    except (BotoCoreError, ResponseParserError) as error:
        raise TryLaterError(f"{type(error).__name__}: {error}") from error


# Told apart by name, sub-code and text, never by HTTP status: AWS's own documents disagree about that.
_ACCESS_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
# What Lightsail says of an instance that is not ready is not documented: words that stand alone, and not in a name.
_BUSY = re.compile(
    r"please try again|please wait|in a few minutes|automatic snapshot is being created"
    r"|(?<![\w.-])(?:state|pending|starting|stopping|rebooting|in progress)(?![\w-])"
)


def _from_answer(error: ClientError) -> AwsError:
    code = error.response["Error"].get("Code", "")
    text = error.response["Error"].get("Message", "")
    # Lightsail puts its sub-code beside Error, at the top level of the answer.
    sub_code = str(error.response.get("code") or "")
    kind = _kind(code, sub_code, text.lower())
    return kind(f"{code}{'/' if sub_code else ''}{sub_code}: {text} ({error.operation_name})")


def _kind(code: str, sub_code: str, text: str) -> type[AwsError]:
    if code in _ACCESS_DENIED:
        return AccessDeniedError
    if code == "NotFoundException" or "doesnotexist" in f"{code} {sub_code} {text}".lower().replace(" ", ""):
        return NotFoundError
    if code == "InvalidInputException":
        if sub_code == "NameExists" or "already in use" in text:
            return NameInUseError
        if _BUSY.search(text):
            return TryLaterError
        return RefusedError
    return TryLaterError
