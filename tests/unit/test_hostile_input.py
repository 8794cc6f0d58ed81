"""An event with anything in it ends with one outcome, and with log lines that any tool reads.

`make test` tries some hundreds of events for each handler, `make test-thorough` 51,000.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots import audit, copy, create, drill, fan_out, notify, prune
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.aws.topic import Topic
from lightsail_snapshots.events import DETAIL_TYPES, RESTORE_DRILL_REQUESTED
from lightsail_snapshots.messages import MESSAGES, compose
from lightsail_snapshots.messages.message import LONGEST_TEXT, text_at
from lightsail_snapshots.reporting import RegionsFailedError
from tests.support.copies import available, to
from tests.support.direct_lightsail import direct_lightsail
from tests.support.drills import DRILL, SNAPSHOT, clones, take_snapshot
from tests.support.events import fits, message, requested
from tests.support.fake_aws import DEADLINE, Context, FakeAws, fake_aws, make_instance
from tests.support.hostile import INVISIBLE, hostile, valid_events

MAX_EVENT = 256 * 1024
EACH_TIME = 17
"""Events of one example: 40 examples are 680 events, 3,000 are 51,000."""


@contextmanager
def published() -> Iterator[list[dict[str, Any]]]:
    """Collect the events that are put; check that the bus takes each of them, and SNS the message about it."""
    found: list[dict[str, Any]] = []

    def put(_: EventBus, entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            assert len(entry["Detail"].encode()) < MAX_EVENT - 1000
            detail = json.loads(entry["Detail"], parse_constant=pytest.fail)
            found.append({**requested(detail), "source": entry["Source"], "detail-type": entry["DetailType"]})
            assert fits(found[-1]), found[-1]
            if told := compose(found[-1], "docs/operations.md") if found[-1]["detail-type"] in MESSAGES else None:
                check_message(told.subject, told.text)

    with patch.object(EventBus, "_put", put):
        yield found


def check_message(subject: str, text: str) -> None:
    """Check that SNS takes a message (its API reference, Publish), and that people can read it."""
    assert re.fullmatch(r"[!-~][ -~]{,98}", subject), subject
    assert len(text) <= LONGEST_TEXT
    assert text.replace("\n", "").isprintable(), text
    assert '"' not in text


def lines_of(aws: FakeAws) -> list[dict[str, Any]]:
    """Return the log lines since the last call; check that every tool can read and show them."""
    text = aws.log.getvalue()
    aws.log.seek(0)
    aws.log.truncate()
    lines = text.split("\n")[:-1]
    assert lines
    assert all(line.isprintable() and len(line.encode()) < MAX_EVENT for line in lines)
    return [json.loads(line, parse_constant=pytest.fail) for line in lines]


def deliver(aws: FakeAws, body: str) -> list[dict[str, Any]]:
    """Deliver a message until it is done, or its time is up; return the log lines."""
    sent_at = aws.emulator.clock.now()
    for attempt, wait in ((1, 600.0), (2, DEADLINE.total_seconds()), (3, 0.0)):
        if aws.deliver(message(body, attempt, first_at=aws.emulator.clock.now(), sent_at=sent_at)) == []:
            break
        aws.emulator.clock.advance(wait)
    return lines_of(aws)


# Known cases


@pytest.mark.parametrize(
    "body",
    [
        "[" * 10_000 + "]" * 10_000,
        json.dumps(requested()).replace('"web-1"', "[" * 10_000 + "]" * 10_000),
        json.dumps(requested({"instanceName": INVISIBLE, INVISIBLE: INVISIBLE, "tags": {INVISIBLE: INVISIBLE}})),
        json.dumps(requested(id=INVISIBLE, time=INVISIBLE)),
        json.dumps(requested({"instanceName": "web-9"}, resources=["é" * 500] * 260)),
        json.dumps(requested({"instanceName": "web-9", "more": "x" * (MAX_EVENT - 600)})),
        json.dumps(requested({"instanceName": "web-9", **{f"{number}{'é' * 60}": 0 for number in range(2000)}})),
    ],
    ids=["deep", "deep field", "invisible", "invisible id", "large envelope", "nearly too large", "many problems"],
)
def test_hostile_request_ends_with_one_event_and_one_log_line(aws: FakeAws, body: str) -> None:
    with published() as events:
        [line] = deliver(aws, body)
    [event] = events
    assert event["detail-type"] == "Instance Snapshot Failed"
    for text in (event["detail"]["message"], line["message"], *event["detail"].get("problems", [])):
        assert text.isprintable()


def test_deeply_nested_request_keeps_its_id(aws: FakeAws) -> None:
    with published() as events:
        deliver(aws, json.dumps(requested(id="mine")).replace('"web-1"', "[" * 200 + "]" * 200))
    assert events[0]["detail"]["requestId"] == "mine"
    assert events[0]["detail"]["request"] == "too deeply nested to be repeated"


def test_names_that_cannot_be_seen_are_cleaned_in_messages(aws: FakeAws) -> None:
    with published() as events:
        deliver(aws, json.dumps(requested({"instanceName": "web-1", "pl\u202ean\u200b": 1})))
    assert events[0]["detail"]["message"].startswith("detail.plan: unknown key; allowed are instanceName, ")
    assert events[0]["detail"]["request"]["detail"] == {"instanceName": "web-1", "pl\u202ean\u200b": 1}


# Any case

RANDOMS = st.randoms(use_true_random=True)
PLAN = {"name": "daily", "select": {"all": True}, "keep": {"last": 1, "within": "P3D"}, "copyTo": ["eu-west-1"]}
ALL_FIELDS = {
    "region": "eu-central-1",
    "tags": [{"key": "env", "value": "prod"}],
    "copyInstanceTags": False,
    "keepFor": "P14D",
    "copyTo": ["eu-west-1"],
    "scheduledTime": "2026-11-23T03:15:00Z",
}
OURS = {"plan": "daily", "keep": {"last": 7, "within": "P3D"}, "lateAfter": "P3650D"}


def try_messages(aws: FakeAws, events: list[dict[str, Any]], done: str = "") -> None:
    """Check that each event made of these ends with one outcome: an event, or the log line `done`."""

    @given(RANDOMS)
    def each_message_ends_with_one_outcome(random: Random) -> None:
        for _ in range(EACH_TIME):
            body = hostile(random, events)
            with published() as outcomes:
                lines = deliver(aws, body)
            ends = [each for each in outcomes if each["detail-type"] != RESTORE_DRILL_REQUESTED]
            ends += [line for line in lines if line["message"] == done]
            assert len(ends) == 1, body
            assert not [line for line in lines if line["message"] == "Unexpected error, will retry"], body

    each_message_ends_with_one_outcome()


@pytest.mark.hypothesis
def test_create_ends_each_message_with_one_outcome() -> None:
    with fake_aws(create.handler) as aws, direct_lightsail(aws.emulator):
        make_instance("web-1", "eu-central-1")
        details = ({"instanceName": "web-1"}, {"instanceName": "web-1", **ALL_FIELDS})
        ours = {"instanceName": "web-1", **ALL_FIELDS, **OURS}
        try_messages(aws, valid_events("Instance Snapshot Requested", *details, ours))


@pytest.mark.hypothesis
def test_copy_ends_each_message_with_one_outcome() -> None:
    with fake_aws(create.handler) as aws, direct_lightsail(aws.emulator):
        event = available(aws)
        lines_of(aws)
        aws.handler = copy.handler
        try_messages(aws, [to("eu-central-1", event), to("eu-west-1", event)])


@pytest.mark.hypothesis
def test_drill_ends_each_message_with_one_outcome_and_leaves_no_clone() -> None:
    one = {"plan": "daily", "instanceName": "web-1", "instanceSnapshotName": SNAPSHOT, "drill": DRILL}
    of_a_plan = {"plan": "daily", "select": {"all": True}, "regions": ["us-east-1"], "drill": DRILL, "every": "P7D"}
    with fake_aws(drill.handler) as aws, direct_lightsail(aws.emulator):
        take_snapshot(aws)
        events = valid_events("Restore Drill Requested", one | {"region": "us-east-1"}, of_a_plan)
        try_messages(aws, events, done="Requested restore drills")
        assert clones() == []


def as_lambda_reads(body: str) -> Any:
    """Return the event that a handler gets; None if Lambda's own runtime rejects it, which is no event either."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def answer_of(handler: Any, event: Any) -> dict[str, Any]:
    """Return what the handler returns, or {} if it fails since a plan of our own names a Region that there is not."""
    try:
        answer: dict[str, Any] = handler(event, Context(900))
    except RegionsFailedError:
        return {}
    return answer


