"""`copy`, row by row of its table in docs/architecture.md, and its events, logs and metrics."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from lightsail_snapshots import copy
from lightsail_snapshots.aws.errors import RetryableError
from tests.support.copies import HERE, NAME, THERE, available, client, copy_by_hand, outcome, tags, to
from tests.support.events import REQUEST_ID, REQUESTED_AT, message
from tests.support.fake_aws import DEADLINE, RETRYABLE_FAULTS, Context, FakeAws, emf, fake_aws


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with fake_aws(copy.handler) as here:
        yield here


@pytest.fixture
def wanted(aws: FakeAws) -> dict[str, Any]:
    """The message that asks for a copy of a snapshot which is there."""
    return to(THERE, available(aws, tags={"env": "prod", "no_delete": ""}, plan="daily", keep={"last": 7}))


# The table.


def test_first_delivery_copies_and_tags_and_is_retried(aws: FakeAws, wanted: dict[str, Any]) -> None:
    assert not aws.request(wanted)
    [made] = aws.snapshots(THERE)
    [source] = aws.snapshots(HERE)
    assert made["name"] == source["name"]
    assert made["state"] == "pending"
    copy_of = {"copy-of": f"us-east-1 {wanted['event']['detail']['createdAt']} {source['fromInstanceArn']}"}
    assert tags(made) == tags(source) | copy_of
    assert {"snapshot-name": NAME, "snapshot-keep": "last=7"}.items() <= tags(made).items()
    assert aws.calls == ["GetInstanceSnapshot", "CopySnapshot", "TagResource"]
    assert aws.events() == []


def test_copy_makes_three_calls_and_one_more_per_retry(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.request(wanted)
    aws.request(wanted, attempt=2)
    aws.emulator.clock.advance(60)
    aws.request(wanted, attempt=3)
    read = "GetInstanceSnapshot"
    assert aws.calls == [read, "CopySnapshot", "TagResource", read, read]


def test_pending_copy_is_retried(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.request(wanted)
    assert not aws.request(wanted, attempt=2)
    assert aws.events() == []


def test_usable_copy_is_announced_and_done(
    aws: FakeAws, wanted: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    aws.request(wanted)
    aws.emulator.clock.advance(60)
    capsys.readouterr()
    assert aws.request(wanted, attempt=2)
    event = aws.event()
    [made] = aws.snapshots(THERE)
    assert (event["detail-type"], event["source"]) == ("Instance Snapshot Copied", "lightsail-snapshots")
    assert event["resources"] == [made["arn"]]
    published = {key: event["detail"][key] for key in ("requestId", "instanceName", "region", "destination", "plan")}
    assert published == {
        "requestId": REQUEST_ID,
        "instanceName": "web-1",
        "region": HERE,
        "destination": THERE,
        "plan": "daily",
    }
    assert event["detail"]["instanceSnapshotArn"] == made["arn"]
    assert event["detail"]["sourceSnapshotArn"] == wanted["event"]["detail"]["instanceSnapshotArn"]
    assert emf(capsys.readouterr().out) == {"CopiesFailed": [0], "CopiesAvailable": [1]}


def test_copy_in_error_fails_and_is_done(
    aws: FakeAws, wanted: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    aws.emulator.faults.add("snapshot-fails", operation="CopySnapshot")
    aws.request(wanted)
    aws.emulator.clock.advance(60)
    assert aws.request(wanted, attempt=2)
    kind, reason, text = outcome(aws)
    assert (kind, reason) == ("Instance Snapshot Failed", "SnapshotError")
    assert text.endswith("Delete it there, and send the request again.")
    assert emf(capsys.readouterr().out) == {"CopiesFailed": [0, 0, 1]}


def test_copy_in_an_unknown_state_is_retried(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.request(wanted)
    aws.emulator.clock.advance(60)
    aws.emulator.faults.add("unknown-enum", operation="GetInstanceSnapshot", times=1)
    assert not aws.request(wanted, attempt=2)
    assert aws.request(wanted, attempt=3)


def test_copy_fails_when_its_source_was_deleted(aws: FakeAws, wanted: dict[str, Any]) -> None:
    client(HERE).delete_instance_snapshot(instanceSnapshotName=NAME)
    assert not aws.request(wanted), "the read may be stale"
    assert not aws.request(wanted, attempt=2), "the second one too"
    aws.emulator.clock.advance(601)
    assert aws.request(wanted, attempt=3)
    kind, reason, text = outcome(aws)
    assert (kind, reason) == ("Instance Snapshot Failed", "SourceGone")
    assert text.startswith(f"There is no snapshot {NAME} in {HERE} any more.")
    assert json.loads(aws.logs()[-1]["request"]) == wanted, "it can be sent again"
    assert aws.snapshots(THERE) == []


def test_copy_succeeds_when_its_source_is_deleted_meanwhile(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.request(wanted)
    client(HERE).delete_instance_snapshot(instanceSnapshotName=NAME)
    aws.emulator.clock.advance(60)
    assert aws.request(wanted, attempt=2)
    assert aws.event()["detail-type"] == "Instance Snapshot Copied"


@pytest.mark.parametrize("fault", RETRYABLE_FAULTS)
@pytest.mark.parametrize("operation", ["CopySnapshot", "TagResource"])
def test_copy_retries_when_lightsail_fails_for_a_while(
    aws: FakeAws, wanted: dict[str, Any], fault: str, operation: str
) -> None:
    aws.emulator.faults.add(fault, operation=operation, region=THERE)
    assert not aws.request(wanted)
    aws.emulator.faults.clear()
    assert is_finished(aws, wanted)


def is_finished(aws: FakeAws, wanted: dict[str, Any]) -> bool:
    """Retry a few times; return whether there is one copy, tagged and announced."""
    for attempt in range(2, 6):
        if aws.request(wanted, attempt):
            break
        aws.emulator.clock.advance(60)
    [made] = aws.snapshots(THERE)
    return aws.event()["detail-type"] == "Instance Snapshot Copied" and "copy-of" in tags(made)


def test_copy_succeeds_after_its_region_was_throttled_for_long(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.emulator.faults.add("throttle", region=THERE)
    for attempt in range(1, 6):
        assert not aws.request(wanted, attempt)
        aws.emulator.clock.advance(4000)
    assert aws.events() == []
    aws.emulator.faults.clear()
    assert is_finished(aws, wanted)


TOO_MANY = "Sorry, you've either reached or will exceed your maximum limit of concurrent snapshot copies."


@pytest.mark.parametrize("error", ["InvalidInputException", "OperationFailureException", "LimitExceededException"])
def test_copy_retries_when_lightsail_has_too_many_copies(aws: FakeAws, wanted: dict[str, Any], error: str) -> None:
    aws.emulator.faults.add("busy", operation="CopySnapshot", error=error, message=TOO_MANY)
    assert not aws.request(wanted)
    aws.emulator.faults.clear()
    assert is_finished(aws, wanted)


def test_copy_is_not_announced_before_it_is_tagged(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.emulator.faults.add("busy", operation="TagResource", error="InvalidInputException", message="No.", times=2)
    assert not aws.request(wanted)
    assert aws.calls[-2:] == ["TagResource", "TagResource"], "once more without the tag that has no value"
    aws.emulator.clock.advance(60)
    assert not aws.request(wanted, attempt=2)
    assert aws.events() == [], "it was usable and not tagged"
    assert aws.request(wanted, attempt=3)
    assert aws.event()["detail-type"] == "Instance Snapshot Copied"
    assert len(aws.snapshots(THERE)) == 1


def test_copy_drops_tags_without_a_value_when_lightsail_rejects_them(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.emulator.faults.add("busy", operation="TagResource", error="InvalidInputException", message="No.", times=1)
    assert not aws.request(wanted)
    [source], [made] = aws.snapshots(), aws.snapshots(THERE)
    without = {key: value for key, value in tags(source).items() if value}
    assert tags(made) == without | {"copy-of": tags(made)["copy-of"]}
    assert {*aws.logs()[-2]["dropped_tags"]} == tags(source).keys() - without.keys()


def test_copy_is_retried_when_it_is_not_visible_yet(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.emulator.faults.add("busy", operation="TagResource", error="NotFoundException", message="", times=1)
    assert not aws.request(wanted)
    assert [line["level"] for line in aws.logs()] == ["INFO"] * len(aws.logs())
    assert is_finished(aws, wanted)


def test_lost_response_makes_one_copy_and_tags_it(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.emulator.faults.add("lost-answer", operation="CopySnapshot", times=1)
    assert not aws.request(wanted)
    assert not aws.request(wanted, attempt=2)
    [made] = aws.snapshots(THERE)
    assert "copy-of" in tags(made)


def test_two_lost_responses_and_a_lost_read_make_one_copy(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.emulator.faults.add("lost-answer", operation="CopySnapshot", times=2)
    aws.emulator.faults.add("unreachable", operation="GetInstanceSnapshot", region=THERE, times=2)
    assert not aws.request(wanted)
    assert tags(aws.snapshots(THERE)[0]) == {}
    assert is_finished(aws, wanted)


def test_untagged_copy_is_found_among_several_pages_of_operations(aws: FakeAws, wanted: dict[str, Any]) -> None:
    copy_by_hand()
    aws.emulator.settings.page_size = 1
    client().tag_resource(resourceName=NAME, tags=[{"key": "env", "value": "prod"}])
    assert not aws.request(wanted)
    assert is_finished(aws, wanted)


def test_message_delivered_twice_makes_one_copy(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.deliver(message(wanted), message(wanted, message_id="message-2"))
    aws.emulator.clock.advance(60)
    assert aws.deliver(message(wanted, 2), message(wanted, 2, "message-2")) == []
    assert len(aws.snapshots(THERE)) == 1
    assert [event["detail-type"] for event in aws.events()] == ["Instance Snapshot Copied"] * 2


def test_copy_completes_the_tags_that_lightsail_carried_over(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.emulator.settings.copy_carries_tags = True
    aws.emulator.faults.add("throttle", operation="TagResource")
    aws.request(wanted)
    aws.emulator.faults.clear()
    aws.emulator.clock.advance(60)
    assert not aws.request(wanted, attempt=2)
    aws.emulator.clock.advance(60)
    assert aws.request(wanted, attempt=3)
    assert aws.event()["detail-type"] == "Instance Snapshot Copied"


def test_copy_restores_copy_of_before_it_is_announced(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.request(wanted)
    client().untag_resource(resourceName=NAME, tagKeys=["copy-of"])
    aws.emulator.clock.advance(60)
    assert not aws.request(wanted, attempt=2)
    assert aws.events() == []
    assert aws.request(wanted, attempt=3)
    assert "copy-of" in {tag["key"] for tag in aws.event()["detail"]["tags"]}


def test_copy_is_not_tagged_again_when_a_person_removed_managed_by(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.request(wanted)
    aws.emulator.clock.advance(60)
    aws.request(wanted, attempt=2)
    aws.events()
    client().untag_resource(resourceName=NAME, tagKeys=["managed-by"])
    aws.calls.clear()
    for attempt in (1, 2):
        assert aws.request(wanted, attempt)
        assert outcome(aws)[1] == "NameInUse"
    assert "TagResource" not in aws.calls
    assert "managed-by" not in tags(aws.snapshots(THERE)[0])


# What the message says is checked.


def test_copy_of_a_foreign_snapshot_is_neither_made_nor_tagged(aws: FakeAws, wanted: dict[str, Any]) -> None:
    client(HERE).untag_resource(resourceName=NAME, tagKeys=["managed-by"])
    copy_by_hand()
    aws.calls.clear()
    for attempt in (1, 2):
        assert aws.request(wanted, attempt)
        assert outcome(aws)[1] == "SourceGone"
    assert {"CopySnapshot", "TagResource"}.isdisjoint(aws.calls)
    assert tags(aws.snapshots(THERE)[0]) == {}


def test_copy_fails_when_its_source_is_another_snapshot_of_the_name(aws: FakeAws, wanted: dict[str, Any]) -> None:
    client(HERE).delete_instance_snapshot(instanceSnapshotName=NAME)
    available(aws)
    assert aws.request(wanted)
    assert outcome(aws)[1:] == (
        "SourceGone",
        f"{NAME} in {HERE} is not the snapshot that was to be copied, or no longer ours.",
    )
    assert aws.snapshots(THERE) == []


# A Region that the plans no longer copy to.


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Deploy without copies."""
    return lambda: monkeypatch.setattr(copy, "settings", replace(copy.settings, copy_regions=()))


