"""`prune`: deletes the snapshots that no plan keeps any longer.

It lists each Region once, decides on all snapshots together (`retention.decide`), and deletes one after the other,
oldest first. Before the first deletion for an instance it reads again what justifies it, and before each deletion the
snapshot itself. An outage or throttling stops a Region. A snapshot that Lightsail refuses to delete is skipped. Either
fails the run at its end. The next run continues; two runs, also at the same time, delete nothing more than one.

The event follows the deletion, because an earlier one could announce what does not happen. The log line "Deleting a
snapshot" has all fields of the event: if the function is killed in between, its retry finds the line in the log, and
publishes the event. So each deletion is announced at least once.

The daily report (`report` in the request) also looks at all other Lightsail Regions, where it deletes nothing.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from lightsail_snapshots.aws import LONGEST_CALL
from lightsail_snapshots.aws.errors import AwsError, RetryableError
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.aws.lightsail import Lightsail, lightsail, lightsail_regions, list_snapshots
from lightsail_snapshots.aws.own_log import read_own_log
from lightsail_snapshots.decision import Decision
from lightsail_snapshots.events import INSTANCE_SNAPSHOT_DELETED, PRUNE_REFUSED
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.prune_outcomes import deleted_detail, refused_detail
from lightsail_snapshots.events.prune_requested import PruneRequest, parse_prune_request
from lightsail_snapshots.observability import logger, metrics
from lightsail_snapshots.reporting import RegionsFailedError, reject_event
from lightsail_snapshots.retention import decide
from lightsail_snapshots.settings import PruneSettings
from lightsail_snapshots.snapshot import Snapshot

SECONDS_PER_DELETION = 5 * LONGEST_CALL
"""Seconds that one deletion may take, with its reads and its event. None is started with less time left."""

MAX_REQUEST_AGE = timedelta(hours=6)
"""As long as Lambda retries. A request that is replayed days later has the plans of its own day, which may keep less
than today's."""

DELETING, DELETED = "Deleting a snapshot", "Deleted a snapshot"
"""Log lines before a deletion, and after its event."""

MOST_LOGGED = 100
"""Lines about snapshots to review in one report."""

# Made in Lambda's init phase, where the CPU is not throttled.
settings = PruneSettings.from_environment(os.environ)
event_bus = EventBus(settings.event_bus_name, settings.region)
lightsail(settings.region)


class NotAnnouncedError(Exception):
    """Raised when a snapshot was deleted and the bus did not take the event: nothing else is deleted then."""


