"""The clones that restore drills make, in one Region of Lightsail."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from lightsail_snapshots.aws.errors import NotFoundError, RetryableError, translate_errors
from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots.naming import DRILL_UNTIL_KEY, is_drill
from lightsail_snapshots.reader import read_instant
from lightsail_snapshots.restore_plan import Bundle

if TYPE_CHECKING:
    from mypy_boto3_lightsail.type_defs import InstanceTypeDef

MAX_PAGES = 20
"""Of bundles: Lightsail has some 70."""


class OpenPort(NamedTuple):
    """One rule of a firewall, without its sources."""

    first: int
    last: int
    protocol: str

    def as_port_info(self) -> dict[str, Any]:
        return {"fromPort": self.first, "toPort": self.last, "protocol": self.protocol}


class Clone(NamedTuple):
    """An instance that has the name of a clone."""

    name: str
    state: str
    created_at: datetime
    address: str
    """Public; empty if it has none yet."""
    bundle: str
    tags: Mapping[str, str]
    ports: tuple[OpenPort, ...]

    @property
    def is_ours(self) -> bool:
        return is_drill(self.tags)

    @property
    def until(self) -> datetime:
        """When it must be gone; a clone whose tag cannot be read should not be there at all."""
        try:
            return read_instant(self.tags.get(DRILL_UNTIL_KEY, ""))
        except ValueError:
            return self.created_at

    def kept_until(self, seconds: int, keep_for: timedelta) -> datetime:
        """Return until when a person can look at it, if its verdict came after so many seconds."""
        return min(self.until, self.created_at + timedelta(seconds=seconds) + keep_for)


class Clones:
    """The clones of one Region. Each method raises AwsError."""

    def __init__(self, region: str) -> None:
        """Take the client of the Region; this does not call AWS."""
        self._client = lightsail(region).client

    def find(self, name: str) -> Clone | None:
        """Return the instance of this name, of any owner."""
        try:
            with translate_errors():
                return _clone(self._client.get_instance(instanceName=name)["instance"])
        except NotFoundError:
            return None

    def create(self, request: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Request an instance of a snapshot."""
        with translate_errors():
            self._client.create_instances_from_snapshot(
                **request, tags=[{"key": key, "value": value} for key, value in tags.items()]
            )

    def close_port(self, name: str, port: OpenPort) -> None:
        with translate_errors():
            self._client.close_instance_public_ports(instanceName=name, portInfo=port.as_port_info())  # type: ignore[arg-type]  # a dict

    def open_port(self, name: str, port: OpenPort) -> None:
        with translate_errors():
            self._client.open_instance_public_ports(instanceName=name, portInfo=port.as_port_info())  # type: ignore[arg-type]  # a dict

    def delete(self, name: str) -> None:
        """Delete an instance; it is no error if it is gone."""
        try:
            with translate_errors():
                self._client.delete_instance(instanceName=name)
        except NotFoundError:
            return

    def healthy_at(self, clone: Clone, now: datetime) -> datetime | None:
        """Return when the status checks of a clone first passed; None if the last one did not, or there is none."""
        with translate_errors():
            answer = self._client.get_instance_metric_data(
                instanceName=clone.name,
                metricName="StatusCheckFailed",
                period=60,
                startTime=clone.created_at,
                endTime=max(now, clone.created_at + timedelta(minutes=1)),
                unit="Count",
                statistics=["Maximum"],
            )
        points = sorted((each["timestamp"], each.get("maximum", 1)) for each in answer.get("metricData", []))
        if not points or points[-1][1] > 0:
            return None
        return next(at for at, failed in points if not failed)

    def bundles(self) -> dict[str, Bundle]:
        """Return all bundles, with those that are no longer offered."""
        found: dict[str, Bundle] = {}
        token = ""
        for _ in range(MAX_PAGES):
            with translate_errors():
                more = {"pageToken": token} if token else {}
                page = self._client.get_bundles(includeInactive=True, **more)  # type: ignore[arg-type]  # a dict
            found |= {bundle.id: bundle for bundle in map(Bundle.of, page.get("bundles", []))}
            token = page.get("nextPageToken", "")
            if not token:
                return found
        raise RetryableError("RepeatedPageToken: the list of bundles does not end")


def _clone(raw: "InstanceTypeDef") -> Clone:
    rules = raw.get("networking", {}).get("ports", [])
    return Clone(
        name=raw["name"],
        state=raw.get("state", {}).get("name", ""),
        created_at=raw["createdAt"],
        address=raw.get("publicIpAddress", "") or next(iter(raw.get("ipv6Addresses", [])), ""),
        bundle=raw.get("bundleId", ""),
        tags={tag.get("key", ""): tag.get("value", "") for tag in raw.get("tags", [])},
        ports=tuple(
            OpenPort(each.get("fromPort", 0), each.get("toPort", 65535), each.get("protocol", "all")) for each in rules
        ),
    )