def try_events(handler: Any, events: list[dict[str, Any]], rejection: str = "Rejected the event") -> None:
    with fake_aws(handler, at=None) as aws, direct_lightsail(aws.emulator):

        @given(RANDOMS)
        def each_event_ends_with_one_outcome(random: Random) -> None:
            for _ in range(EACH_TIME):
                body = hostile(random, events)
                event = as_lambda_reads(body)
                with published() as put:
                    is_rejected = answer_of(handler, event).get("state") == "failed"
                lines = lines_of(aws)
                rejected = [each for each in put if each["detail-type"] == "Request Rejected"]
                assert len(rejected) == is_rejected, body
                assert [line["message"] == rejection for line in lines].count(True) == is_rejected, body

        each_event_ends_with_one_outcome()


@pytest.mark.hypothesis
def test_fan_out_ends_each_event_with_one_outcome() -> None:
    detail = {"select": {"names": ["web-*"], "tags": {"team": "*"}}, **ALL_FIELDS, "regions": ["us-east-1"]}
    del detail["region"], detail["copyInstanceTags"]
    try_events(fan_out.handler, valid_events("Fleet Snapshot Requested", {"select": {"all": True}}, detail | OURS))


@pytest.mark.hypothesis
def test_prune_ends_each_event_with_one_outcome() -> None:
    try_events(prune.handler, valid_events("Prune Requested", {"plans": [PLAN]}, {"plans": [PLAN], "report": True}))


