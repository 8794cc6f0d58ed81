"""One request makes one snapshot, also if it is delivered several times or Lightsail fails."""

import json

from tests.e2e.deployment import Deployment
from tests.support.events import requested, time_now


def test_one_snapshot_is_made_when_an_event_is_delivered_five_times_at_once(stack: Deployment) -> None:
    instance = stack.instance()

    event = requested({"instanceName": instance}, id="five-times", time=time_now())
    stack.deliver(*[json.dumps(event)] * 5)

    detail = stack.available("five-times")
    stack.drain()
    assert [snapshot["name"] for snapshot in stack.snapshots_of(instance)] == [detail["instanceSnapshotName"]]
    types = {event["detail-type"] for event in stack.outcomes("five-times")}
    assert types == {"Instance Snapshot Available"}


def test_one_snapshot_is_made_when_the_answer_is_lost(stack: Deployment) -> None:
    instance = stack.instance()
    stack.fault("lost-answer", instance)

    (request,) = stack.request({"instanceName": instance})

    detail = stack.available(request)
    assert stack.faults_left() == []
    assert [snapshot["name"] for snapshot in stack.snapshots_of(instance)] == [detail["instanceSnapshotName"]]


def test_each_request_makes_one_snapshot_when_a_burst_is_throttled(stack: Deployment) -> None:
    instances = [stack.instance() for _ in range(8)]
    for instance in instances:
        stack.fault("throttle", instance, times=3)

    requests = stack.request(*({"instanceName": instance} for instance in instances))

    names = {stack.available(request)["instanceSnapshotName"] for request in requests}
    assert stack.faults_left() == []
    assert names == {snapshot["name"] for instance in instances for snapshot in stack.snapshots_of(instance)}
    assert len(names) == len(instances)
