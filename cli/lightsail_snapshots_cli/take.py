"""`take`: request a snapshot of one instance, and follow it until it is usable."""

import json
import shlex
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import boto3
import click

from lightsail_snapshots.aws import CONFIG
from lightsail_snapshots.aws.errors import AwsError, NotFoundError, RetryableError
from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots.events import INSTANCE_SNAPSHOT_REQUESTED
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.instance_snapshot_requested import SnapshotRequest, parse_request
from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.reader import format_duration, suggestion
from lightsail_snapshots.snapshot import AVAILABLE, ERROR, Snapshot
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.deployment import NAME, Deployment, read_deployment
from lightsail_snapshots_cli.errors import (
    FAILED,
    INTERRUPTED,
    NOT_FOUND,
    PENDING,
    USAGE,
    CommandError,
    explain,
    explain_errors,
)
from lightsail_snapshots_cli.logs import read_lines
from lightsail_snapshots_cli.parameters import Duration, Instant, LightsailRegion, Tag
from lightsail_snapshots_cli.permissions import (
    BUS,
    LIST_INSTANCES,
    LOG_GROUPS,
    READ_DEPLOYMENT,
    READ_INSTANCE,
    READ_SNAPSHOT,
    Permission,
)
from lightsail_snapshots_cli.terminal import print_json, progress

SOURCE = "lightsail-snapshots-cli"
"""Of the events that this command puts on the bus: only the stack's own roles may use the stack's."""
SECONDS_BETWEEN_LOOKS = 5
PENDING_STATE = "pending"
CLOCK_SKEW = timedelta(hours=1)
"""How much this machine's clock may be ahead of that of CloudWatch."""
MOST_OUTAGES = 6
"""Looks in a row that may fail before the command gives up."""


PERMISSIONS = {
    "take": (
        *READ_DEPLOYMENT,
        READ_INSTANCE,
        LIST_INSTANCES,
        READ_SNAPSHOT,
        Permission("logs:FilterLogEvents", LOG_GROUPS),
        Permission(
            "events:PutEvents",
            BUS,
            {"ForAllValues:StringEquals": {"events:source": SOURCE, "events:detail-type": INSTANCE_SNAPSHOT_REQUESTED}},
        ),
    )
}


@click.command()
@click.argument("instance")
@click.option("--region", type=LightsailRegion(), help="Of the instance; default: the Region of the stack.")
@click.option("--tag", "tags", type=Tag(), multiple=True, help="A tag for the snapshot. Can be repeated.")
@click.option("--keep-for", type=Duration(), help="Delete the snapshot after this time, such as 14d; default: never.")
@click.option("--wait", is_flag=True, help="Wait until the snapshot is usable.")
@click.option("--timeout", type=Duration(seconds=True), default="30m", show_default=True, help="How long to wait.")
@click.option("--slot", type=Instant(), help="The time of an earlier request: continue with its snapshot.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def take(  # noqa: PLR0913, PLR0917  click passes each option as an argument
    ctx: click.Context,
    instance: str,
    region: str | None,
    tags: tuple[tuple[str, str], ...],
    keep_for: timedelta | None,
    wait: bool,
    timeout: timedelta,
    slot: datetime | None,
    as_json: bool,
) -> None:
    """Take a snapshot of INSTANCE now.

    Each run is a new request, except with --slot. With --wait it ends with 0 if the snapshot is usable, 1 if it failed,
    and 4 if it is still pending at --timeout. It can be interrupted: the snapshot is taken anyway.
    """
    deployment = read_deployment()
    detail = {
        "instanceName": instance,
        "region": region or deployment.region,
        "scheduledTime": format_utc(slot or clock.now()),
        **({"tags": dict(tags)} if tags else {}),
        **({"keepFor": format_duration(keep_for)} if keep_for else {}),
    }
    request = _parse(detail, deployment)
    again = _resume_command(detail, timeout, as_json=as_json)
    find_failure: Callable[[], str] = str
    if slot is None or lightsail(request.region).find_snapshot(request.instance_snapshot_name) is None:
        _check_instance(request)
        event_id = _put(detail, deployment)
        find_failure = partial(_find_failure, deployment, event_id, clock.now())
    snapshot = _wait(request, timeout, again, find_failure) if wait else None
    state = snapshot.state if snapshot else PENDING_STATE if wait else "requested"
    _print(request, state, snapshot, as_json=as_json)
    if state == PENDING_STATE:
        ctx.exit(PENDING)


def _print(request: SnapshotRequest, state: str, snapshot: Snapshot | None, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "instanceName": request.instance_name,
                "instanceSnapshotName": request.instance_snapshot_name,
                "instanceSnapshotArn": snapshot.arn if snapshot else None,
                "region": request.region,
                "state": state,
            }
        )
    else:
        click.echo(f"{request.instance_snapshot_name} in {request.region}: {state}")


