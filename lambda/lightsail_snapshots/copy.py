"""`copy`: copies one snapshot to one other Region and retries until the copy is tagged and usable.

CopySnapshot takes no tags, so a copy has none at first, perhaps for long: the function may be interrupted, or Lightsail
may reject TagResource. The tags make a copy ours, and prune may delete what is ours. So a snapshot of this name without
our tags gets them only if Lightsail's own record says that it is a copy of this very snapshot. In any doubt it stays as
it is. See `reconciler` for the retry loop.
"""

import os
from contextlib import suppress
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from lightsail_snapshots import end_init
from lightsail_snapshots.aws.errors import (
    AccessDeniedError,
    NameInUseError,
    NotFoundError,
    RejectedError,
    RetryableError,
)
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.aws.lightsail import Lightsail, lightsail_regions, single_attempt
from lightsail_snapshots.aws.request_queue import RequestQueue
from lightsail_snapshots.events import INSTANCE_SNAPSHOT_COPIED
from lightsail_snapshots.events.copy_request import CopyRequest, parse_copy_request
from lightsail_snapshots.events.instance_snapshot_outcomes import Reason, copied_detail
from lightsail_snapshots.naming import COPY_OF_KEY, MANAGED_BY, MANAGED_BY_KEY
from lightsail_snapshots.observability import logger, metrics
from lightsail_snapshots.reconciler import (
    Delivery,
    Failed,
    Pending,
    Reconciler,
    State,
    Usable,
    fail_if_certain,
    find_name_owner,
)
from lightsail_snapshots.settings import ReconcilerSettings
from lightsail_snapshots.snapshot import AVAILABLE, ERROR, Snapshot

# Made in Lambda's init phase, where the CPU is not throttled.
settings = ReconcilerSettings.from_environment(os.environ)
event_bus = EventBus(settings.event_bus_name, settings.region)
queue = RequestQueue(settings.queue_url, settings.dead_letter_queue_url, settings.region)
for copy_region in settings.copy_regions:
    single_attempt(copy_region)
