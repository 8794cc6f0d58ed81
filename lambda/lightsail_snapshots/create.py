"""`create`: takes one instance snapshot and retries until it is usable. See `reconciler` for the retry loop."""

import os
from collections.abc import Mapping
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
from lightsail_snapshots.events import INSTANCE_SNAPSHOT_AVAILABLE
from lightsail_snapshots.events.instance_snapshot_outcomes import Reason, available_detail
from lightsail_snapshots.events.instance_snapshot_requested import SnapshotRequest, parse_request
from lightsail_snapshots.naming import PLAN_KEY, format_utc, merge_tags
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
from lightsail_snapshots.restore_facts import write_tags
from lightsail_snapshots.settings import ReconcilerSettings
from lightsail_snapshots.snapshot import AVAILABLE, ERROR, Snapshot

# Made in Lambda's init phase, where the CPU is not throttled.
settings = ReconcilerSettings.from_environment(os.environ)
event_bus = EventBus(settings.event_bus_name, settings.region)
queue = RequestQueue(settings.queue_url, settings.dead_letter_queue_url, settings.region)
single_attempt(settings.region)
end_init()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle a batch of the queue, or one bare `Instance Snapshot Requested`."""
    return CreateReconciler(settings, event_bus, queue).handle(event, context)


class CreateReconciler(Reconciler[SnapshotRequest]):
    """Takes snapshots."""

    metric = "Snapshots"

    def parse(self, event: object) -> SnapshotRequest:
        """Read an `Instance Snapshot Requested`, or raise InvalidRequestError."""
        return parse_request(
            event,
            default_region=self.settings.region,
            regions=self.settings.regions,
            copy_regions=self.settings.copy_regions,
            is_lightsail_region=lambda region: region in lightsail_regions(),
        )

    def reconcile(self, request: SnapshotRequest, delivery: Delivery) -> State:
        """Create the snapshot, or look for it first if an earlier delivery most likely created it.

        Also look for it before the request fails, and if no new snapshot may be taken: one that exists is seen through.
        """
        refusal = self._refusal(request, delivery)
        was_tried = delivery.was_tried if request.waits_its_turn else delivery.attempt > 1
        looks_first = was_tried or refusal is not None
        state = self._attempt(request, delivery, refusal, looks_first=looks_first)
        if isinstance(state, Failed) and delivery.attempt > 1 and not looks_first:
            return self._attempt(request, delivery, state, looks_first=True)
        return state

    def _attempt(
        self, request: SnapshotRequest, delivery: Delivery, refusal: Failed | None, *, looks_first: bool
    ) -> State:
        region = single_attempt(request.region)
        try:
            if looks_first and (snapshot := region.find_snapshot(request.instance_snapshot_name)):
                return _state(request, snapshot, region)
            if refusal:
                return fail_if_certain(refusal, delivery)
            return _create(request, delivery, region)
        except NotFoundError as error:
            instance = f"{request.instance_name} in {request.region}"
            message = f"There is no instance {instance}: check its name and Region. {error}"
            return Failed(Reason.INSTANCE_NOT_FOUND, message)
        except AccessDeniedError as error:
            return Failed(Reason.ACCESS_DENIED, f"The role of the create function may not do this. {error}")
        except RejectedError as error:
            return Failed(Reason.INVALID_REQUEST, f"Lightsail rejected the request. {error}")

    def announce(self, request: SnapshotRequest, snapshot: Snapshot) -> None:
        """Publish, count and log that the snapshot is usable."""
        detail = available_detail(request, snapshot, self.now())
        self.bus.put(INSTANCE_SNAPSHOT_AVAILABLE, detail, [snapshot.arn])
        if request.dropped_copies:
            logger.warning("Dropped copies to Regions that no plan copies to", dropped_copies=request.dropped_copies)
        metrics.add_metric("SnapshotsAvailable", MetricUnit.Count, 1)
        logger.info("Snapshot is usable", state=Usable.state, seconds_to_available=detail["secondsToAvailable"])

    def _refusal(self, request: SnapshotRequest, delivery: Delivery) -> Failed | None:
        """Say why the request takes no new snapshot, if so."""
        not_taken = f"no snapshot of {request.instance_name} was taken"
        if request.region not in self.settings.regions:
            text = f"{request.region} is not in plans.toml (any longer), so {not_taken}"
            return Failed(Reason.REGION_REMOVED, f"{text}. Add it to regions, deploy, and send the request again.")
        if delivery.first_at > request.late_at:
            text = f"The request came after {format_utc(request.late_at)}, so {not_taken}"
            return Failed(Reason.TOO_LATE, f"{text}: send a new request, if you need one.")
        if request.dropped_copies and not request.is_ours:
            text = f"No plan copies to {', '.join(request.dropped_copies)}, so {not_taken}"
            return Failed(Reason.INVALID_REQUEST, f"{text}: correct copyTo, and send the request again.")
        return None


def _create(request: SnapshotRequest, delivery: Delivery, region: Lightsail) -> State:
    instance_tags, restore = _read_instance(request, region)
    tags, dropped = merge_tags(instance_tags, request.tags, {**request.our_tags(delivery.now), **restore})
    if dropped:
        logger.warning("Dropped instance tags that are reserved, invalid or over the limit", dropped_tags=dropped)
    try:
        dropped = region.create_snapshot(request.instance_snapshot_name, request.instance_name, tags)
    except NameInUseError as error:
        snapshot = find_name_owner(request.instance_snapshot_name, region, delivery, error)
        if snapshot:
            return _state(request, snapshot, region)
        if request.waits_its_turn and delivery.attempt > 1 and not delivery.was_tried:
            # It has waited until now, so the last delivery may have been the first one that made a call.
            raise RetryableError(str(error)) from error
        return _name_of_another_resource(request)
    if dropped:
        logger.warning("Lightsail rejected tags without a value; created it without them", dropped_tags=dropped)
    logger.info("Lightsail is making the snapshot", state=Pending.state)
    return Pending()


def _read_instance(request: SnapshotRequest, region: Lightsail) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the instance's tags to copy, and the tags with what a restore needs; a fleet's request has both."""
    if request.restore is not None and not request.copy_instance_tags:
        return {}, request.restore
    instance = region.instance(request.instance_name)
    return (instance.tags if request.copy_instance_tags else {}), write_tags(instance.facts)


