"""Everything on the way delivers at least once, and Lightsail has bad days: one request is one snapshot still."""

import json

from tests.e2e.deployment import Deployment
from tests.support.events import requested, time_now


def test_one_event_delivered_five_times_at_once_makes_one_snapshot(stack: Deployment) -> None:
    instance = stack.instance()

    event = requested({"instanceName": instance}, id="five-times", time=time_now())
    stack.deliver(*[json.dumps(event)] * 5)

    told = stack.available("five-times")
    stack.quiet()
    assert [snapshot["name"] for snapshot in stack.snapshots_of(instance)] == [told["instanceSnapshotName"]]
    types = {event["detail-type"] for event in stack.outcomes("five-times")}
    assert types == {"Instance Snapshot Available"}


def test_a_lost_answer_makes_one_snapshot(stack: Deployment) -> None:
    instance = stack.instance()
    stack.fault("lost-answer", instance)

    (request,) = stack.request({"instanceName": instance})

    told = stack.available(request)
    assert stack.faults_left() == []
    assert [snapshot["name"] for snapshot in stack.snapshots_of(instance)] == [told["instanceSnapshotName"]]


def test_a_throttled_burst_becomes_one_snapshot_for_each_request(stack: Deployment) -> None:
    instances = [stack.instance() for _ in range(8)]
    for instance in instances:
        stack.fault("throttle", instance, times=3)

    requests = stack.request(*({"instanceName": instance} for instance in instances))

    names = {stack.available(request)["instanceSnapshotName"] for request in requests}
    assert stack.faults_left() == []
    assert names == {snapshot["name"] for instance in instances for snapshot in stack.snapshots_of(instance)}
    assert len(names) == len(instances)
