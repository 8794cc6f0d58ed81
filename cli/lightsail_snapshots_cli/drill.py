"""`drill`: restore one instance to a clone now, and see whether it works."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import click

from lightsail_snapshots.drill_choice import choose
from lightsail_snapshots.drill_options import Drill
from lightsail_snapshots.drill_result import DrillResult, drill_slot
from lightsail_snapshots.events import RESTORE_DRILL_REQUESTED, SOURCE
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.restore_drill_requested import DrillRequest, drill_detail, parse_drill_request
from lightsail_snapshots.instance import Instance
from lightsail_snapshots.naming import DRILL_OF_KEY, format_utc, is_drill
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import format_duration, suggestion
from lightsail_snapshots.restore_proofs import is_clone_left
from lightsail_snapshots.snapshot import AVAILABLE, Snapshot
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.deployment import Deployment, read_deployment
from lightsail_snapshots_cli.drill_follow import Ending, follow
from lightsail_snapshots_cli.errors import FAILED, NOT_FOUND, PENDING, USAGE, CommandError, explain_errors
from lightsail_snapshots_cli.listing import list_regions
from lightsail_snapshots_cli.parameters import Duration, Instant, LightsailRegion
from lightsail_snapshots_cli.permissions import (
    LIST_INSTANCES,
    LIST_SNAPSHOTS,
    LOG_GROUPS,
    READ_DEPLOYMENT,
    READ_INSTANCE,
    READ_SNAPSHOT,
    Permission,
)
from lightsail_snapshots_cli.queues import send, work_queues
from lightsail_snapshots_cli.terminal import print_json, progress

PERMISSIONS = {
    "drill": (
        *READ_DEPLOYMENT,
        LIST_INSTANCES,
        LIST_SNAPSHOTS,
        Permission("sqs:SendMessage", "arn:aws:sqs:*:*:LightsailSnapshots-DrillQueue*"),
        READ_INSTANCE,
        READ_SNAPSHOT,
        Permission("logs:FilterLogEvents", LOG_GROUPS),
    )
}


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """What a drill can be of: an instance, its usable snapshots and copies, and the clones that are there."""

    instance: Instance
    plans: Sequence[tuple[Plan, Drill]]
    """Those with a drill that select it; the first one says what a new drill is like."""
    snapshots: Sequence[Snapshot]
    clones: Sequence[str]


@click.command()
@click.argument("instance")
@click.option("--region", type=LightsailRegion(), help="Of the instance; default: the Region of the stack.")
@click.option("--keep-for", type=Duration(), help="Keep the clone for a look, at most 12h, such as 1h.")
@click.option("--timeout", type=Duration(seconds=True), default="1h", show_default=True, help="How long to wait.")
@click.option("--slot", type=Instant(), help="The time of an earlier request: continue with its drill.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def drill(  # noqa: PLR0913, PLR0917  click passes each option as an argument
    ctx: click.Context,
    instance: str,
    region: str | None,
    keep_for: timedelta | None,
    timeout: timedelta,
    slot: datetime | None,
    as_json: bool,
) -> None:
    """Restore INSTANCE to a clone now, and see whether it works.

    A plan with `drill` must select it, and says what is asked of the clone. Ends with 0 if the drill passed, 1 if it
    failed, and 4 if it is still pending at --timeout. It can be interrupted: the clone is deleted anyway.
    """
    deployment = read_deployment()
    queue = _find_queue(deployment)
    subject = _look(deployment, instance, region or deployment.region)
    request = _find_started(subject, deployment, slot)
    may_stay = bool(keep_for)
    if request is None:
        event = _event(subject, slot or clock.now(), keep_for)
        request = _parse(event, deployment)
        with explain_errors("while sending the request to the queue of the function drill"):
            send(deployment.region, queue, json.dumps(event))
    elif slot is None:
        may_stay = True
        progress("A drill of this instance is there already: it is followed, and no new one begins.")
    again = _resume_command(request, region or deployment.region, timeout, keep_for, as_json=as_json)
    ending = follow(deployment, request, timeout, again, may_stay=may_stay)
    _print(request, ending, as_json=as_json)
    ctx.exit(PENDING if ending is None else 0 if ending.has_passed else FAILED)


def _find_queue(deployment: Deployment) -> str:
    try:
        return work_queues(deployment)["Drill"]
    except KeyError as error:
        text = "No plan has restore drills: read docs/drill.md, give one a `drill` in plans.toml, and deploy."
        raise CommandError(text, FAILED) from error


def _look(deployment: Deployment, name: str, region: str) -> _Subject:
    """Look at the instance, its snapshots and its clones; end the command if no plan drills it. Raises AwsError."""
    copy_regions = dict.fromkeys(each for plan in deployment.plans for each in plan.copy_to)
    listing = list_regions([region, *copy_regions])
    if listing.errors:
        raise next(iter(listing.errors.values()))
    found = {each.name: each for each in listing.instances[region] if not is_drill(each.tags)}
    if name not in found:
        hint = suggestion(name, sorted(found), "--region names another Region")
        raise CommandError(f"There is no instance {name} in {region}; {hint}", NOT_FOUND)
    instance = found[name]
    here = [plan for plan in deployment.plans if region in plan.regions]
    plans = [(plan, plan.drill) for plan in here if plan.drill and plan.select.matches(name, instance.tags)]
    if not plans:
        text = f"No plan with restore drills selects {name} in {region}: read docs/drill.md, give its plan a `drill`"
        raise CommandError(f"{text} in plans.toml, and deploy.", FAILED)
    return _Subject(
        instance=instance,
        plans=plans,
        snapshots=[each for each in listing.snapshots if _is_usable(each, instance)],
        clones=[each.name for here in listing.instances.values() for each in here if _is_clone(each, name)],
    )


def _is_usable(snapshot: Snapshot, instance: Instance) -> bool:
    origin = snapshot.origin
    is_ours = not snapshot.why_foreign(origin)
    return is_ours and snapshot.state == AVAILABLE and origin.instance_arn == instance.arn


def _is_clone(instance: Instance, of: str) -> bool:
    """Whether it is a clone that is not past its time: such a one is only waiting for its deletion."""
    is_of_it = is_drill(instance.tags) and instance.tags.get(DRILL_OF_KEY) == of
    return is_of_it and not is_clone_left(instance, clock.now())


def _find_started(subject: _Subject, deployment: Deployment, slot: datetime | None) -> DrillRequest | None:
    """Return the drill of this time that has begun or ended; without a time, one whose clone is there."""
    slots = [slot] if slot else [each for each in map(drill_slot, subject.clones) if each]
    for request, snapshot in _candidates(subject, deployment, slots):
        result = DrillResult.of(snapshot)
        if request.name in subject.clones or (result and result.key == request.key):
            return request
    return None


def _candidates(
    subject: _Subject, deployment: Deployment, slots: Sequence[datetime]
) -> Iterator[tuple[DrillRequest, Snapshot]]:
    """Yield each drill that can have been requested at these times, with its snapshot."""
    for slot, (plan, options), snapshot in product(slots, subject.plans, subject.snapshots):
        detail = drill_detail(plan.name, options, slot, subject.instance.name, snapshot)
        yield _parse(_envelope(detail), deployment), snapshot


def _event(subject: _Subject, slot: datetime, keep_for: timedelta | None) -> Mapping[str, Any]:
    """Build the request for the snapshot whose turn it is; end the command if there is none."""
    plan, options = subject.plans[0]
    chosen = choose([subject.instance], subject.snapshots, options, options.max_age)
    if not chosen:
        name = subject.instance.name
        raise CommandError(
            f"{name} has no usable snapshot: `lightsail-snapshots take {name} --wait` takes one.", FAILED
        )
    detail = drill_detail(plan.name, options, slot, subject.instance.name, chosen[0].snapshot)
    return _envelope(detail | ({"keepFor": format_duration(keep_for)} if keep_for else {}))


def _envelope(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    """Build the event, from our own source; its id is always the same for the same drill."""
    keys = ("plan", "instanceName", "instanceSnapshotName", "region", "scheduledTime")
    return {
        "version": "0",
        "id": str(uuid5(NAMESPACE_OID, " ".join(str(detail.get(key)) for key in keys))),
        "source": SOURCE,
        "detail-type": RESTORE_DRILL_REQUESTED,
        "time": format_utc(clock.now()),
        "detail": detail,
    }


def _parse(event: Mapping[str, Any], deployment: Deployment) -> DrillRequest:
    """Read the request as the function will, which gives the clone's name; end the command if it is not valid."""
    try:
        request = parse_drill_request(
            event,
            default_region=deployment.region,
            regions=deployment.regions,
            copy_regions=deployment.copy_regions,
        )
    except InvalidRequestError as error:
        raise CommandError(f"The request is not valid. {error}", USAGE) from error
    assert isinstance(request, DrillRequest)  # noqa: S101  it names an instance
    return request


