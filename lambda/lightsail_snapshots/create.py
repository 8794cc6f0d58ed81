"""`create`: sees one instance snapshot through, from the request until it is usable. See `reconciler` for the rest."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from lightsail_snapshots.aws.errors import AccessDeniedError, NameInUseError, NotFoundError, RefusedError
from lightsail_snapshots.aws.lightsail import Lightsail, lightsail
from lightsail_snapshots.events import INSTANCE_SNAPSHOT_AVAILABLE
from lightsail_snapshots.events.instance_snapshot_outcomes import Reason, available_detail
from lightsail_snapshots.events.instance_snapshot_requested import SnapshotRequest, parse_request
from lightsail_snapshots.naming import merge_tags
from lightsail_snapshots.observability import logger, metrics
from lightsail_snapshots.reconciler import (
    Failed,
    Pending,
    Reconciler,
    State,
    Usable,
    event_bus,
    find_name_owner,
    settings,
)
from lightsail_snapshots.snapshot import AVAILABLE, ERROR, Snapshot

lightsail(settings.region)  # in Lambda's init phase, where the CPU is not throttled


def parse(event: object) -> SnapshotRequest:
    """Read an `Instance Snapshot Requested`, or raise InvalidRequestError."""
    return parse_request(
        event, default_region=settings.region, regions=settings.regions, copy_regions=settings.copy_regions
    )


def reconcile(request: SnapshotRequest, attempt: int) -> State:
    """Move the world one step towards a usable snapshot; `attempt` counts deliveries from 1.

    Raises TryLaterError where nothing could be done now.
    """
    region = lightsail(request.region)
    try:
        if attempt > 1 and (snapshot := region.find_snapshot(request.instance_snapshot_name)):
            return _state(request, snapshot)
        return _create(request, attempt, region)
    except NotFoundError as error:
        where = f"{request.instance_name} in {request.region}"
        return Failed(Reason.INSTANCE_NOT_FOUND, f"There is no instance {where}: check its name and Region. {error}")
    except AccessDeniedError as error:
        return Failed(Reason.ACCESS_DENIED, f"The create function's role may not do this. {error}")
    except RefusedError as error:
        return Failed(Reason.INVALID_REQUEST, f"Lightsail refuses the request. {error}")


def _create(request: SnapshotRequest, attempt: int, region: Lightsail) -> State:
    own = region.instance_tags(request.instance_name) if request.copy_instance_tags else {}
    tags, dropped = merge_tags(own, request.tags, request.our_tags)
    if dropped:
        logger.warning("No room for some of the instance's tags", dropped_tags=dropped)
    try:
        left_out = region.create_snapshot(request.instance_snapshot_name, request.instance_name, tags)
    except NameInUseError as error:
        snapshot = find_name_owner(request.instance_snapshot_name, region, attempt, error)
        return _state(request, snapshot) if snapshot else _name_in_use(request)
    if left_out:
        logger.warning("Lightsail takes it only without the tags that have no value", dropped_tags=left_out)
    logger.info("Lightsail is making the snapshot", state=Pending.state)
    return Pending()


def _name_in_use(request: SnapshotRequest) -> Failed:
    name = request.instance_snapshot_name
    what = f"Something in {request.region} that is no instance snapshot has the name {name}"
    return Failed(Reason.NAME_IN_USE, f"{what}: choose another instanceSnapshotName.")


def _state(request: SnapshotRequest, snapshot: Snapshot) -> State:
    if not snapshot.is_ours or snapshot.instance_name != request.instance_name:
        of = f"a snapshot of {snapshot.instance_name}" + ("" if snapshot.is_ours else " that somebody else made")
        return Failed(Reason.NAME_IN_USE, f"{snapshot.name} is the name of {of}: choose another instanceSnapshotName.")
    if snapshot.state == AVAILABLE:
        return Usable(snapshot)
    if snapshot.state == ERROR:
        what = f"Lightsail could not make {snapshot.name}; its state is error"
        return Failed(Reason.SNAPSHOT_ERROR, f"{what}. Delete it, and send the request again.")
    return Pending()


def announce(request: SnapshotRequest, snapshot: Snapshot) -> None:
    """Publish, count and log that the snapshot is usable."""
    detail = available_detail(request, snapshot, datetime.now(UTC))
    event_bus.put(INSTANCE_SNAPSHOT_AVAILABLE, detail, [snapshot.arn])
    metrics.add_metric("SnapshotsAvailable", MetricUnit.Count, 1)
    metrics.add_metric("TimeToAvailable", MetricUnit.Seconds, detail["secondsToAvailable"])
    logger.info("Snapshot is usable", state=Usable.state, seconds_to_available=detail["secondsToAvailable"])


_CREATE = Reconciler(metric="Snapshots", parse=parse, reconcile=reconcile, announce=announce)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse | dict[str, Any]:
    """Take a batch of the queue, or one bare EventBridge event."""
    return _CREATE.handle(event, context)
