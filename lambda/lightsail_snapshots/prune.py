"""`prune`: deletes the snapshots that the plans do not keep any more, and says of each that it did, and why.

One listing per Region, one decision over all of them (`retention.decide`), and then one deletion after the other, the
oldest first. Before each, the snapshot is read again: it goes only while it is still what was decided on. Three things
stop it early, and each is said: an error stops its Region, an event that the bus does not take stops the run, since
what cannot be told is better not done, and so does the end of the function's time. The next run goes on from there;
to run twice, or two at a time, deletes nothing more.

The event follows its deletion, since one that comes before could announce what then does not happen. The log line
comes between the two: where the event is lost, it still says all that the event would have said.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from lightsail_snapshots.aws import LONGEST_CALL
from lightsail_snapshots.aws.errors import AwsError
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.aws.lightsail import Lightsail, lightsail, list_snapshots
from lightsail_snapshots.events import INSTANCE_SNAPSHOT_DELETED, PRUNE_REFUSED
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.prune_requested import (
    PruneRequest,
    deleted_detail,
    parse_prune_request,
    refusals,
    refused_detail,
)
from lightsail_snapshots.observability import logger, metrics
from lightsail_snapshots.reporting import RegionsFailedError, reject_request
from lightsail_snapshots.retention import Decision, decide
from lightsail_snapshots.settings import Settings
from lightsail_snapshots.snapshot import Snapshot

SECONDS_PER_DELETION = 5 * LONGEST_CALL
"""Seconds that one deletion may take, its reads and its event included; no other is begun with less than that left."""

MAX_REQUEST_AGE = timedelta(hours=6)
"""How old a request may be, which is as long as Lambda goes on trying. One that was replayed from the queue of failures
days later has the plans of its own day, which may be stricter than today's."""

# Made in Lambda's init phase, where the CPU is not throttled.
settings = Settings.from_environment(os.environ)
event_bus = EventBus(settings.event_bus_name, settings.region)
lightsail(settings.region)


class NotAnnouncedError(Exception):
    """Raised when a snapshot is deleted and the bus does not take the event: nothing else is deleted then."""