def test_copy_is_announced_when_its_region_was_removed_meanwhile(
    aws: FakeAws, wanted: dict[str, Any], removed: Callable[[], None]
) -> None:
    aws.request(wanted)
    removed()
    assert not aws.request(wanted, attempt=2)
    aws.emulator.clock.advance(60)
    assert aws.request(wanted, attempt=3)
    assert aws.event()["detail-type"] == "Instance Snapshot Copied"


def test_copy_is_not_made_when_its_region_was_removed_before(
    aws: FakeAws, wanted: dict[str, Any], removed: Callable[[], None]
) -> None:
    removed()
    assert aws.request(wanted)
    assert outcome(aws)[1:] == (
        "RegionRemoved",
        f"No plan copies to {THERE} any longer, so {NAME} was not copied there. "
        "Add it to copy_to, deploy, and send the request again.",
    )
    assert aws.snapshots(THERE) == []


def test_copy_is_not_tagged_when_its_region_was_removed_before(
    aws: FakeAws, wanted: dict[str, Any], removed: Callable[[], None]
) -> None:
    aws.emulator.faults.add("throttle", operation="TagResource")
    aws.request(wanted)
    removed()
    assert not aws.request(wanted, attempt=2), "the read may be stale"
    aws.emulator.clock.advance(600)
    assert aws.request(wanted, attempt=5)
    assert outcome(aws)[1] == "RegionRemoved"
    assert tags(aws.snapshots(THERE)[0]) == {}


