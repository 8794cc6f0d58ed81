"""Builders for the tests of `prune`: snapshots of many nights in the emulator, the event, and what is left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from lightsail_snapshots import prune
from lightsail_snapshots.aws.lightsail import Lightsail
from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.naming import our_tags
from local.lightsail.emulator import DEFAULT_ACCOUNT
from local.lightsail.region import Region
from local.lightsail.resources import InstanceSnapshot
from tests.support.events import requested
from tests.support.fake_aws import Context, FakeAws
from tests.support.snapshots import WEAKEST

NOW = datetime(2024, 6, 3, 12, tzinfo=UTC)  # a Monday, and long ago: no snapshot here is dated in the future
DAY = timedelta(days=1)
HOME, OTHER, AWAY = "us-east-1", "eu-central-1", "eu-west-1"
LAST_1: dict[str, Any] = {"name": "daily", "select": {"all": True}, "keep": {"last": 1}}


def region(aws: FakeAws, name: str = HOME) -> Region:
    return aws.emulator.region(name)


def seed(
    aws: FakeAws, days_ago: float, where: str = HOME, instance: str = "web-1", keep: str = WEAKEST, **more: Any
) -> str:
    """Put a snapshot of ours, as `create` would have made it then, into the emulator; return its name."""
    created_at = NOW - days_ago * DAY
    name = more.get("name", f"{instance}-{created_at:%Y%m%d}")
    fields: dict[str, Any] = {
        "name": name,
        "tags": our_tags(name, instance, plan="daily", keep=keep),
        "finishes_at": created_at,
        "from_instance_arn": f"arn:aws:lightsail:{where}:123456789012:Instance/{instance}",
    } | more
    made = InstanceSnapshot(
        region=where,
        account=DEFAULT_ACCOUNT,
        created_at=created_at,
        from_instance=instance,
        from_blueprint="wordpress",
        from_bundle="nano_3_0",
        **fields,
    )
    return region(aws, where).add(made).name


def nights(aws: FakeAws, count: int, where: str = HOME, instance: str = "web-1", keep: str = WEAKEST) -> list[str]:
    """Seed one snapshot for each of the last nights; return their names, newest first."""
    names = [seed(aws, night + 1, where, instance, keep) for night in reversed(range(count))]
    return names[::-1]


def seed_copy(aws: FakeAws, name: str) -> str:
    """Put the usable copy in AWAY of a snapshot in HOME into the emulator; return its name."""
    source = region(aws).snapshot(name)
    of = f"{HOME} {source.created_at:%Y-%m-%dT%H:%M:%SZ} {source.from_instance_arn}"
    return seed(aws, 0.5, AWAY, name=name, from_instance_arn="", tags={**source.tags, "copy-of": of})


def report_requested(*plans: dict[str, Any]) -> dict[str, Any]:
    """Build the request of the daily report."""
    event = prune_requested(*plans)
    event["detail"]["report"] = True
    return event


def prune_requested(*plans: dict[str, Any], **envelope: Any) -> dict[str, Any]:
    """Build a request of this moment, whose schedule meant it to run at NOW."""
    detail = {"plans": list(plans or [LAST_1]), "scheduledTime": NOW.isoformat()}
    kind = {"detail-type": "Prune Requested", "source": SOURCE, "id": "prune-1", "time": datetime.now(UTC).isoformat()}
    return requested(detail, **(kind | envelope))


def run(event: Any, remaining_seconds: float = 900) -> dict[str, Any]:
    answer: dict[str, Any] = prune.handler(event, Context(remaining_seconds))
    return answer


def left(aws: FakeAws, where: str = HOME) -> set[str]:
    return {one.name for one in region(aws, where).resources_of_type(InstanceSnapshot)}


def line(aws: FakeAws, start: str) -> dict[str, Any]:
    """Return the one log line whose message starts so."""
    [only] = [each for each in aws.logs() if each["message"].startswith(start)]
    return only


@contextmanager
def after_listing(change: Callable[[], object]) -> Iterator[None]:
    """Let somebody do something between the last listing and the first deletion."""
    real = Lightsail.snapshots

    def listed(self: Lightsail) -> Any:
        found = real(self)
        if self.region == prune.settings.all_regions[-1]:
            change()
        return found

    with patch.object(Lightsail, "snapshots", listed):
        yield
