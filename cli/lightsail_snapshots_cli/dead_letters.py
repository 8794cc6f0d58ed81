"""What a message of a dead-letter queue is, in words, and where it is sent again.

There are five kinds:

- a message that a function did not finish, and an event that a rule could not deliver to its queue: back to that queue;
- an `Instance Snapshot Available` that a rule could not deliver: to the queue of `copy`, once for each Region;
- the record of an invocation that failed, which has the event: the function is invoked with it;
- an event that a rule could not deliver to a function: likewise, as the rule's template would have written it;
- what a schedule could not put on the bus: its function is invoked with what the schedule sends today.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3

from lightsail_snapshots.aws import CONFIG
from lightsail_snapshots.aws.errors import AwsError, translate_errors
from lightsail_snapshots.events import AUDIT_REQUESTED, FLEET_SNAPSHOT_REQUESTED, PRUNE_REQUESTED, SOURCE
from lightsail_snapshots.naming import format_utc
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.deployment import Deployment, read_schedule
from lightsail_snapshots_cli.queues import FUNCTION, Letter, work_queues

_CONSUMERS = {FLEET_SNAPSHOT_REQUESTED: "FanOut", PRUNE_REQUESTED: "Prune", AUDIT_REQUESTED: "Audit"}
"""Which function a schedule's event is for."""


class UnsendableError(Exception):
    """Raised if a message cannot be sent again; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One message to a queue, or one invocation of a function: exactly one of the two is set."""

    queue_url: str = ""
    function: str = ""
    body: str


def deliveries(letter: Letter, deployment: Deployment) -> list[Delivery]:
    """Return how a message is sent again; raise UnsendableError if it cannot be."""
    capability = capability_of(letter.queue, deployment)
    if "SCHEDULE_ARN" in letter.attributes:
        return [_of_schedule(letter, deployment)]
    if not capability:
        raise UnsendableError("it cannot be sent again: --discard deletes it")
    event = letter.event
    queue_url = work_queues(deployment).get(capability)
    if not isinstance(event, dict):
        raise UnsendableError("it is not a JSON object: --discard deletes it")
    if not queue_url:
        payload = event.get("requestPayload") or _transformed(letter, deployment.region)
        return [Delivery(function=deployment.function(capability), body=json.dumps(payload))]
    if capability == "Copy" and "destination" not in event:
        regions = _detail(event).get("copyTo") or []
        messages = (json.dumps({"destination": each, "event": event}, ensure_ascii=False) for each in regions)
        return [Delivery(queue_url=queue_url, body=message) for message in messages]
    return [Delivery(queue_url=queue_url, body=letter.body)]


def capability_of(queue: str, deployment: Deployment) -> str:
    """Return the capability whose dead letters a queue has; empty if it belongs to none."""
    names = (name.removesuffix("Function") for name in deployment.resources_of_type(FUNCTION))
    return max((name for name in names if queue.startswith(name)), key=len, default="")


def describe(letter: Letter) -> str:
    """Say what a message was for."""
    if "SCHEDULE_ARN" in letter.attributes:
        return f"the run of the schedule {_schedule(letter)}"
    message = letter.event
    return describe_message(message) if isinstance(message, dict) else "a message that cannot be read"


def describe_message(message: Mapping[str, Any]) -> str:
    """Say what a request, or the record of an invocation with one, was for."""
    event = message.get("requestPayload", message.get("event", message))
    if "destination" in message:
        return f"a copy of {_detail(event).get('instanceSnapshotName')} to {message['destination']}"
    return _describe_event(event)


def _describe_event(event: Any) -> str:
    detail = _detail(event)
    if "copyTo" in detail and "instanceSnapshotArn" in detail:
        return f"copies of {detail.get('instanceSnapshotName')} to {', '.join(map(str, detail['copyTo']))}"
    if "instanceName" in detail:
        where = f" in {detail['region']}" if "region" in detail else ""
        return f"a snapshot of {detail['instanceName']}{where}"
    if "select" in detail:
        return f"snapshots of plan {detail['plan']}" if "plan" in detail else "snapshots of several instances"
    kind = event.get("detail-type") if isinstance(event, dict) else None
    return f"the event {kind}" if kind else "a run of the function"


def describe_error(letter: Letter) -> str:
    """Say why it is here."""
    code, text = (letter.attributes.get(name, "") for name in ("ERROR_CODE", "ERROR_MESSAGE"))
    if code or text:
        return f"not delivered: {': '.join(filter(None, (code, text)))}"
    message = letter.event
    if isinstance(message, dict) and "requestPayload" in message:
        answer = message.get("responsePayload")
        error = answer.get("errorMessage") if isinstance(answer, dict) else None
        return f"the function failed: {error or 'it gave no reason'}"
    return "not done after all deliveries"


def _detail(event: Any) -> Mapping[str, Any]:
    detail = event.get("detail") if isinstance(event, dict) else None
    return detail if isinstance(detail, dict) else {}


def _schedule(letter: Letter) -> str:
    return letter.attributes["SCHEDULE_ARN"].rpartition("/")[2]


def _of_schedule(letter: Letter, deployment: Deployment) -> Delivery:
    """Do what the schedule does today, for the time of the run that was lost: its plan may have changed since."""
    name = _schedule(letter)
    try:
        with translate_errors():
            detail_type, detail = read_schedule(deployment.region, name)
    except AwsError as error:
        if "ResourceNotFound" not in str(error):
            raise
        raise UnsendableError(f"there is no schedule {name} any more: --discard deletes it") from error
    slot = letter.attributes.get("SCHEDULED_TIME") or format_utc(letter.sent_at)
    payload = {
        "id": str(uuid4()),
        "source": SOURCE,
        "detail-type": detail_type,
        "time": format_utc(clock.now()),
        "detail": {**detail, "scheduledTime": slot},
    }
    return Delivery(function=deployment.function(_CONSUMERS[detail_type]), body=json.dumps(payload))


def _transformed(letter: Letter, region: str) -> Any:
    """Return the event as its rule would have sent it: AWS keeps the event itself, without the rule's template."""
    event, rule_arn = letter.event, letter.attributes.get("RULE_ARN")
    if not rule_arn or "detail-type" not in event:
        return event
    *bus, rule = rule_arn.partition(":rule/")[2].split("/")
    client = boto3.client("events", region_name=region, config=CONFIG)
    with translate_errors():
        targets = client.list_targets_by_rule(Rule=rule, EventBusName=bus[0] if bus else "default")["Targets"]
    transformers = [each["InputTransformer"] for each in targets if "InputTransformer" in each]
    if not transformers:
        return event
    template = transformers[0]["InputTemplate"]
    for name, path in transformers[0].get("InputPathsMap", {}).items():
        template = template.replace(f"<{name}>", json.dumps(event[path.removeprefix("$.")]))
    return json.loads(template)