def _resume_command(
    request: DrillRequest, region: str, timeout: timedelta, keep_for: timedelta | None, *, as_json: bool
) -> str:
    """Return the command that continues with the same drill."""
    words = ["lightsail-snapshots", "drill", request.instance_name, "--region", region]
    words += ["--keep-for", format_duration(keep_for)] if keep_for else []
    words += ["--timeout", f"{timeout.total_seconds():.0f}s", *(["--json"] if as_json else [])]
    return shlex.join([*words, "--slot", format_utc(request.slot)])


def _print(request: DrillRequest, ending: Ending | None, *, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(request, ending))
        return
    where = f"{request.instance_snapshot_name} in {request.region}"
    if ending is None:
        click.echo(f"{where}: pending")
    elif ending.has_passed and ending.result:
        cost = f", for {ending.result.cost:.4f} USD" if ending.result.cost else ""
        click.echo(f"{where}: passed, restored in {ending.result.seconds} s{cost}")
    else:
        click.echo(f"{where}: failed, {ending.reason}. {ending.message}")
    if ending and ending.kept_until and ending.clone:
        click.echo(
            f"{ending.clone.name} is kept until {format_utc(ending.kept_until)}, at {ending.clone.address}."
            " To log in, open its port 22 in Lightsail."
        )


def _as_json(request: DrillRequest, ending: Ending | None) -> Mapping[str, Any]:
    result = ending.result if ending else None
    return {
        "instanceName": request.instance_name,
        "instanceSnapshotName": request.instance_snapshot_name,
        "region": request.region,
        "plan": request.plan,
        "drillInstanceName": request.name,
        "state": "pending" if ending is None else "passed" if ending.has_passed else "failed",
        "reason": (ending.reason or None) if ending else None,
        "message": (ending.message or None) if ending else None,
        "seconds": result.seconds if result else None,
        "secondsToHealthy": result.healthy_seconds if result else None,
        "costUsd": result.cost if result else None,
        "keptUntil": format_utc(ending.kept_until) if ending and ending.kept_until else None,
        "address": ending.clone.address if ending and ending.clone else None,
    }
