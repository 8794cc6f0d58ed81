"""Two other tools under the same throttle, each a function that Lambda runs on a schedule: loops of our own.

They make the calls of the originals in the same order, with the same client of the SDK and its default retries, for as
long as Lambda lets a function run. Lambda runs a function that failed twice more; both tools then begin anew, with new
names. The code of the originals, run against the same model, made and doubled the same numbers of snapshots:

- amazon-archives/lightsail-auto-snapshots at 9882d15, also in its forks: page after page, and each instance of a page;
- dxdxdt/lightsnap at c15319e: each instance that its configuration names.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal
from unittest.mock import patch

import benchmarks.environment  # noqa: F401 - the SDK reads it

# isort: split
import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.throttled_fleet.lightsail import LightsailModel
from benchmarks.throttled_fleet.timeline import Timeline

if TYPE_CHECKING:
    from mypy_boto3_lightsail import LightsailClient

TIMEOUT = 900.0
"""Seconds that Lambda lets a function run, at most. The tools' own documents set 60 and 300."""
PAUSES = (60.0, 120.0)
"""Seconds until Lambda runs a failed function again: twice (Lambda developer guide, "Error handling")."""
Retries = Literal["legacy", "standard"]
"""The SDK's default: five attempts until 2026, three since."""
Peer = Callable[["LightsailClient", Callable[[], int]], None]


def auto_snapshots(client: "LightsailClient", milliseconds: Callable[[], int]) -> None:
    """Work as lightsail-auto-snapshots does."""
    for page in client.get_paginator("get_instances").paginate():
        for instance in page["instances"]:
            name = instance["name"]
            client.create_instance_snapshot(instanceName=name, instanceSnapshotName=f"{name}-{milliseconds()}")


def lightsnap(client: "LightsailClient", milliseconds: Callable[[], int], *, instances: int) -> None:
    """Work as lightsnap does."""
    for number in range(instances):
        name = f"web-{number}"
        client.create_instance_snapshot(instanceSnapshotName=f"{name}-{milliseconds()}", instanceName=name)


@dataclass(frozen=True)
class PeerResult:
    """What became of a fleet."""

    lost: int
    """Instances without a snapshot after one invocation."""
    seconds: float
    """Of the first invocation."""
    doubled: int
    """Snapshots too many when Lambda has run it for the last time."""


class _TimeIsUpError(BaseException):
    """Lambda has ended the invocation; no `except Exception` of the SDK catches it."""


def run_peer(peer: Peer, instances: int, rate: float, retries: Retries = "legacy", seed: int = 1) -> PeerResult:
    """Let a tool run in Lambda."""
    timeline = Timeline()
    chance = random.Random(seed)  # noqa: S311 - no secret
    model = LightsailModel(timeline, chance, instances, rate, 2 * rate, is_one_bucket=True)
    client = boto3.client(
        "lightsail", "us-east-1", config=Config(retries={"mode": retries}, signature_version=UNSIGNED)
    )
    model.answer_requests(client)
    firsts: list[tuple[int, float]] = []

    def invoke(pauses: Iterator[float]) -> None:
        began = timeline.now
        with _ending_at(client, timeline, began + TIMEOUT):
            try:
                peer(client, lambda: int(1000 * timeline.now))
                is_done = True
            except (ClientError, _TimeIsUpError):
                is_done = False
        firsts.append((len(model.made), timeline.now - began))
        if not is_done and (pause := next(pauses, None)):
            timeline.wait(pause)
            invoke(pauses)

    random.seed(seed)  # the SDK's waits
    timeline.start(partial(invoke, iter(PAUSES)))
    with patch("time.sleep", timeline.sleep):
        timeline.run()
    made, seconds = firsts[0]
    doubled = len(model.made) - len({snapshot.instance for snapshot in model.made.values()})
    return PeerResult(lost=instances - made, seconds=seconds, doubled=doubled)


@contextmanager
def _ending_at(client: "LightsailClient", timeline: Timeline, end: float) -> Iterator[None]:
    def check(**_: object) -> None:
        if timeline.now >= end:
            raise _TimeIsUpError

    events = client.meta.events
    events.register_first("before-send.lightsail", check)
    try:
        yield
    finally:
        events.unregister("before-send.lightsail", check)