@dataclass
class Run:
    """What one run did, as it goes on."""

    request: PruneRequest
    has_time: Callable[[], bool]
    deleted: dict[str, int] = field(default_factory=dict)
    """How many, by Region; also where it is none."""
    failures: dict[str, str] = field(default_factory=dict)
    """What went wrong, by Region."""
    left: int = 0
    """Deletions for which there was no time."""


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take one `Prune Requested`; return how many snapshots were deleted, by Region; leave alone one that is too late.

    Raises RegionsFailedError, NotAnnouncedError or an AwsError where it must be tried again.
    """
    for name in ("SnapshotsDeleted", "SnapshotsKept", "PrunesRefused", "SnapshotsFailed"):
        metrics.add_metric(name, MetricUnit.Count, 0)  # an alarm needs data points
    try:
        request = parse_prune_request(event)
    except InvalidRequestError as error:
        return reject_request(event_bus, event, context.aws_request_id, error)
    if datetime.now(UTC) - request.put_at > MAX_REQUEST_AGE:
        logger.warning("Left alone: it has the plans of %s, the next run has today's", request.put_at.isoformat())
        return {"state": "late"}
    run = Run(request, lambda: context.get_remaining_time_in_millis() >= 1000 * SECONDS_PER_DELETION)
    with logger.append_context_keys(correlation_id=request.request_id):
        _prune(run)
    if run.failures:
        raise RegionsFailedError(run.failures)
    return {"deleted": run.deleted}


def _prune(run: Run) -> None:
    listed, errors = list_snapshots(settings.all_regions)
    for region, error in errors.items():
        run.failures[region] = str(error)
        logger.error("Not listed, and so not pruned: %s", error, region=region)
    # The request's own time, so that its plans and its "now" belong together; never one that is still to come.
    now = min(run.request.time, datetime.now(UTC))
    decisions = decide(listed, run.request.plans, now, incomplete=errors, regions=settings.all_regions)
    refused = _tell_refusals(run.request, decisions)
    _tell_dry_run(decisions)
    try:
        for region in settings.all_regions:
            if region not in run.failures:
                _prune_region(run, region, decisions)
    finally:
        _sum_up(run, decisions, refused)


def _tell_refusals(request: PruneRequest, decisions: Sequence[Decision]) -> int:
    """Tell what only older rules keep, before anything is deleted; return of how many instances."""
    refused = refusals(decisions)
    for one in refused:
        logger.warning(
            "Only older keep rules keep snapshots of %s: %s",
            one["instanceName"],
            one["reason"],
            instance_name=one["instanceName"],
            region=one["region"],
            plans=one["plans"],
            instance_snapshot_names=one["instanceSnapshotNames"],
        )
    if refused:
        metrics.add_metric("PrunesRefused", MetricUnit.Count, len(refused))
        event_bus.put_all(PRUNE_REFUSED, [refused_detail(request, refused)])
    return len(refused)


def _tell_dry_run(decisions: Sequence[Decision]) -> None:
    for each in decisions:
        if each.dry_run and (each.action == "delete" or each.is_held):
            logger.info("Dry run, not deleted: %s: %s", each.snapshot.name, each.reason, **_names(each.snapshot))


def _prune_region(run: Run, region: str, decisions: Sequence[Decision]) -> None:
    """Delete what is to go in one Region, the oldest of each instance first."""
    run.deleted[region] = 0
    going = [
        each
        for each in reversed(decisions)
        if each.action == "delete" and not each.dry_run and each.snapshot.region == region
    ]
    for done, decision in enumerate(going):
        if not run.has_time():
            run.left += len(going) - done
            return
        try:
            if _delete(lightsail(region), decision.snapshot):
                run.deleted[region] += 1
                _announce(run.request, decision)
        except AwsError as error:
            run.failures[region] = str(error)
            logger.exception("A deletion failed; this Region stops here, the others go on", **_names(decision.snapshot))
            return


def _delete(region: Lightsail, decided: Snapshot) -> bool:
    """Delete a snapshot if it is still what was decided on; return whether we did."""
    found = region.find_snapshot(decided.name)
    if found is None:
        logger.info("Not deleted, it is gone already: %s", decided.name, **_names(decided))
        return False
    found = found.compact()  # as it was listed
    changed = [each for each in ("arn", "tags", "state") if getattr(found, each) != getattr(decided, each)]
    if changed:
        logger.warning("Not deleted, it has changed: %s", decided.name, changed=changed, **_names(decided))
        return False
    try:
        region.delete_snapshot(decided.name)
    except AwsError:
        # Where an answer is lost, the SDK's own second try finds nothing, or is denied, since what is gone has no tag.
        if region.find_snapshot(decided.name) is not None:
            raise
    return True


def _announce(request: PruneRequest, decision: Decision) -> None:
    detail = deleted_detail(request, decision)
    metrics.add_metric("SnapshotsDeleted", MetricUnit.Count, 1)
    logger.info("Deleted %s: %s", decision.snapshot.name, decision.reason, deleted=detail, **_names(decision.snapshot))
    try:
        event_bus.put_all(INSTANCE_SNAPSHOT_DELETED, [detail])
    except AwsError as error:
        raise NotAnnouncedError(f"{decision.snapshot.name} is deleted, and nobody was told. {error}") from error


def _sum_up(run: Run, decisions: Sequence[Decision], refused: int) -> None:
    deleted = sum(run.deleted.values())
    kept = sum(each.snapshot.is_ours for each in decisions) - deleted
    metrics.add_metric("SnapshotsKept", MetricUnit.Count, kept)
    if run.left:
        logger.warning("The function's time is nearly over; the next run goes on", left=run.left)
    logger.info(
        "Pruned",
        deleted_by_region=run.deleted,
        kept=kept,
        refused_instances=refused,
        dry_run=sum(each.dry_run and each.action == "delete" for each in decisions),
        left=run.left,
        failed_regions=list(run.failures),
    )


def _names(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "instance_snapshot_name": snapshot.name,
        "instance_name": snapshot.snapshot_of,
        "region": snapshot.region,
    }