@dataclass
class Run:
    """The progress of one run."""

    request: PruneRequest
    has_time: Callable[[], bool]
    deleted: dict[str, int] = field(default_factory=dict)
    """By Region, also if it is 0."""
    failures: dict[str, str] = field(default_factory=dict)
    """The last error, by Region."""
    left: int = 0
    """Deletions that no time was left for."""
    unchanged: dict[str, bool] = field(default_factory=dict)
    """Whether what justifies deletions is still as it was listed, by ARN."""


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle one `Prune Requested`; return how many snapshots were deleted, by Region. Skip a request that is too old.

    Raises RegionsFailedError, NotAnnouncedError or an AwsError if Lambda should retry it.
    """
    metrics.add_metric("SnapshotsDeleted", MetricUnit.Count, 0)
    try:
        request = parse_prune_request(event)
    except InvalidRequestError as error:
        return reject_event(event_bus, event, context.aws_request_id, error)
    if datetime.now(UTC) - request.put_at > MAX_REQUEST_AGE:
        logger.warning("Skipped: the request is over 6 hours old, its plans may be out of date", put_at=request.put_at)
        return {"state": "late"}
    run = Run(request, lambda: context.get_remaining_time_in_millis() >= 1000 * SECONDS_PER_DELETION)
    with logger.append_context_keys(correlation_id=request.request_id):
        _announce_earlier(request)
        _prune(run)
    if run.failures:
        raise RegionsFailedError(run.failures)
    return {"deleted": run.deleted}


def _announce_earlier(request: PruneRequest) -> None:
    """Announce what an earlier attempt of this request deleted and did not announce.

    Lambda retries after a minute, when the log has the lines of the attempt that was killed.
    """
    begun: dict[str, dict[str, Any]] = {}
    for line in read_own_log(settings.log_group, settings.region, request.request_id, request.put_at):
        if line.get("message") == DELETING and line.get("correlation_id") == request.request_id:
            begun[line["deletion"]["instanceSnapshotArn"]] = line["deletion"]
        elif line.get("message") == DELETED:
            begun.pop(line.get("arn", ""), None)
    for arn, deletion in begun.items():
        found = lightsail(deletion["region"]).find_snapshot(deletion["instanceSnapshotName"])
        if found is None or found.arn != arn:  # else it is still there, and is decided on anew
            _announce(deletion)


def _prune(run: Run) -> None:
    decisions = _decide(run)
    _report_held(run, decisions)
    _log_dry_run(decisions)
    try:
        for region in settings.all_regions:
            if region not in run.failures:
                _prune_region(run, region, decisions)
    finally:
        _sum_up(run, decisions)


def _decide(run: Run) -> list[Decision]:
    """List the Regions and decide; a configured Region that cannot be listed is a failure of the run."""
    request = run.request
    regions = dict.fromkeys((*settings.all_regions, *(lightsail_regions() if request.report else ())))
    listed, errors = list_snapshots(regions)
    for region, error in errors.items():
        if region in settings.all_regions:
            run.failures[region] = str(error)
            logger.error("Could not list a Region, so nothing is deleted there", region=region, error=str(error))
        else:
            logger.info("Skipped a Region that is not configured and cannot be listed", region=region, error=str(error))
    return decide(
        listed,
        request.plans,
        min(request.time, datetime.now(UTC)),  # the time that goes with the plans, but never one that is yet to come
        incomplete=run.failures,  # what other Regions have, no other run sees either
        regions=settings.all_regions,
        instances=_list_instances([region for region in regions if region not in errors]) if request.report else None,
    )


def _list_instances(regions: Sequence[str]) -> dict[str, set[str]]:
    """Return the ARNs of all instances by Region, without the Regions that cannot be listed."""
    found: dict[str, set[str]] = {}
    for region in regions:
        try:
            found[region] = {instance.arn for page in lightsail(region).instances() for instance in page}
        except AwsError as error:
            logger.warning("Could not list the instances of a Region", region=region, error=str(error))
    return found


def _report_held(run: Run, decisions: Sequence[Decision]) -> None:
    """Count what only older rules keep, before anything is deleted; the daily report also publishes the list."""
    held = [each for each in decisions if each.is_held and not each.dry_run]
    if held or not run.failures:  # a Region that could not be listed may have some: its alarm must not end
        metrics.add_metric("PrunesRefused", MetricUnit.Count, len(held))
    if held and run.request.report:
        detail = refused_detail(run.request, held)
        logger.warning("Kept snapshots that only older rules keep", refused=detail["refused"])
        event_bus.put(PRUNE_REFUSED, detail)


def _log_dry_run(decisions: Sequence[Decision]) -> None:
    for each in decisions:
        if each.dry_run and each.action == "delete":
            logger.info("Dry run: would delete a snapshot", reason=each.reason, **_names(each.snapshot))


def _prune_region(run: Run, region: str, decisions: Sequence[Decision]) -> None:
    """Delete what no plan keeps in one Region, oldest first for each instance."""
    run.deleted[region] = 0
    to_delete = [
        each
        for each in reversed(decisions)
        if each.action == "delete" and not each.dry_run and each.snapshot.region == region
    ]
    for done, decision in enumerate(to_delete):
        if not run.has_time():
            run.left += len(to_delete) - done
            return
        try:
            if _is_justified(run, decision) and _delete(run.request, lightsail(region), decision):
                run.deleted[region] += 1
                _announce(deleted_detail(run.request, decision))
        except RetryableError as error:
            run.failures[region] = str(error)
            logger.exception("Stopped pruning a Region", **_names(decision.snapshot))
            return
        except AwsError as error:
            run.failures[region] = str(error)
            logger.exception("Skipped a snapshot that could not be deleted", **_names(decision.snapshot))


def _is_justified(run: Run, decision: Decision) -> bool:
    """Read again, once a run, the newest usable snapshot and the copies that a deletion relies on."""
    for needed in decision.relies_on:
        if needed.arn not in run.unchanged:
            found = lightsail(needed.region).find_snapshot(needed.name)
            run.unchanged[needed.arn] = found is not None and not _changes(needed, found)
        if not run.unchanged[needed.arn]:
            logger.warning(
                "Skipped: what justifies the deletion has changed", needed=needed.name, **_names(decision.snapshot)
            )
            return False
    return True


def _delete(request: PruneRequest, region: Lightsail, decision: Decision) -> bool:
    """Delete a snapshot if it is unchanged; return whether it was deleted."""
    decided = decision.snapshot
    found = region.find_snapshot(decided.name)
    if found is None:
        logger.info("Skipped: somebody else has deleted it", **_names(decided))
        return False
    if changed := _changes(decided, found):
        logger.warning("Skipped: it has changed since it was listed", changed=changed, **_names(decided))
        return False
    logger.info(DELETING, deletion=deleted_detail(request, decision), **_names(decided))
    try:
        region.delete_snapshot(decided.name)
    except AwsError:
        # If an answer is lost, the SDK's second attempt finds nothing, or is denied: what is gone has no tag.
        if region.find_snapshot(decided.name) is not None:
            raise
    return True


def _changes(listed: Snapshot, found: Snapshot) -> list[str]:
    """Return what is not as it was listed."""
    found = found.compact()  # as it was listed
    return [each for each in ("arn", "tags", "state") if getattr(found, each) != getattr(listed, each)]


def _announce(deletion: dict[str, Any]) -> None:
    try:
        event_bus.put_all(INSTANCE_SNAPSHOT_DELETED, [deletion])
    except AwsError as error:
        text = f"{deletion['instanceSnapshotName']} was deleted, but its event could not be published. {error}"
        raise NotAnnouncedError(text) from error
    metrics.add_metric("SnapshotsDeleted", MetricUnit.Count, 1)
    logger.info(
        DELETED,
        reason=deletion["reason"],
        arn=deletion["instanceSnapshotArn"],
        instance_snapshot_name=deletion["instanceSnapshotName"],
        instance_name=deletion["instanceName"],
        region=deletion["region"],
    )


def _sum_up(run: Run, decisions: Sequence[Decision]) -> None:
    """Log how many stay, by the class of their reason; the daily report counts those that a person should look at."""
    kept = [each for each in decisions if each.kept_because]
    if run.request.report:
        _report_review([each for each in kept if each.needs_review])
    if run.left:
        logger.warning("Stopped: the function's time is nearly over, the next run continues", left=run.left)
    logger.info(
        "Pruned",
        deleted_by_region=run.deleted,
        kept=dict(Counter(each.kept_because for each in kept)),
        instance_gone=sum(each.instance_gone for each in kept),
        dry_run=sum(each.dry_run and each.action == "delete" for each in decisions),
        left=run.left,
        failed_regions=list(run.failures),
    )


def _report_review(decisions: Sequence[Decision]) -> None:
    """Count the snapshots that stay until a person acts, and log where they are and why they stay."""
    metrics.add_metric("SnapshotsToReview", MetricUnit.Count, len(decisions))
    found = Counter(
        (each.snapshot.snapshot_of, each.snapshot.region, str(each.kept_because), each.instance_gone)
        for each in decisions
    )
    for (instance_name, region, because, is_gone), count in sorted(found.items())[:MOST_LOGGED]:
        logger.info(
            "Snapshots to review",
            instance_name=instance_name,
            region=region,
            because=because,
            instance_gone=is_gone,
            count=count,
        )


def _names(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "instance_snapshot_name": snapshot.name,
        "instance_name": snapshot.snapshot_of,
        "region": snapshot.region,
    }
