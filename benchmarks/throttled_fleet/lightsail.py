"""A model of Lightsail: some instances, and an allowance of calls that refills at some rate."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.awsrequest import AWSResponse

from benchmarks.throttled_fleet.timeline import Timeline

if TYPE_CHECKING:
    from mypy_boto3_lightsail import LightsailClient

START = datetime(2026, 11, 23, 3, 15, tzinfo=UTC)
PAGE = 20
CALL_SECONDS = 0.15


@dataclass
class Bucket:
    """Lightsail's allowance of calls."""

    rate: float
    burst: float
    at: float
    left: float = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.burst

    def take(self, now: float) -> bool:
        """Take one call, if there is one."""
        self.left, self.at = min(self.burst, self.left + self.rate * (now - self.at)), now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Made(NamedTuple):
    """A snapshot."""

    instance: str
    at: float
    tags: list[dict[str, str]]


@dataclass
class LightsailModel:
    """Lightsail in one Region."""

    timeline: Timeline
    random: Random
    instances: int
    rate: float
    """Calls per second."""
    burst: float
    is_one_bucket: bool
    """Else there is one for each operation."""
    snapshot_seconds: float = 60.0
    made: dict[str, Made] = field(default_factory=dict)
    """By name."""
    calls: Counter[str] = field(default_factory=Counter)
    """Those that were not throttled, by operation."""
    throttled: int = 0
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    def answer_directly(self, client: "LightsailClient") -> None:
        """Let a client ask this model instead of making requests: thirty times faster, with the same outcome."""
        spied: Any = client

        def call(operation: str, request: Mapping[str, Any]) -> Any:
            status, answer = self._call(operation, request)
            is_error = status >= 300
            parsed = {"Error": {"Code": answer["__type"], "Message": answer["message"]}} if is_error else answer
            event = f"after-call.lightsail.{operation}"
            spied.meta.events.emit(event, http_response=None, parsed=parsed, model=None, context={})
            if is_error:
                raise spied.exceptions.from_code(answer["__type"])(parsed, operation)
            return parsed

        spied._make_api_call = call  # where the SDK's clients meet all of their operations

    def answer_requests(self, client: "LightsailClient") -> None:
        """Answer the HTTP requests of a client, so that the SDK's own retries take place."""

        def send(request: Any, **_: object) -> AWSResponse:
            operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
            status, answer = self._call(operation, json.loads(request.body))
            headers: Any = {}
            body = json.dumps(answer, default=datetime.timestamp).encode()
            return AWSResponse(request.url, status, headers, _Body(body))

        handler: Any = send  # the stubs want handlers without an answer
        client.meta.events.register("before-send.lightsail", handler)

    def _call(self, operation: str, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer a call after some time."""
        now = self.timeline.now
        name = "all" if self.is_one_bucket else operation
        bucket = self._buckets.setdefault(name, Bucket(self.rate, self.burst, now))
        is_taken = bucket.take(now)
        if is_taken:
            self.calls[operation] += 1
            answer: tuple[int, dict[str, Any]] = getattr(self, f"_{operation}")(request)
        else:
            self.throttled += 1
            answer = 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}
        self.timeline.wait(CALL_SECONDS * self.random.uniform(0.7, 1.3) / (1 if is_taken else 3))
        return answer

    def _GetInstances(self, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:  # noqa: N802 - the operation's
        page = int(request.get("pageToken", 0))
        end = (page + 1) * PAGE
        listed = [_instance(f"web-{number}") for number in range(page * PAGE, min(self.instances, end))]
        return 200, {"instances": listed} | ({"nextPageToken": str(page + 1)} if end < self.instances else {})

    def _GetInstance(self, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:  # noqa: N802
        return 200, {"instance": _instance(request["instanceName"])}

    def _CreateInstanceSnapshot(self, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:  # noqa: N802
        name = request["instanceSnapshotName"]
        if name in self.made:
            text = f"Some names are already in use: {name}"
            return 400, {"__type": "InvalidInputException", "message": text, "code": "NameExists"}
        self.made[name] = Made(request["instanceName"], self.timeline.now, request.get("tags", []))
        return 200, {"operations": []}

    def _GetInstanceSnapshot(self, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:  # noqa: N802
        name = request["instanceSnapshotName"]
        if name not in self.made:
            return 404, {"__type": "NotFoundException", "message": "It does not exist."}
        made = self.made[name]
        is_available = self.timeline.now >= made.at + self.snapshot_seconds
        snapshot = {
            "name": name,
            "arn": f"arn:snapshot:{name}",
            "state": "available" if is_available else "pending",
            "createdAt": START + timedelta(seconds=made.at),
            "fromInstanceName": made.instance,
            "fromInstanceArn": f"arn:{made.instance}",
            "tags": made.tags,
        }
        return 200, {"instanceSnapshot": snapshot}


def _instance(name: str) -> dict[str, Any]:
    return {"name": name, "arn": f"arn:{name}", "createdAt": START, "tags": []}


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        """Yield it."""
        yield self._content
