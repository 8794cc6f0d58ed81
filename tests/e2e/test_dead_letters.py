"""What never converges is given up loudly, lies in the dead-letter queue, and can be replayed from there."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.e2e.deployment import Deployment, eventually


@pytest.fixture
def impatient(stack: Deployment) -> Iterator[Deployment]:
    """The deployment, with three deliveries instead of the template's 120."""
    usual = int(stack.function["Environment"]["Variables"]["MAX_RECEIVE_COUNT"])
    stack.retries(3)
    yield stack
    stack.retries(usual)


def test_a_snapshot_that_never_finishes_is_given_up_and_can_be_replayed(impatient: Deployment) -> None:
    stack = impatient
    instance = stack.instance()
    stack.fault("never-finish", instance)

    (request,) = stack.request({"instanceName": instance})

    told = stack.failed(request)
    assert told["reason"] == "TimedOut"
    assert told["request"]["id"] == request
    eventually(lambda: stack.depth("CreateDeadLetterQueue") == 1, "message in the dead-letter queue")

    stack.lightsail.delete_instance_snapshot(instanceSnapshotName=told["instanceSnapshotName"])
    stack.redrive()

    eventually(lambda: len(stack.outcomes(request)) == 2, "second outcome")
    assert stack.outcomes(request)[1]["detail-type"] == "Instance Snapshot Available"
    assert [snapshot["state"] for snapshot in stack.snapshots_of(instance)] == ["available"]
    assert stack.depth("CreateDeadLetterQueue") == 0


def test_requests_are_replayed_from_the_archive_and_make_no_second_snapshot(stack: Deployment) -> None:
    instance = stack.instance()
    before = datetime.now(UTC)
    (request,) = stack.request({"instanceName": instance})
    stack.available(request)

    stack.replay(since=before)

    eventually(lambda: [line["state"] for line in stack.logged(request)].count("available") == 2, "second run")
    assert {event["detail-type"] for event in stack.outcomes(request)} == {"Instance Snapshot Available"}
    assert len(stack.snapshots_of(instance)) == 1
