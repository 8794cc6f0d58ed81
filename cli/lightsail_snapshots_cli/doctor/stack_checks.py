"""Checks of the deployed stack, if there is one in this Region."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import boto3

from lightsail_snapshots.aws import CONFIG
from lightsail_snapshots.aws.errors import AccessDeniedError, NotFoundError, translate_errors
from lightsail_snapshots.events import SOURCE
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.deployment import NAME, stack_resources
from lightsail_snapshots_cli.doctor.attempt import DeniedError, scrub
from lightsail_snapshots_cli.doctor.belief import AS_ASSUMED, DIFFERS, NOT_CHECKED, NOT_HERE
from lightsail_snapshots_cli.doctor.calls import NotYetError, read_anywhere
from lightsail_snapshots_cli.doctor.walk import Walk
from lightsail_snapshots_cli.errors import missing_action

STACK = ("bus-source", "stack-schedules", "stack-log-text", "stack-metrics")
NAMESPACE = "LightsailSnapshots"
DETAIL_TYPE = "Doctor Checked"
"""No rule of ours takes it: if the event is accepted, nothing comes of it."""
_DAY = timedelta(days=1)


def check_stack(walk: Walk) -> None:
    """See what the stack shows, without starting anything."""
    region = walk.home.region
    try:
        resources = read_anywhere(lambda: list(stack_resources(region)))
    except NotFoundError:
        for belief in STACK:
            walk.settle(belief, NOT_HERE, f"there is no stack in {region}")
        return
    _check_bus(walk)
    _check_metrics(walk)
    groups = {each.name: each.id for each in resources if each.type == "AWS::Logs::LogGroup"}
    if "AuditLogs" not in groups:
        raise NotYetError("the stack has no log of audit")
    _check_log(walk, groups["AuditLogs"])


def _check_bus(walk: Walk) -> None:
    """Put an event with our source, which must be denied by the bus and not for lack of a permission."""
    try:
        with translate_errors():
            code = put_event(walk.home.region)
    except AccessDeniedError as error:
        if "no identity-based policy" in str(error):
            raise DeniedError(missing_action(error)) from error
        is_of_bus = "explicit deny in a resource-based policy" in str(error)
        walk.settle("bus-source", AS_ASSUMED if is_of_bus else NOT_CHECKED, scrub(str(error)))
        return
    walk.settle("bus-source", AS_ASSUMED if code else DIFFERS, f"rejected: {code}" if code else "accepted")


def put_event(region: str) -> str:
    """Put the event; return the error code of its entry, which is empty if the bus took it."""
    client = boto3.client("events", region_name=region, config=CONFIG)
    entry: Any = {"EventBusName": NAME, "Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": "{}"}
    [answer] = client.put_events(Entries=[entry])["Entries"]
    return str(answer.get("ErrorCode", ""))


def _check_metrics(walk: Walk) -> None:
    client = boto3.client("cloudwatch", region_name=walk.home.region, config=CONFIG)
    answer = read_anywhere(partial(client.list_metrics, Namespace=NAMESPACE))
    names = {each["MetricName"] for each in answer["Metrics"]}
    found = f"{len(names)} metrics" if names else "no metric yet: has anything run in the last two weeks?"
    walk.settle("stack-metrics", AS_ASSUMED if names else NOT_CHECKED, found)


def _check_log(walk: Walk, group: str) -> None:
    """Look for a line of the last day, and find it again by a text of it."""
    since = round((clock.now() - _DAY).timestamp() * 1000)
    ids = filter(None, map(_request_id, read_events(walk.home.region, group, since)))
    request_id = next(ids, "")
    if not request_id:
        walk.settle("stack-schedules", NOT_CHECKED, "no line in a day: has the stack just been deployed?")
        walk.settle("stack-log-text", NOT_CHECKED, "there is no line to find")
        return
    walk.settle("stack-schedules", AS_ASSUMED, "audit has run in the last day")
    again = read_events(walk.home.region, group, since, f'"{request_id}"')
    walk.settle("stack-log-text", AS_ASSUMED if again else DIFFERS, f"{'found' if again else 'did not find'} the line")


def read_events(region: str, group: str, since: int, pattern: str = "") -> list[str]:
    """Return the lines of a log since some milliseconds of the epoch: a page of them."""
    client: Any = boto3.client("logs", region_name=region, config=CONFIG)
    more = {"filterPattern": pattern} if pattern else {}
    answer = read_anywhere(partial(client.filter_log_events, logGroupName=group, startTime=since, **more))
    return [str(event["message"]) for event in answer["events"]]


def _request_id(message: str) -> str:
    try:
        fields = json.loads(message)
    except ValueError:
        return ""
    return str(fields.get("function_request_id", "")) if isinstance(fields, dict) else ""