def _state(request: SnapshotRequest, snapshot: Snapshot, region: Lightsail) -> State:
    if whose := _whose_else(request, snapshot, region):
        message = f"{snapshot.name} is the name of a snapshot of {whose}: choose another instanceSnapshotName."
        return Failed(Reason.NAME_IN_USE, message)
    if snapshot.state == AVAILABLE:
        return Usable(snapshot)
    if snapshot.state == ERROR:
        broken = f"Lightsail could not make {snapshot.name}; its state is error"
        return Failed(Reason.SNAPSHOT_ERROR, f"{broken}. Delete it, and send the request again.")
    return Pending()


def _whose_else(request: SnapshotRequest, snapshot: Snapshot, region: Lightsail) -> str:
    """Say whose the snapshot is if it was not made for this request; else return an empty text."""
    instance = snapshot.instance_name
    if snapshot.why_foreign(snapshot.origin):
        return f"{instance} that somebody else made"
    if instance != request.instance_name:
        return instance
    if snapshot.tags.get(PLAN_KEY) != request.plan:
        return f"{instance} that another plan or request made"
    if snapshot.created_at < request.made_after:
        return f"{instance} from {format_utc(snapshot.created_at)}, before this request"
    if request.is_name_given and snapshot.instance_arn != _present_arn(request, snapshot, region):
        return f"an earlier instance {instance}"
    return ""


def _present_arn(request: SnapshotRequest, snapshot: Snapshot, region: Lightsail) -> str:
    """Return the ARN of the instance; if it is gone, that of the snapshot's: the snapshot was made for this request."""
    try:
        return region.instance(request.instance_name).arn
    except NotFoundError:
        return snapshot.instance_arn


def _name_of_another_resource(request: SnapshotRequest) -> Failed:
    owner = f"{request.instance_snapshot_name} in {request.region} is the name of another kind of resource"
    return Failed(Reason.NAME_IN_USE, f"{owner}: choose another instanceSnapshotName.")
