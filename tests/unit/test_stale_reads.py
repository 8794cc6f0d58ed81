"""A week of lost answers, stale reads and throttling: each request ends in one snapshot and one copy."""

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from lightsail_snapshots import copy, create
from lightsail_snapshots.naming import format_utc
from tests.support.copies import HERE, THERE, to
from tests.support.events import message, requested
from tests.support.fake_aws import FakeAws, Handler, fake_aws

RETRY_SECONDS = 180
MOST_DELIVERIES = 12
REQUESTS = 7 * 6


@dataclass
class Week:
    """A week in which Lightsail misbehaves."""

    aws: FakeAws
    random: Random

    def take(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Deliver a request to `create` until it is done; return the events."""
        return self._deliver(create.handler, event, "CreateInstanceSnapshot", HERE)

    def copy(self, available: dict[str, Any]) -> list[dict[str, Any]]:
        """Deliver a message to `copy` until it is done; return the events."""
        return self._deliver(copy.handler, to(THERE, available), "CopySnapshot", THERE)

    def _deliver(self, handler: Handler, body: object, operation: str, region: str) -> list[dict[str, Any]]:
        self.aws.handler = handler
        first_at = self.aws.emulator.clock.now()
        for attempt in range(1, MOST_DELIVERIES + 1):
            self._misbehave(operation, region)
            is_done = not self.aws.deliver(message(body, attempt, first_at=first_at))
            self.aws.emulator.clock.advance(RETRY_SECONDS)
            if is_done:
                break
        self.aws.emulator.faults.clear()
        return self.aws.events()

    def _misbehave(self, operation: str, region: str) -> None:
        """Set the faults of the next delivery."""
        faults, random = self.aws.emulator.faults, self.random
        faults.clear()
        if random.random() < 0.3:
            faults.add("lost-answer", operation=operation, times=random.choice([1, 2]))
        if random.random() < 0.5:
            faults.add("stale", operation="GetInstanceSnapshot", region=region, seconds=random.randint(1, 400))
        if random.random() < 0.2:
            faults.add(random.choice(["throttle", "unreachable"]), region=region, times=random.choice([1, 2]))


@pytest.mark.parametrize("seed", range(3))
def test_week_of_lost_answers_and_stale_reads_has_no_false_failure(seed: int) -> None:
    outcomes: Counter[str] = Counter()
    with fake_aws(create.handler) as aws:
        week = Week(aws, Random(seed))  # noqa: S311 - not for secrets
        for number in range(REQUESTS):
            time = format_utc(aws.emulator.clock.now())
            event = requested({"instanceName": "web-1", "copyTo": [THERE]}, id=f"request-{number}", time=time)
            for available in week.take(event):
                outcomes.update(each["detail-type"] for each in [available, *week.copy(available)])
            aws.emulator.clock.advance(4 * 60 * 60)
    assert outcomes == {"Instance Snapshot Available": REQUESTS, "Instance Snapshot Copied": REQUESTS}
