"""`replay`: each kind of dead letter, in words, and where it goes."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from tests.support.command_line import CommandLine
from tests.support.events import requested

REQUEST = requested({"instanceName": "web-1", "region": "us-east-1"})
FLEET: dict[str, Any] = requested({"plan": "daily", "select": {"all": True}}, source="lightsail-snapshots") | {
    "detail-type": "Fleet Snapshot Requested"
}
AVAILABLE: dict[str, Any] = {
    "detail-type": "Instance Snapshot Available",
    "source": "lightsail-snapshots",
    "detail": {
        "instanceName": "web-1",
        "instanceSnapshotName": "web-1-x",
        "instanceSnapshotArn": "arn:x",
        "copyTo": ["eu-west-1", "us-east-1"],
    },
}


def failed(event: Any, error: str = "boom") -> dict[str, Any]:
    """Return the record of an invocation that failed three times."""
    return {
        "version": "1.0",
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": event,
        "responsePayload": {"errorMessage": error, "errorType": "RegionsFailedError"},
    }


def listed(commands: CommandLine) -> list[tuple[str, str]]:
    """Return what the messages are and why they are there."""
    shown = commands.run("replay", "--dry-run", "--json")
    assert shown.exit_code == 0, shown.stderr
    return [(each["what"], each["why"]) for each in json.loads(shown.stdout)["messages"]]


def test_replay_says_that_all_queues_are_empty(commands: CommandLine) -> None:
    commands.send("CreateQueue", REQUEST)
    assert commands.run("replay").stdout == "The dead-letter queues are empty.\n"
    assert commands.messages("CreateQueue") == [REQUEST]


def test_replay_shows_the_messages_and_puts_them_back_when_a_person_agrees(commands: CommandLine) -> None:
    commands.send("CreateDeadLetterQueue", REQUEST)
    shown = commands.run("replay", answer="y\n")
    assert (shown.exit_code, shown.stdout) == (0, "CreateDeadLetterQueue: 1 sent again\n")
    assert "a snapshot of web-1 in us-east-1  not done after all deliveries" in shown.stderr
    assert (commands.messages("CreateDeadLetterQueue"), commands.messages("CreateQueue")) == ([], [REQUEST])


@pytest.mark.parametrize(("answer", "status"), [("n\n", 0), (None, 2)])
def test_replay_leaves_everything_when_nobody_agrees(commands: CommandLine, answer: str | None, status: int) -> None:
    commands.send("CreateDeadLetterQueue", REQUEST)
    assert commands.run("replay", answer=answer).exit_code == status
    assert (commands.messages("CreateDeadLetterQueue"), commands.messages("CreateQueue")) == ([REQUEST], [])


def test_replay_only_shows_when_it_is_a_dry_run(commands: CommandLine) -> None:
    commands.send("CreateDeadLetterQueue", REQUEST)
    assert listed(commands) == [("a snapshot of web-1 in us-east-1", "not done after all deliveries")]
    assert commands.messages("CreateDeadLetterQueue") == [REQUEST]


def test_replay_sends_a_copy_back_to_its_queue(commands: CommandLine) -> None:
    message = {"destination": "eu-west-1", "event": AVAILABLE}
    commands.send("CopyDeadLetterQueue", message)
    assert listed(commands) == [("a copy of web-1-x to eu-west-1", "not done after all deliveries")]
    commands.run("replay", "--yes")
    assert commands.messages("CopyQueue") == [message]


def test_replay_sends_an_undelivered_event_to_copy_once_for_each_region(commands: CommandLine) -> None:
    commands.send("CopyUndeliveredQueue", AVAILABLE, ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="denied")
    assert listed(commands) == [
        ("copies of web-1-x to eu-west-1, us-east-1", "not delivered: NO_PERMISSIONS: denied"),
    ]
    assert commands.run("replay", "--yes").exit_code == 0
    assert commands.messages("CopyQueue") == [
        {"destination": "eu-west-1", "event": AVAILABLE},
        {"destination": "us-east-1", "event": AVAILABLE},
    ]


def test_replay_invokes_the_function_whose_invocation_failed(commands: CommandLine) -> None:
    commands.send("FanOutFailures", failed(FLEET, "eu-central-1: throttled"))
    assert listed(commands) == [("snapshots of plan daily", "the function failed: eu-central-1: throttled")]
    commands.run("replay", "--yes")
    assert commands.invoked == [("fanout", FLEET)]
    assert commands.messages("FanOutFailures") == []


def test_replay_invokes_a_function_with_an_event_that_a_rule_could_not_deliver(commands: CommandLine) -> None:
    rule = make_rule(None)
    commands.send("FanOutFailures", FLEET, RULE_ARN=rule, ERROR_CODE="THROTTLING")
    commands.run("replay", "--yes")
    assert commands.invoked == [("fanout", FLEET)]


def test_replay_applies_the_template_of_the_rule_that_could_not_deliver(commands: CommandLine) -> None:
    template = '{"id": <id>, "time": <time>, "source": "lightsail-snapshots", "detail": {"plan": "deploy"}}'
    release = {"id": "7", "time": "2026-11-23T03:15:00Z", "detail-type": "Release", "source": "ci", "detail": {}}
    commands.send("FanOutFailures", release, RULE_ARN=make_rule(template))
    commands.run("replay", "--yes")
    expected = {
        "id": "7",
        "time": "2026-11-23T03:15:00Z",
        "source": "lightsail-snapshots",
        "detail": {"plan": "deploy"},
    }
    assert commands.invoked == [("fanout", expected)]


def make_rule(template: str | None) -> str:
    """Make a rule on our bus, and return its ARN."""
    events: Any = boto3.client("events", region_name="us-east-1")
    arn = events.put_rule(Name="trigger", EventBusName="lightsail-snapshots", EventPattern='{"source": ["ci"]}')
    target: dict[str, Any] = {"Id": "target", "Arn": "arn:aws:lambda:us-east-1:123456789012:function:fan-out"}
    if template:
        paths = {"id": "$.id", "time": "$.time"}
        target["InputTransformer"] = {"InputPathsMap": paths, "InputTemplate": template}
    events.put_targets(Rule="trigger", EventBusName="lightsail-snapshots", Targets=[target])
    return str(arn["RuleArn"])


def test_replay_runs_a_schedule_that_could_not_put_its_event(commands: CommandLine) -> None:
    arn = "arn:aws:scheduler:us-east-1:123456789012:schedule/lightsail-snapshots/plan-daily"
    slot = "2026-11-23T03:15:00Z"
    commands.send("SchedulesDeadLetterQueue", {}, SCHEDULE_ARN=arn, SCHEDULED_TIME=slot, ERROR_CODE="AccessDenied")
    assert listed(commands) == [("the run of the schedule plan-daily", "not delivered: AccessDenied")]
    commands.run("replay", "--yes")
    [(function, event)] = commands.invoked
    assert (function, event["source"], event["detail-type"]) == (
        "fanout",
        "lightsail-snapshots",
        "Fleet Snapshot Requested",
    )
    assert event["detail"] == {
        "plan": "daily",
        "select": {"tags": {"backup": "daily"}},
        "scheduledTime": slot,
    }


@pytest.mark.parametrize(
    ("queue", "body", "attributes", "problem"),
    [
        (
            "SchedulesDeadLetterQueue",
            {},
            {"SCHEDULE_ARN": "arn:aws:scheduler:us-east-1:1:schedule/lightsail-snapshots/plan-old"},
            "there is no schedule plan-old any more: --discard deletes it",
        ),
        ("OtherUndelivered", AVAILABLE, {}, "it cannot be sent again: --discard deletes it"),
        ("CreateDeadLetterQueue", "no JSON", {}, "it is not a JSON object: --discard deletes it"),
        ("PruneFailures", "[" * 9999, {}, "it is not a JSON object: --discard deletes it"),
    ],
)
def test_replay_says_what_cannot_be_sent_again_and_discards_it_on_request(
    commands: CommandLine, queue: str, body: Any, attributes: dict[str, str], problem: str
) -> None:
    commands.send(queue, body, **attributes)
    shown = commands.run("replay", "--yes", "--json")
    [message] = json.loads(shown.stdout)["messages"]
    assert message["problem"] == problem
    assert commands.run("replay", "--discard", "--yes").stdout == f"{queue}: 1 deleted\n"
    assert commands.run("replay").stdout == "The dead-letter queues are empty.\n"


def test_replay_of_one_queue_leaves_the_others(commands: CommandLine) -> None:
    commands.send("CreateDeadLetterQueue", REQUEST)
    commands.send("FanOutFailures", failed(FLEET))
    assert commands.run("replay", "FanOutFailures", "--yes").stdout == "FanOutFailures: 1 sent again\n"
    assert commands.messages("CreateDeadLetterQueue") == [REQUEST]


def test_replay_ends_with_2_when_there_is_no_such_queue(commands: CommandLine) -> None:
    shown = commands.run("replay", "FanOutFailure")
    assert shown.exit_code == 2
    assert shown.stderr == ("Error: The stack has no dead-letter queue FanOutFailure; did you mean FanOutFailures?\n")


def test_replay_keeps_a_message_that_could_not_be_sent(commands: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: str) -> None:
        raise EndpointConnectionError(endpoint_url="https://example.com")

    monkeypatch.setattr("lightsail_snapshots_cli.replay.send", fail)
    commands.send("CreateDeadLetterQueue", REQUEST)
    shown = commands.run("replay", "--yes")
    assert shown.exit_code == 1
    assert "AWS could not be reached while sending a snapshot of web-1 in us-east-1" in shown.stderr
    assert commands.messages("CreateDeadLetterQueue") == [REQUEST]


@pytest.mark.parametrize(
    ("request_", "queue", "what"),
    [
        (REQUEST, "CreateQueue", "a snapshot of web-1 in us-east-1"),
        ({"destination": "eu-west-1", "event": AVAILABLE}, "CopyQueue", "a copy of web-1-x to eu-west-1"),
    ],
)
def test_replay_sends_the_request_of_a_failed_event(
    commands: CommandLine, request_: dict[str, Any], queue: str, what: str, tmp_path: Path
) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request_))
    assert commands.run("replay", "--request", str(path)).exit_code == 2
    assert commands.messages(queue) == []
    assert commands.run("replay", "--request", str(path), "--yes").stdout == f"Sent {what} again.\n"
    assert commands.messages(queue) == [request_]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "The file is not JSON: "),
        ("[]", "The file must have detail.request of an Instance Snapshot Failed event."),
        ('{"reason": "x"}', "The file must have detail.request of an Instance Snapshot Failed event."),
    ],
)
def test_replay_rejects_a_file_that_has_no_request(
    commands: CommandLine, text: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "request.json"
    path.write_text(text)
    shown = commands.run("replay", "--request", str(path), "--yes")
    assert shown.exit_code == 2
    assert shown.stderr.startswith(f"Error: {message}")