def test_each_destination_is_copied_independently(aws: FakeAws) -> None:
    event = available(aws, copyTo=[THERE, "eu-west-1"])
    aws.emulator.faults.add("throttle", region=THERE)
    first, second = message(to(THERE, event)), message(to("eu-west-1", event), message_id="message-2")
    assert aws.deliver(first, second) == ["message-1", "message-2"]
    aws.emulator.clock.advance(60)
    assert aws.deliver(message(to(THERE, event), 2), message(to("eu-west-1", event), 2, "message-2")) == ["message-1"]
    assert aws.event()["detail"]["destination"] == "eu-west-1"


def test_copy_fails_when_access_is_denied(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.emulator.faults.add("access-denied", operation="CopySnapshot")
    assert aws.request(wanted)
    assert outcome(aws)[1] == "AccessDenied"


@pytest.mark.parametrize("operation", ["TagResource", "GetInstanceSnapshot"])
def test_copy_fails_when_access_is_denied_after_copying(aws: FakeAws, wanted: dict[str, Any], operation: str) -> None:
    copy_by_hand()
    aws.emulator.faults.add("access-denied", operation=operation)
    assert aws.request(wanted, attempt=2)
    assert outcome(aws)[1] == "AccessDenied"


def test_copy_times_out_and_is_put_into_the_dead_letter_queue(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.emulator.faults.add("never-finish")
    aws.request(wanted)
    aws.emulator.clock.set(REQUESTED_AT + DEADLINE)
    assert aws.request(wanted, 200)
    failed = aws.event()["detail"]
    assert (failed["reason"], failed["requestId"]) == ("TimedOut", REQUEST_ID)
    assert failed["request"] == wanted, "so that it can be sent again"
    assert [json.loads(body) for body in aws.dead_letters] == [wanted]


def test_copy_of_a_plan_is_retried_when_the_queue_says_so(aws: FakeAws) -> None:
    wanted = to(THERE, available(aws, plan="daily"))
    aws.request(wanted)
    assert aws.delays == {}


def test_failed_request_succeeds_when_it_is_sent_again(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.emulator.faults.add("access-denied", operation="TagResource", times=1)
    assert aws.request(wanted)
    again = aws.event()["detail"]["request"]
    assert not aws.request(again), "the untagged copy of the first try is found and tagged"
    assert is_finished(aws, again)


# Not in the table.

BAD: dict[str, tuple[object, list[str]]] = {
    "no JSON": ("hello", ["the message must be a JSON object with destination and event, not 'hello'"]),
    "an empty object": ({}, ["destination: is missing", "event: is missing"]),
    "a Region that is no destination": (
        {"destination": "mars-1", "event": {"source": "lightsail-snapshots", "detail": 7}},
        [
            "destination: must be a Region that this stack copies to (eu-central-1, eu-west-1), not 'mars-1'",
            "event.detail: must be a JSON object, not 7",
        ],
    ),
    "a detail that lacks everything": (
        {"destination": THERE, "event": {"source": "lightsail-snapshots", "detail": {}}},
        [
            f"event.detail.{name}: is missing"
            for name in (
                "requestId",
                "instanceSnapshotName",
                "instanceSnapshotArn",
                "region",
                "createdAt",
                "instanceName",
                "tags",
            )
        ],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_message_makes_one_event_with_all_problems_and_no_call(aws: FakeAws, name: str) -> None:
    body, problems = BAD[name]
    assert aws.deliver(message(body, message_id="message-7")) == []
    detail = aws.event()["detail"]
    assert (detail["requestId"], detail["reason"]) == ("message-7", "InvalidRequest")
    assert detail["problems"] == problems
    assert aws.calls == []


def test_bad_message_is_reported_under_its_request_id_when_it_has_one(aws: FakeAws, wanted: dict[str, Any]) -> None:
    assert aws.request(to("mars-1", wanted["event"]))
    assert aws.event()["detail"]["requestId"] == REQUEST_ID


def test_copy_rejects_an_event_of_another_source(aws: FakeAws, wanted: dict[str, Any]) -> None:
    assert aws.request(to(THERE, wanted["event"] | {"source": "my.ci"}))
    assert aws.event()["detail"]["problems"] == ["event.source: must be lightsail-snapshots, not 'my.ci'"]
    assert aws.calls == []


def test_copy_ignores_unknown_fields_of_our_own_event(aws: FakeAws, wanted: dict[str, Any]) -> None:
    wanted["event"]["detail"]["colour"] = "blue"
    assert not aws.request(wanted)
    assert aws.events() == []


def test_source_with_all_allowed_tags_leaves_room_for_copy_of(aws: FakeAws) -> None:
    event = available(
        aws, tags={f"tag-{n:02}": "" for n in range(35)}, plan="daily", keepFor="P1D", copyInstanceTags=False
    )
    assert not aws.request(to(THERE, event))
    assert len(aws.snapshots(THERE)[0]["tags"]) == 43


def test_copy_carries_what_a_restore_needs(aws: FakeAws, wanted: dict[str, Any]) -> None:
    assert not aws.request(wanted)
    tags = {tag["key"]: tag.get("value", "") for tag in aws.snapshots(THERE)[0]["tags"]}
    assert tags["restore-settings"].startswith("zone=us-east-1a bundle=nano_3_0 ")
    assert tags["restore-ports"] == "tcp=80 tcp=22 tcp=443"


def test_copy_succeeds_when_the_instance_arn_is_unknown(aws: FakeAws, wanted: dict[str, Any]) -> None:
    del wanted["event"]["detail"]["instanceArn"]
    assert not aws.request(wanted)
    assert is_finished(aws, wanted)


def test_every_log_line_of_a_copy_names_its_subject(aws: FakeAws, wanted: dict[str, Any]) -> None:
    before = len(aws.logs())
    aws.request(wanted)
    aws.emulator.clock.advance(60)
    aws.request(wanted, attempt=2)
    about = {
        "correlation_id": REQUEST_ID,
        "instance_name": "web-1",
        "instance_snapshot_name": NAME,
        "region": HERE,
        "destination": THERE,
        "plan": "daily",
    }
    lines = aws.logs()[before:]
    assert [(line["attempt"], line["state"]) for line in lines] == [(1, "pending"), (2, "available")]
    assert all(about.items() <= line.items() for line in lines)


# Bare messages, without a queue.


def test_bare_message_gets_one_step_and_its_state(aws: FakeAws, wanted: dict[str, Any]) -> None:
    about = {"instanceSnapshotName": NAME, "region": HERE, "destination": THERE}
    assert copy.handler(wanted, Context()) == {"state": "pending"} | about
    aws.emulator.clock.advance(60)
    assert copy.handler(wanted, Context()) == {"state": "available"} | about


def test_bare_message_raises_when_a_retry_may_help(aws: FakeAws, wanted: dict[str, Any]) -> None:
    aws.emulator.faults.add("throttle")
    with pytest.raises(RetryableError, match="ThrottlingException"):
        copy.handler(wanted, Context())
