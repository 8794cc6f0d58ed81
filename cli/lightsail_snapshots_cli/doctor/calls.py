"""One Region of Lightsail as `doctor` uses it. Everything that it makes is remembered before it is asked for."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import boto3
from botocore.config import Config

from lightsail_snapshots.aws.errors import AccessDeniedError, NotFoundError, translate_errors
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.doctor.attempt import SECONDS_BETWEEN_ATTEMPTS, Attempt, DeniedError, attempt, persist
from lightsail_snapshots_cli.doctor.names import TAGS
from lightsail_snapshots_cli.errors import missing_action

CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 1})
"""A repeated call must be ours, and not the SDK's: its answer would be about the first attempt."""
INSTANCE, SNAPSHOT = "instance", "snapshot"


class Resource(NamedTuple):
    """Something that `doctor` made, or may have made."""

    kind: str
    """INSTANCE or SNAPSHOT."""
    region: str
    name: str

    def __str__(self) -> str:
        return f"the {self.kind} {self.name} in {self.region}"


class Found(NamedTuple):
    """A resource as Lightsail shows it."""

    raw: Mapping[str, Any]

    @property
    def tags(self) -> Mapping[str, str]:
        return {tag.get("key", ""): tag.get("value", "") for tag in self.raw.get("tags", [])}

    @property
    def state(self) -> str:
        """Of an instance or of a snapshot."""
        state = self.raw.get("state", "")
        return str(state if isinstance(state, str) else state.get("name", ""))


class Calls:
    """One Region."""

    def __init__(self, region: str) -> None:
        """Make the client; this does not call AWS."""
        self.region = region
        self.client: Any = boto3.client("lightsail", region_name=region, config=CONFIG)
        self.made: list[Resource] = []
        """What may be there: asked for, and not rejected."""

    def create(
        self,
        kind: str,
        name: str,
        call: Callable[[], object],
        *,
        persist_seconds: float = 0,
        may_be_denied: bool = False,
    ) -> Attempt:
        """Make a call that makes something."""
        resource = Resource(kind, self.region, name)
        self.made.append(resource)
        made = persist(call, persist_seconds, may_be_denied=may_be_denied)
        if not made.is_accepted:
            self.made.remove(resource)
        return made

    def create_snapshot(
        self, name: str, instance: str, extra_tags: Sequence[dict[str, str]] = (), *, persist_seconds: float = 0
    ) -> Attempt:
        """Request a snapshot with our tag."""
        call = partial(
            self.client.create_instance_snapshot,
            instanceSnapshotName=name,
            instanceName=instance,
            tags=[*api_tags(), *extra_tags],
        )
        return self.create(SNAPSHOT, name, call, persist_seconds=persist_seconds)

    def tag(self, name: str, *, persist_seconds: float = 0) -> Attempt:
        """Put our tag on a snapshot."""
        return persist(partial(self.client.tag_resource, resourceName=name, tags=api_tags()), persist_seconds)

    def delete(self, resource: Resource, *, persist_seconds: float = 0) -> Attempt:
        """Delete something; that it is gone already is no error."""
        if resource.kind == INSTANCE:
            call = partial(self.client.delete_instance, instanceName=resource.name)
        else:
            call = partial(self.client.delete_instance_snapshot, instanceSnapshotName=resource.name)
        made = persist(call, persist_seconds)
        is_gone = isinstance(made.error, NotFoundError)
        if (made.is_accepted or is_gone) and resource in self.made:
            self.made.remove(resource)
        return Attempt() if is_gone else made

    def delete_snapshot(self, name: str) -> Attempt:
        """Try to delete a snapshot; the cleanup tries again."""
        return self.delete(Resource(SNAPSHOT, self.region, name))

    def find(self, resource: Resource) -> Found | None:
        return self.find_instance(resource.name) if resource.kind == INSTANCE else self.find_snapshot(resource.name)

    def find_instance(self, name: str) -> Found | None:
        answer = self._read(partial(self.client.get_instance, instanceName=name))
        return Found(answer["instance"]) if answer else None

    def find_snapshot(self, name: str) -> Found | None:
        answer = self._read(partial(self.client.get_instance_snapshot, instanceSnapshotName=name))
        return Found(answer["instanceSnapshot"]) if answer else None

    def operations(self, name: str) -> list[dict[str, Any]]:
        """Return the first page of the operations on all resources that have or had this name."""
        answer = self._read(partial(self.client.get_operations_for_resource, resourceName=name))
        return list(answer["operations"]) if answer else []

    def read(self, call: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return the answer of a call that reads. Raises AwsError or DeniedError."""
        answer = self._read(call)
        if answer is None:
            raise NotFoundError(f"NotFoundException: {call}")
        return answer

    def _read(self, call: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any] | None:
        answers: list[Mapping[str, Any]] = []
        made = attempt(lambda: answers.append(call()))
        if isinstance(made.error, NotFoundError):
            return None
        if made.error:
            raise made.error
        return answers[-1]

    def wait(self, look: Callable[[], bool], seconds: float, what: str) -> float:
        """Wait until it is so, and return how many seconds that took. Raises NotYetError."""
        start = clock.monotonic()
        while not look():
            if clock.monotonic() >= start + seconds:
                raise NotYetError(f"{what} within {seconds:.0f} seconds")
            clock.sleep(SECONDS_BETWEEN_ATTEMPTS)
        return clock.monotonic() - start


class NotYetError(Exception):
    """Raised if something did not happen in time, or what a check needs is not there; the text says what."""


def api_tags() -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in TAGS.items()]


def read_anywhere(call: Callable[[], Any]) -> Any:
    """Return the answer of a call to another service. Raises AwsError or DeniedError."""
    try:
        with translate_errors():
            return call()
    except AccessDeniedError as error:
        raise DeniedError(missing_action(error)) from error