end_init()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle a batch of the queue, or one bare message of it."""
    return CopyReconciler(settings, event_bus, queue).handle(event, context)


class CopyReconciler(Reconciler[CopyRequest]):
    """Copies snapshots to other Regions."""

    metric = "Copies"

    def parse(self, event: object) -> CopyRequest:
        """Read a message of the queue, or raise InvalidRequestError."""
        return parse_copy_request(
            event,
            regions=self.settings.regions,
            copy_regions=self.settings.copy_regions,
            is_lightsail_region=lambda region: region in lightsail_regions(),
        )

    def reconcile(self, request: CopyRequest, delivery: Delivery) -> State:
        """Copy and tag on the first delivery; on later ones, look for the copy first.

        A request that Lightsail rejects is retried: its limit on concurrent copies is not documented, nor is the error
        for it.
        """
        region = single_attempt(request.destination)
        try:
            if request.destination not in self.settings.copy_regions:
                return _see_through(request, delivery, region)
            if delivery.attempt > 1 and (snapshot := region.find_snapshot(request.instance_snapshot_name)):
                return _state(request, snapshot, delivery, region)
            return _copy(request, delivery, region)
        except AccessDeniedError as error:
            return Failed(Reason.ACCESS_DENIED, f"The role of the copy function may not do this. {error}")
        except RejectedError as error:
            raise RetryableError(str(error)) from error

    def announce(self, request: CopyRequest, snapshot: Snapshot) -> None:
        """Publish, count and log that the copy is usable."""
        self.bus.put(INSTANCE_SNAPSHOT_COPIED, copied_detail(request, snapshot), [snapshot.arn])
        metrics.add_metric("CopiesAvailable", MetricUnit.Count, 1)
        logger.info("Copy is usable", state=Usable.state)


def _see_through(request: CopyRequest, delivery: Delivery, region: Lightsail) -> State:
    """Look for the copy in a Region that no plan copies to any longer, where nothing may be made or tagged."""
    name = request.instance_snapshot_name
    snapshot = region.find_snapshot(name)
    if snapshot and _is_tagged(request, snapshot):
        return _progress(snapshot)
    text = f"No plan copies to {request.destination} any longer, so {name} was not copied there"
    failed = Failed(Reason.REGION_REMOVED, f"{text}. Add it to copy_to, deploy, and send the request again.")
    return fail_if_certain(failed, delivery)


def _copy(request: CopyRequest, delivery: Delivery, region: Lightsail) -> State:
    name = request.instance_snapshot_name
    if failed := _check_source(request, delivery):
        return failed
    try:
        region.copy_snapshot(name, request.region)
    except NotFoundError as error:
        return Failed(Reason.SOURCE_GONE, f"There is no snapshot {name} in {request.region} any more. {error}")
    except NameInUseError as error:
        snapshot = find_name_owner(name, region, delivery, error)
        return _state(request, snapshot, delivery, region) if snapshot else _name_in_use(request)
    return _tag(request, region)


def _check_source(request: CopyRequest, delivery: Delivery) -> Failed | None:
    """Say why the source may not be copied, nor its copy be tagged, if so.

    The message says that the snapshot is ours. The tags that it gives to the copy let prune delete it, so this is read
    again.
    """
    name = request.instance_snapshot_name
    source = single_attempt(request.region).find_snapshot(name)
    if source is None:
        if delivery.may_read_stale:
            raise RetryableError(f"{name} in {request.region} is not visible")
        return Failed(Reason.SOURCE_GONE, f"There is no snapshot {name} in {request.region} any more.")
    if source.arn != request.source.arn or source.why_foreign(source.origin):
        why = "is not the snapshot that was to be copied, or no longer ours"
        return Failed(Reason.SOURCE_GONE, f"{name} in {request.region} {why}.")
    return None


def _is_tagged(request: CopyRequest, snapshot: Snapshot) -> bool:
    return snapshot.is_ours and snapshot.tags.get(COPY_OF_KEY) == request.source.copy_of


def _state(request: CopyRequest, snapshot: Snapshot, delivery: Delivery, region: Lightsail) -> State:
    if not _is_tagged(request, snapshot):
        if not _lacks_only_tags(request, snapshot, region):
            return _name_in_use(request)
        return _check_source(request, delivery) or _tag(request, region)
    return _progress(snapshot)


def _progress(snapshot: Snapshot) -> State:
    """Return how far our copy is, which has its tags."""
    if snapshot.state == AVAILABLE:
        return Usable(snapshot)
    if snapshot.state == ERROR:
        broken = f"Lightsail could not make the copy {snapshot.name} in {snapshot.region}; its state is error"
        return Failed(Reason.SNAPSHOT_ERROR, f"{broken}. Delete it there, and send the request again.")
    return Pending()


def _tag(request: CopyRequest, region: Lightsail) -> State:
    """Tag a snapshot that is certainly our copy; the next delivery checks that the tags are there."""
    with suppress(NotFoundError):  # it may not be visible yet
        if dropped := region.tag_snapshot(request.instance_snapshot_name, request.tags):
            logger.warning("Lightsail rejected tags without a value; tagged it without them", dropped_tags=dropped)
    return Pending()


def _lacks_only_tags(request: CopyRequest, snapshot: Snapshot, region: Lightsail) -> bool:
    """Tell whether this is our copy, not tagged yet: nobody else's tag is on it, and it was made as we make ours.

    Whether a copy carries the tags of its source is not documented. If it has `copy-of` and no `managed-by`, a person
    removed that tag from our copy, and it stays theirs. The newest operation that made something of this name made the
    snapshot that has the name now. That it is younger than our source tells our copy from a copy of an earlier snapshot
    of the same name.
    """
    owner = snapshot.tags.get(MANAGED_BY_KEY, "" if snapshot.is_copy else MANAGED_BY)
    if owner != MANAGED_BY:
        return False
    operations = region.operations(snapshot.name)
    made = [each for each in operations if each.type in {"CopySnapshot", "CreateInstanceSnapshot"}]
    last = max(made, key=lambda operation: operation.created_at, default=None)
    return (
        last is not None
        and (last.type, last.details) == ("CopySnapshot", f"{request.region}:{request.instance_snapshot_name}")
        and last.created_at > request.source.created_at
    )


def _name_in_use(request: CopyRequest) -> Failed:
    owner = f"{request.instance_snapshot_name} in {request.destination} could not be identified as our copy"
    return Failed(Reason.NAME_IN_USE, f"{owner}: check it, delete it if it is, and send the request again.")