@pytest.mark.hypothesis
def test_audit_ends_each_event_with_one_outcome() -> None:
    plan = PLAN | {"maxAge": "PT26H", "regions": ["us-east-1"]}
    try_events(audit.handler, valid_events("Audit Requested", {"plans": [plan]}, {"plans": [plan], "report": True}))


@pytest.mark.hypothesis
def test_notify_ends_each_event_with_one_outcome() -> None:
    """It gets what others put under a detail-type that is none of ours."""
    detail = {"instanceName": "web-1", **ALL_FIELDS}
    misspelt = ("Instance snapshot Requested", "Fleet Snapshots Requested", "Order Placed")
    events = [requested(detail, **{"detail-type": detail_type}) for detail_type in misspelt]
    with fake_aws(notify.handler, at=None) as aws, patch.object(notify, "_post"):

        @given(RANDOMS)
        def each_event_ends_with_one_outcome(random: Random) -> None:
            for _ in range(EACH_TIME):
                body = hostile(random, events)
                event = as_lambda_reads(body)
                if event is None or text_at(event, "detail-type") in DETAIL_TYPES:
                    continue
                with patch.object(Topic, "publish") as publish:
                    is_told = notify.handler(event, Context())["state"] == "notified"
                assert (publish.call_count, len(lines_of(aws))) == (is_told, 1), body
                for call in publish.call_args_list:
                    check_message(*call.args)

        each_event_ends_with_one_outcome()
