"""A drill that is killed after, before or during any of its calls leaves nothing behind, and ends in one verdict."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest

from lightsail_snapshots import drill
from lightsail_snapshots.aws.event_bus import EventBus
from local.lightsail.emulator import Emulator
from tests.support.direct_lightsail import direct_lightsail
from tests.support.drills import (
    SNAPSHOT,
    STEP,
    clones,
    drill_request,
    finish,
    instances,
    run_request,
    snapshot_tags,
    take_snapshot,
)
from tests.support.events import message
from tests.support.fake_aws import FakeAws, client, fake_aws, make_instance

OTHERS = {"drill-web-1": {"team": "web"}, "drill-of-mine": {"drill-of": "web-1"}, "web-2": {"managed-by": "terraform"}}
"""Instances that look like clones, and are none."""
PORTS = [80, 22, 443]


class KilledError(BaseException):
    """What Lambda does at a timeout: no `except` of the function sees it."""


@contextmanager
def killed(at: int, *, after: bool) -> Iterator[None]:
    """Kill the function at its n-th call of AWS, before or after AWS has handled it; calls count from 0."""
    calls = count()

    def kill(real: Callable[..., Any], *arguments: Any) -> Any:
        is_last = next(calls) == at
        if is_last and not after:
            raise KilledError
        answer = real(*arguments)
        if is_last:
            raise KilledError
        return answer

    handle, put = Emulator.handle, EventBus._put
    with (
        patch.object(Emulator, "handle", lambda *arguments: kill(handle, *arguments)),
        patch.object(EventBus, "_put", lambda *arguments: kill(put, *arguments)),
    ):
        yield


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with fake_aws(drill.handler) as here, direct_lightsail(here.emulator):
        yield here


def prepare(aws: FakeAws) -> dict[str, Any]:
    """Make web-1 with its snapshot, and the others; return what all instances are."""
    aws.emulator.reset()
    aws.emulator.settings.instance_seconds = 0
    make_instance()
    for name, tags in OTHERS.items():
        make_instance(name, tags=tags)
    take_snapshot(aws)
    aws.emulator.settings.instance_seconds = 45
    aws.emulator.settings.status_check_seconds = 45
    return state()


def state() -> dict[str, Any]:
    lightsail = client("lightsail")
    return {
        name: (tags, [port["fromPort"] for port in lightsail.get_instance_port_states(instanceName=name)["portStates"]])
        for name, tags in instances().items()
    }


def deliver_and_kill(aws: FakeAws, event: dict[str, Any], kills: dict[int, tuple[int, bool]]) -> None:
    """Deliver a request until it is done; `kills` says at which delivery it is killed, at which call, and when."""
    first_at = aws.emulator.clock.now()
    for attempt in range(1, 400):
        record = message(event, attempt, first_at=first_at)
        try:
            if attempt in kills:
                at, after = kills[attempt]
                with killed(at, after=after):
                    left = aws.deliver(record)
            else:
                left = aws.deliver(record)
            if not left:
                return
        except KilledError:
            pass
        aws.emulator.clock.advance(STEP.total_seconds())
    raise AssertionError("never done")


def check(aws: FakeAws, before: dict[str, Any], why: object, expected: str = "Passed") -> None:
    """Check that there is the one verdict, though perhaps told twice, and that the other instances are as before."""
    told = {(each["detail-type"], each["detail"].get("reason", "Passed")) for each in aws.events()}
    kind = "Passed" if expected == "Passed" else "Failed"
    assert told == {(f"Restore Drill {kind}", expected)}, why
    assert state() == before, why


def test_drill_killed_at_each_call_continues(aws: FakeAws) -> None:
    for delivery in range(1, 6):
        for at in range(8):
            for after in (False, True):
                before = prepare(aws)
                deliver_and_kill(aws, drill_request(), {delivery: (at, after)})
                check(aws, before, (delivery, at, after))
                assert "proven-at" in snapshot_tags(SNAPSHOT)


@pytest.mark.parametrize("seed", range(10))
def test_drill_killed_at_random_continues(aws: FakeAws, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    for number in range(20):
        before = prepare(aws)
        aws.emulator.faults.clear()
        expected = chance.choice(["Passed", "Passed", "NotHealthy"])
        if expected == "NotHealthy":
            aws.emulator.faults.add("status-fails")
        deliveries = chance.sample(range(1, 12), chance.randint(1, 8))
        kills = {delivery: (chance.randrange(9), chance.random() < 0.5) for delivery in deliveries}
        deliver_and_kill(aws, drill_request(), kills)
        check(aws, before, (seed, number, kills), expected)


def test_next_run_deletes_the_clone_when_the_request_is_lost(aws: FakeAws) -> None:
    for delivery in range(1, 6):
        before = prepare(aws)
        with patch.object(drill.DrillReconciler, "fail"), patch.object(drill.DrillReconciler, "announce"):
            for attempt in range(1, delivery + 1):
                aws.request(drill_request(), attempt)
                aws.emulator.clock.advance(STEP.total_seconds())
        aws.emulator.clock.advance(46 * 60)
        assert aws.request(run_request(select={"names": ["no-such"]}))
        assert clones() == []
        assert state() == before


def test_run_killed_at_each_call_requests_the_same_drill(aws: FakeAws) -> None:
    for at in range(20):
        for after in (False, True):
            before = prepare(aws)
            deliver_and_kill(aws, run_request(), {1: (at, after)})
            asked = {json.dumps(each["detail"], sort_keys=True) for each in aws.events()}
            assert len(asked) == 1, (at, after)
            assert state() == before


def test_drills_of_a_run_end_in_one_verdict_each(aws: FakeAws) -> None:
    prepare(aws)
    aws.request(run_request(every="P35D"))
    requested = aws.events()
    for event in requested:
        finish(aws, event)
        assert aws.event()["detail-type"] == "Restore Drill Passed"