def _parse(detail: Mapping[str, Any], deployment: Deployment) -> SnapshotRequest:
    """Read the request as `create` will, which gives the snapshot's name; end the command if it is not valid."""
    event = {"id": str(uuid4()), "source": SOURCE, "time": format_utc(clock.now()), "detail": detail}
    try:
        return parse_request(
            event,
            default_region=deployment.region,
            regions=deployment.regions,
            copy_regions=deployment.copy_regions,
        )
    except InvalidRequestError as error:
        raise CommandError(f"The request is not valid. {error}", USAGE) from error


def _check_instance(request: SnapshotRequest) -> None:
    region = lightsail(request.region)
    try:
        region.instance(request.instance_name)
    except NotFoundError as error:
        names = sorted(each.name for page in region.instances() for each in page)
        hint = suggestion(request.instance_name, names, "--region names another Region")
        text = f"There is no instance {request.instance_name} in {request.region}; {hint}"
        raise CommandError(text, NOT_FOUND) from error


def _put(detail: Mapping[str, Any], deployment: Deployment) -> str:
    """Put the request on the bus, and return the id of the event."""
    entry = {
        "EventBusName": NAME,
        "Source": SOURCE,
        "DetailType": INSTANCE_SNAPSHOT_REQUESTED,
        "Detail": json.dumps(detail),
    }
    client: Any = boto3.client("events", region_name=deployment.region, config=CONFIG)
    with explain_errors("while putting the request on the bus"):
        [answer] = client.put_events(Entries=[entry])["Entries"]
    if answer.get("ErrorCode"):
        raise CommandError(f"The bus rejected the request: {answer['ErrorCode']}: {answer.get('ErrorMessage')}")
    return str(answer["EventId"])


def _find_failure(deployment: Deployment, event_id: str, put_at: datetime) -> str:
    """Return why the function that takes snapshots has given up; empty as long as it is not known to have.

    Raises AwsError if a later look would not help.
    """
    try:
        lines = read_lines(deployment, event_id, put_at - CLOCK_SKEW, only="Create")
    except RetryableError:
        return ""
    failed = (line.fields for line in lines if line.fields.get("correlation_id") == event_id)
    return next((str(each["message"]) for each in failed if each.get("state") == "failed"), "")


def _wait(request: SnapshotRequest, timeout: timedelta, again: str, find_failure: Callable[[], str]) -> Snapshot | None:
    """Return the usable snapshot, or None at the timeout; end the command if it failed."""
    deadline = clock.monotonic() + timeout.total_seconds()
    try:
        progress(f"Waiting for {request.instance_snapshot_name} in {request.region}.")
        while not (snapshot := _look(request)):
            if failure := find_failure():
                raise CommandError(f"The request failed. {failure}")
            if clock.monotonic() >= deadline:
                progress(f"It is not usable yet. To go on waiting: {again}")
                return None
            clock.sleep(SECONDS_BETWEEN_LOOKS)
    except KeyboardInterrupt as error:
        raise CommandError(f"Interrupted; the snapshot is taken anyway. To go on: {again}", INTERRUPTED) from error
    except AwsError as error:
        found = explain(error, "while looking at the snapshot")
        raise CommandError(f"{found.message} To go on: {again}", found.exit_code) from error
    return snapshot


def _look(request: SnapshotRequest) -> Snapshot | None:
    """Return the snapshot if it is usable; try again if AWS does not answer. Raises AwsError, or ends the command."""
    for attempt in range(MOST_OUTAGES):
        try:
            snapshot = lightsail(request.region).find_snapshot(request.instance_snapshot_name)
        except AwsError as error:
            if attempt == MOST_OUTAGES - 1 or explain(error).exit_code != FAILED:
                raise
            clock.sleep(SECONDS_BETWEEN_LOOKS)
        else:
            return snapshot if snapshot and _is_usable(request, snapshot) else None
    raise AssertionError("the last attempt returns or raises")


def _is_usable(request: SnapshotRequest, snapshot: Snapshot) -> bool:
    """Whether it is; end the command if it never will be."""
    if not snapshot.is_ours or snapshot.snapshot_of != request.instance_name:
        raise CommandError(
            f"{snapshot.name} in {snapshot.region} is the name of a snapshot that is not this request's."
        )
    if snapshot.state == ERROR:
        raise CommandError(f"Lightsail could not make {snapshot.name}: its state is error. Run the command again.")
    return snapshot.state == AVAILABLE


def _resume_command(detail: Mapping[str, Any], timeout: timedelta, *, as_json: bool) -> str:
    """Return the command that continues with the same snapshot."""
    words = ["lightsail-snapshots", "take", detail["instanceName"], "--region", detail["region"]]
    for key, value in detail.get("tags", {}).items():
        words += ["--tag", f"{key}={value}"]
    if "keepFor" in detail:
        words += ["--keep-for", detail["keepFor"]]
    words += ["--wait", "--timeout", f"{timeout.total_seconds():.0f}s", *(["--json"] if as_json else [])]
    return shlex.join([*words, "--slot", detail["scheduledTime"]])
