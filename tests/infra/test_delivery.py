"""No event is lost, and nothing else gets in: every queue, rule and function of the stack with all its parts."""

import re
from collections import defaultdict
from typing import Any

import pytest

from tests.infra.simulation import statements_of
from tests.infra.synthesized import FOURTEEN_DAYS, ROOT, Synthesized, without_hash

FUNCTION, QUEUE, RULE = "AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::Events::Rule"
FAILURES = {  # where an event goes that a rule could not deliver, by the capability and the rule
    "AuditRule": "AuditFailures",
    "CopyTo": "CopyUndeliveredQueue",  # apart from the dead letters, which have a destination Region
    "CreateRule": "CreateDeadLetterQueue",
    "FanOutOn": "FanOutFailures",
    "FanOutRule": "FanOutFailures",
    "Notify": "NotifyFailures",
    "PruneRule": "PruneFailures",
}


def test_architecture_has_a_row_for_each_capability_with_its_queues(
    everything: Synthesized, with_drill: Synthesized
) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    _, _, table = text.partition("\n| capability |")
    rows = [row.split(" | ") for row in table.partition("\n\n")[0].splitlines()[2:]]
    handlers = [function["Handler"] for function in with_drill.of_type(FUNCTION).values()]
    assert len(handlers) == len(everything.of_type(FUNCTION)) + 1
    capabilities = {handler.removeprefix("lightsail_snapshots.").removesuffix(".handler") for handler in handlers}
    assert {row[0].strip("| ").split("`")[1] for row in rows} == capabilities
    queues = {queue for row in rows for queue in re.findall(r"`(\w+)`", row[-1])}
    assert queues == {*FAILURES.values(), "CopyDeadLetterQueue", "DrillDeadLetterQueue"}


@pytest.fixture(scope="module")
def rules(everything: Synthesized) -> dict[str, dict[str, Any]]:
    """The one target of each rule, by the rule's ARN."""
    found = {everything.arn(name): rule["Targets"] for name, rule in everything.of_type(RULE).items()}
    assert [targets for targets in found.values() if len(targets) != 1] == []
    return {arn: target for arn, (target,) in found.items()}


def policy_of(template: Synthesized, queue: str) -> list[dict[str, Any]]:
    policies = template.of_type("AWS::SQS::QueuePolicy").values()
    (policy,) = (policy for policy in policies if policy["Queues"] == [queue])
    statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return statements


def test_rule_retries_for_a_day_and_then_keeps_the_event(
    rules: dict[str, dict[str, Any]], everything: Synthesized
) -> None:
    kept: dict[str, set[str]] = defaultdict(set)
    for arn, target in rules.items():
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}, arn
        (start,) = (start for start in FAILURES if arn.rpartition("/")[2].startswith(start))
        kept[start].add(target["DeadLetterConfig"]["Arn"])
    assert kept == {start: {everything.queue(name)[0]} for start, name in FAILURES.items()}


def test_queue_keeps_messages_as_long_as_sqs_can(everything: Synthesized) -> None:
    queues = everything.of_type(QUEUE).items()
    days = {without_hash(name): queue["MessageRetentionPeriod"] for name, queue in queues}
    assert set(days.values()) == {FOURTEEN_DAYS}


def test_queue_is_encrypted_and_only_open_over_tls(everything: Synthesized) -> None:
    for name, queue in everything.of_type(QUEUE).items():
        assert queue["SqsManagedSseEnabled"] is True, name
        assert policy_of(everything, name)[0] == {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "sqs:*",
            "Resource": everything.arn(name),
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }


def test_queue_takes_messages_from_its_rules_only(rules: dict[str, dict[str, Any]], everything: Synthesized) -> None:
    for name in everything.of_type(QUEUE):
        queue = everything.arn(name)
        senders = [arn for arn, target in rules.items() if queue in (target["Arn"], target["DeadLetterConfig"]["Arn"])]
        # One statement for all rules: a queue's policy takes 20 statements and 10 conditions.
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {"ArnEquals": {"aws:SourceArn": senders}},
        }
        assert policy_of(everything, name)[1:] == ([allowed] if senders else [])


def test_function_is_invoked_by_its_rules_only(rules: dict[str, dict[str, Any]], everything: Synthesized) -> None:
    permissions = everything.of_type("AWS::Lambda::Permission").values()
    for permission in permissions:
        assert (permission["Action"], permission["Principal"]) == ("lambda:InvokeFunction", "events.amazonaws.com")
    functions = {everything.arn(name) for name in everything.of_type(FUNCTION)}
    triggers = [(target["Arn"], arn) for arn, target in rules.items() if target["Arn"] in functions]
    assert sorted((each["FunctionName"], each["SourceArn"]) for each in permissions) == sorted(triggers)
    assert everything.of_type("AWS::Lambda::Url") == {}


def test_failed_asynchronous_invocation_is_retried_twice_and_then_kept(everything: Synthesized) -> None:
    for construct in ("Audit", "FanOut", "Notify", "Prune"):
        invoke = everything.only("AWS::Lambda::EventInvokeConfig", construct)
        assert (invoke["MaximumRetryAttempts"], invoke["MaximumEventAgeInSeconds"]) == (2, 21_600)
        failures, _ = everything.queue(f"{construct}Failures")
        assert invoke["DestinationConfig"] == {"OnFailure": {"Destination": failures}}
    for construct in ("Copy", "Create"):
        invoke = everything.only("AWS::Lambda::EventInvokeConfig", construct)
        assert (invoke["MaximumRetryAttempts"], invoke["MaximumEventAgeInSeconds"]) == (2, 21_600)
        dead_letters, _ = everything.queue(f"{construct}DeadLetterQueue")
        assert everything.only(FUNCTION, construct)["DeadLetterConfig"] == {"TargetArn": dead_letters}


@pytest.mark.parametrize("construct", ["Copy", "Create"])
def test_function_may_send_to_its_own_dead_letter_queue_alone(construct: str, everything: Synthesized) -> None:
    dead_letters, _ = everything.queue(f"{construct}DeadLetterQueue")
    statements = statements_of(everything, construct)
    may_send = [each["Resource"] for each in statements if "sqs:SendMessage" in each["Action"]]
    assert may_send == [dead_letters]


@pytest.mark.parametrize(("construct", "hours"), [("Create", 6), ("Copy", 24)])
def test_message_that_stays_unfinished_is_kept(construct: str, hours: int, everything: Synthesized) -> None:
    queue_arn, queue = everything.queue(f"{construct}Queue")
    environment = everything.environment_of(construct)
    dead_letters, _ = everything.queue(f"{construct}DeadLetterQueue")
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": dead_letters, "maxReceiveCount": 1000}
    assert int(environment["DEADLINE_SECONDS"]) == hours * 3600
    # So many deliveries are not reached before the deadline: none comes later than after the visibility timeout.
    assert 1000 * queue["VisibilityTimeout"] > hours * 3600
    assert queue["MessageRetentionPeriod"] > hours * 3600
    # The Lambda guide asks for six times the timeout, or a slow batch is delivered twice.
    assert queue["VisibilityTimeout"] >= 6 * everything.only(FUNCTION, construct)["Timeout"]
    mapping = everything.only("AWS::Lambda::EventSourceMapping", construct)
    assert mapping["EventSourceArn"] == queue_arn
    assert mapping["BatchSize"] == 10
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
