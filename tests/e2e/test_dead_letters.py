"""A request that cannot succeed ends in a failure event and in the dead-letter queue, and can be replayed."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.e2e.deployment import Deployment, eventually

USUAL_DEADLINE = 21_600


@pytest.fixture
def short_deadline(stack: Deployment) -> Iterator[Deployment]:
    """The deployment, with a deadline of 5 seconds instead of the template's six hours."""
    stack.set_deadline(5)
    yield stack
    stack.set_deadline(USUAL_DEADLINE)


def test_request_whose_snapshot_never_finishes_fails_and_can_be_replayed(short_deadline: Deployment) -> None:
    stack = short_deadline
    stack.purge("CreateQueue", "CreateDeadLetterQueue")
    instance = stack.instance()
    stack.fault("never-finish", instance)

    (request,) = stack.request({"instanceName": instance})

    detail = stack.failed(request)
    assert detail["reason"] == "TimedOut"
    assert detail["request"]["id"] == request
    eventually(lambda: stack.depth("CreateDeadLetterQueue") > 0, "message in the dead-letter queue")
    stack.drain()

    stack.set_deadline(USUAL_DEADLINE)
    stack.lightsail.delete_instance_snapshot(instanceSnapshotName=detail["instanceSnapshotName"])
    stack.redrive()

    available = "Instance Snapshot Available"
    eventually(lambda: any(each["detail-type"] == available for each in stack.outcomes(request)), available)
    assert [snapshot["state"] for snapshot in stack.snapshots_of(instance)] == ["available"]
    assert stack.depth("CreateDeadLetterQueue") == 0


def test_replay_from_the_archive_makes_no_second_snapshot(stack: Deployment) -> None:
    start = datetime.now(UTC)
    instance = stack.instance()
    (request,) = stack.request({"instanceName": instance})
    stack.available(request)

    stack.replay(start)

    # The first delivery of a new request cannot find a usable snapshot, but that of a replayed one does.
    replayed = {"attempt": 1, "state": "available"}
    eventually(lambda: any(replayed.items() <= line.items() for line in stack.logged(request)), "replayed request")
    assert {event["detail-type"] for event in stack.outcomes(request)} == {"Instance Snapshot Available"}
    assert len(stack.snapshots_of(instance)) == 1
