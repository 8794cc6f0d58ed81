"""`drill`, row by row of its table in docs/architecture.md."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from lightsail_snapshots import drill
from lightsail_snapshots.probe import ProbeError
from tests.support.drills import (
    SNAPSHOT,
    clones,
    deliveries,
    drill_request,
    finish,
    instances,
    outcome,
    run_request,
    snapshot_tags,
    take_snapshot,
)
from tests.support.events import message
from tests.support.fake_aws import DEADLINE, FakeAws, client, fake_aws, make_instance

PROBE = {"port": 443, "host": "shop.example.com", "path": "/health"}
LIMIT = datetime(2026, 11, 23, 4, 1, tzinfo=UTC)
"""When the time limit of a drill ends that is delivered first at the start of a test."""


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with fake_aws(drill.handler) as here:
        take_snapshot(here)
        here.emulator.settings.instance_seconds = 60
        here.emulator.settings.status_check_seconds = 60
        yield here


def ports(name: str) -> list[int]:
    states = client("lightsail").get_instance_port_states(instanceName=name)["portStates"]
    return [each["fromPort"] for each in states]


def test_run_requests_a_drill_of_the_newest_snapshot(aws: FakeAws) -> None:
    take_snapshot(aws, "newer")
    assert aws.request(run_request())
    event = aws.event()
    assert event["detail-type"] == "Restore Drill Requested"
    assert event["detail"]["instanceName"] == "web-1"
    assert event["detail"]["instanceSnapshotName"] == "newer"


def test_run_requests_nothing_when_no_instance_has_a_snapshot(aws: FakeAws) -> None:
    client("lightsail").delete_instance_snapshot(instanceSnapshotName=SNAPSHOT)
    assert aws.request(run_request())
    assert aws.events() == []


def test_drill_makes_a_clone_with_its_tags_and_closes_its_ports(aws: FakeAws) -> None:
    assert not aws.request(drill_request())
    [name] = clones()
    assert name.startswith("drill-web-1-20261123T031500Z-")
    tags = instances()[name]
    assert tags == {
        "managed-by": "lightsail-snapshots-drill",
        "drill-of": "web-1",
        "drill-until": "2026-11-23T04:01:00Z",
    }
    assert ports(name) == []
    assert ports("web-1") == [80, 22, 443]


def test_drill_passes_when_the_status_check_passes(aws: FakeAws) -> None:
    finish(aws, drill_request())
    kind, detail = outcome(aws)
    assert kind == "Restore Drill Passed"
    assert (detail["instanceName"], detail["instanceSnapshotName"]) == ("web-1", SNAPSHOT)
    assert (detail["secondsToRunning"], detail["secondsToHealthy"], detail["seconds"]) == (60, 120, 120)
    assert (detail["ageHours"], detail["costUsd"]) == (0, 0.0067)
    assert clones() == []
    tags = snapshot_tags()
    assert tags["proven-seconds"] == "120"
    assert tags["proven-at"] == "2026-11-23T03:18:00Z"


def test_drill_waits_while_health_is_unknown(aws: FakeAws) -> None:
    aws.emulator.settings.status_check_seconds = 600
    for attempt in deliveries(aws, drill_request()):
        assert attempt > 20 or clones()
        assert attempt > 20 or "proven-at" not in snapshot_tags()
    assert outcome(aws)[1]["secondsToHealthy"] == 660


def test_drill_fails_when_the_clone_never_gets_healthy(aws: FakeAws) -> None:
    aws.emulator.faults.add("status-fails")
    finish(aws, drill_request())
    kind, detail = outcome(aws)
    assert (kind, detail["reason"], detail["restoreFailed"]) == ("Restore Drill Failed", "NotHealthy", True)
    assert clones() == []
    assert "proven-at" not in snapshot_tags()


def test_drill_fails_when_the_clone_never_runs(aws: FakeAws) -> None:
    aws.emulator.settings.instance_seconds = 86_400
    finish(aws, drill_request())
    assert outcome(aws)[1]["reason"] == "NotRunning"
    assert clones() == []


def test_drill_opens_only_the_port_of_the_probe_once_healthy(aws: FakeAws) -> None:
    asked: list[list[int]] = []

    def answer(*_: Any) -> None:
        asked.append(ports(clones()[0]))

    with patch.object(drill, "ask", answer):
        for _ in deliveries(aws, drill_request(PROBE)):
            assert asked or not clones() or ports(clones()[0]) == []
    assert asked == [[443]]
    assert outcome(aws)[0] == "Restore Drill Passed"


def test_drill_asks_again_until_the_probe_answers(aws: FakeAws) -> None:
    with patch.object(drill, "ask", side_effect=[ProbeError("port 443 does not answer"), None]):
        finish(aws, drill_request(PROBE))
    kind, detail = outcome(aws)
    assert (kind, detail["secondsToHealthy"], detail["seconds"]) == ("Restore Drill Passed", 120, 150)


def test_drill_fails_when_the_probe_fails_until_the_time_limit(aws: FakeAws) -> None:
    with patch.object(drill, "ask", side_effect=ProbeError("/health answers with status 500 instead of 200")):
        finish(aws, drill_request(PROBE))
    kind, detail = outcome(aws)
    assert (kind, detail["reason"], detail["restoreFailed"]) == ("Restore Drill Failed", "ProbeFailed", True)
    assert detail["message"] == "After 2700 seconds: /health answers with status 500 instead of 200."
    assert clones() == []


def test_drill_retries_until_the_clone_is_gone_when_the_deletion_is_refused(aws: FakeAws) -> None:
    aws.emulator.faults.add("access-denied", operation="DeleteInstance", times=5)
    finish(aws, drill_request())
    assert outcome(aws)[0] == "Restore Drill Passed"
    assert clones() == []


@pytest.mark.parametrize(
    ("event", "operation", "is_of_one_drill"),
    [(drill_request(), "DeleteInstance", True), (run_request(), "GetInstances", False)],
    ids=["drill", "run"],
)
def test_drill_gives_up_when_its_time_is_up(
    aws: FakeAws, event: dict[str, Any], operation: str, is_of_one_drill: bool
) -> None:
    aws.emulator.faults.add("access-denied", operation=operation)
    sent_at = aws.emulator.clock.now()
    aws.request(event, first_at=sent_at)
    aws.emulator.clock.advance(DEADLINE.total_seconds() + 1)
    assert aws.request(event, attempt=2, first_at=sent_at)
    kind, detail = outcome(aws)
    assert (kind, detail["reason"], detail["restoreFailed"]) == ("Restore Drill Failed", "TimedOut", False)
    assert ("drillInstanceName" in detail) == is_of_one_drill
    assert [json.loads(body) for body in aws.dead_letters] == [event]


def test_drill_fails_when_the_clone_is_gone_by_itself(aws: FakeAws) -> None:
    for attempt in deliveries(aws, drill_request()):
        if attempt == 1:
            client("lightsail").delete_instance(instanceName=clones()[0])
        assert clones() == [], "it is not made twice"
    assert outcome(aws)[1]["reason"] == "InstanceGone"


def test_drill_deletes_the_clone_when_the_snapshot_is_gone_meanwhile(aws: FakeAws) -> None:
    for attempt in deliveries(aws, drill_request()):
        if attempt == 1:
            client("lightsail").delete_instance_snapshot(instanceSnapshotName=SNAPSHOT)
    kind, detail = outcome(aws)
    assert (kind, detail["reason"], detail["restoreFailed"]) == ("Restore Drill Failed", "SnapshotGone", False)
    assert clones() == []


def test_drill_fails_without_a_failed_backup_when_the_quota_is_full(aws: FakeAws) -> None:
    text = "Sorry, you've reached your maximum limit of Lightsail Instances : 20"
    aws.emulator.faults.add(
        "busy", operation="CreateInstancesFromSnapshot", error="InvalidInputException", message=text
    )
    assert aws.request(drill_request())
    assert outcome(aws)[1].items() >= {"reason": "NoCapacity", "restoreFailed": False}.items()


def test_drill_makes_no_clone_when_it_is_too_expensive(aws: FakeAws) -> None:
    limited = {"schedule": "rate(7 days)", "maxAge": "P35D", "maxPricePerHour": 0.005}
    assert aws.request(drill_request(drill=limited))
    assert outcome(aws)[1].items() >= {"reason": "TooExpensive", "restoreFailed": False}.items()
    assert clones() == []
    assert "TooExpensive" in snapshot_tags()["drill-result"]


def test_drill_makes_no_clone_when_the_snapshot_has_disks(aws: FakeAws) -> None:
    client("lightsail").create_disk(diskName="data", availabilityZone="us-east-1a", sizeInGb=32)
    client("lightsail").attach_disk(diskName="data", instanceName="web-1", diskPath="/dev/xvdf")
    take_snapshot(aws, "with-disk")
    assert aws.request(drill_request(instanceSnapshotName="with-disk"))
    assert outcome(aws)[1].items() >= {"reason": "NotDrillable", "restoreFailed": False}.items()


def test_drill_leaves_an_instance_of_a_stranger_alone(aws: FakeAws) -> None:
    aws.request(drill_request())
    [name] = clones()
    client("lightsail").delete_instance(instanceName=name)
    make_instance(name, tags={"drill-of": "web-1"})
    assert aws.request(drill_request(), attempt=2)
    assert outcome(aws)[1].items() >= {"reason": "NameInUse", "restoreFailed": False}.items()
    assert name in instances()


def test_drill_fails_when_another_kind_of_resource_has_the_name(aws: FakeAws) -> None:
    aws.request(drill_request())
    [name] = clones()
    client("lightsail").delete_instance(instanceName=name)
    [account] = aws.emulator.accounts.values()
    account["us-east-1"].operations.clear()
    client("lightsail").create_disk(diskName=name, availabilityZone="us-east-1a", sizeInGb=32)
    finish(aws, drill_request())
    assert outcome(aws)[1]["reason"] == "NameInUse"


def test_drill_makes_one_clone_when_it_is_delivered_twice(aws: FakeAws) -> None:
    aws.deliver(message(drill_request(), message_id="first"), message(drill_request(), message_id="second"))
    assert len(clones()) == 1


def test_second_drill_waits_for_the_first(aws: FakeAws) -> None:
    make_instance("web-2")
    aws.emulator.clock.advance(60)
    take_snapshot(aws, "of-web-2", "web-2")
    second = drill_request(instanceName="web-2", instanceSnapshotName="of-web-2")
    assert not aws.request(drill_request())
    assert not aws.request(second)
    [only] = clones()
    assert only.startswith("drill-web-1-")
    finish(aws, drill_request())
    assert aws.event()["detail"]["instanceName"] == "web-1"
    finish(aws, second)
    assert aws.event()["detail"]["instanceName"] == "web-2"


def test_next_run_deletes_a_clone_past_its_time(aws: FakeAws) -> None:
    aws.request(drill_request())
    aws.request(run_request(select={"names": ["no-such"]}))
    assert len(clones()) == 1
    aws.emulator.clock.advance(46 * 60)
    aws.request(run_request(select={"names": ["no-such"]}))
    assert clones() == []
    assert "web-1" in instances()


def test_clone_is_kept_for_a_person_after_the_verdict(aws: FakeAws) -> None:
    made_at, gone_at = aws.emulator.clock.now(), None
    for _ in deliveries(aws, drill_request(keepFor="PT1H")):
        for name in clones():
            until = instances()[name]["drill-until"]
            assert until == "2026-11-23T05:01:00Z", "an hour more than usual, so that no alarm goes off"
        gone_at = gone_at or (None if clones() else aws.emulator.clock.now())
    kind, detail = outcome(aws)
    assert (kind, detail["seconds"], detail["costUsd"]) == ("Restore Drill Passed", 120, 0.0134)
    assert gone_at == made_at + timedelta(hours=1, seconds=120)
    assert clones() == []


def test_clone_is_kept_for_a_person_when_it_failed(aws: FakeAws) -> None:
    aws.emulator.faults.add("status-fails")
    for _ in deliveries(aws, drill_request(keepFor="PT1H")):
        assert clones() or aws.emulator.clock.now() >= LIMIT + timedelta(hours=1)
    assert outcome(aws)[1]["reason"] == "NotHealthy"
    assert clones() == []


def test_kept_clone_keeps_the_ports_that_a_person_opens(aws: FakeAws) -> None:
    ssh = {"fromPort": 22, "toPort": 22, "protocol": "tcp"}
    for attempt in deliveries(aws, drill_request(keepFor="PT1H")):
        if attempt == 10:
            client("lightsail").open_instance_public_ports(instanceName=clones()[0], portInfo=ssh)
        assert attempt < 10 or not clones() or ports(clones()[0]) == [22]


def test_request_is_rejected_when_the_clone_is_kept_too_long(aws: FakeAws) -> None:
    assert aws.request(drill_request(keepFor="PT13H"))
    assert "must be at most PT12H, not PT13H" in aws.event()["detail"]["message"]
    assert clones() == []


def test_seconds_to_running_are_those_to_healthy_when_lightsail_has_no_record(aws: FakeAws) -> None:
    for _ in deliveries(aws, drill_request()):
        for each in aws.emulator.region("us-east-1").operations.values():
            each.finishes_at = datetime.max.replace(tzinfo=UTC)
    detail = outcome(aws)[1]
    assert (detail["secondsToRunning"], detail["secondsToHealthy"]) == (120, 120)


def test_lost_answer_of_the_creation_makes_one_clone(aws: FakeAws) -> None:
    aws.emulator.faults.add("lost-answer", operation="CreateInstancesFromSnapshot", times=2)
    finish(aws, drill_request())
    assert outcome(aws)[0] == "Restore Drill Passed"


def test_request_from_another_source_is_rejected(aws: FakeAws) -> None:
    assert aws.request(drill_request() | {"source": "my.shell"})
    assert aws.event()["detail-type"] == "Request Rejected"
    assert clones() == []


def test_plan_never_selects_a_clone(aws: FakeAws) -> None:
    aws.request(drill_request())
    aws.request(run_request(every="P35D"))
    assert [each["detail"]["instanceName"] for each in aws.events()] == ["web-1"]
