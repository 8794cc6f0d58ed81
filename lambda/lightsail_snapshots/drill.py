"""`drill`: restores a snapshot to a clone of its instance, sees whether it works, and deletes the clone.

A plan's schedule asks for the drills that are due; each of them is a request of its own, and they wait for each other.
Each delivery looks at the clone and takes one step. The verdict is written on the snapshot before the clone is deleted,
and announced when the clone is gone. See `reconciler` for the retry loop.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from lightsail_snapshots import end_init
from lightsail_snapshots.aws.clones import Clone, Clones, OpenPort
from lightsail_snapshots.aws.errors import (
    AccessDeniedError,
    AwsError,
    NameInUseError,
    NotFoundError,
    RejectedError,
    RetryableError,
)
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.aws.lightsail import Operation, lightsail
from lightsail_snapshots.aws.request_queue import RequestQueue
from lightsail_snapshots.drill_choice import choose, choose_bundle, choose_zone, cost, refuse
from lightsail_snapshots.drill_result import PASSED, RESTORE_FAILED, DrillReason, DrillResult
from lightsail_snapshots.events import RESTORE_DRILL_FAILED, RESTORE_DRILL_PASSED, RESTORE_DRILL_REQUESTED
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.restore_drill_outcomes import drill_failed_detail, drill_passed_detail
from lightsail_snapshots.events.restore_drill_requested import DrillRequest, DrillRun, parse_drill_request
from lightsail_snapshots.naming import DRILL_OF_KEY, DRILL_OWNER, DRILL_UNTIL_KEY, MANAGED_BY_KEY, format_utc, is_drill
from lightsail_snapshots.observability import logger, metrics
from lightsail_snapshots.probe import ProbeError, ask
from lightsail_snapshots.reconciler import MAX_READ_LAG, Delivery, Done, Failed, Pending, Reconciler, State, Usable
from lightsail_snapshots.reporting import FAILED, reject_event
from lightsail_snapshots.restore_plan import creation_request
from lightsail_snapshots.settings import ReconcilerSettings
from lightsail_snapshots.snapshot import Snapshot

RECORD_TIME = timedelta(minutes=30)
"""How long after its time limit a clone still waits for its verdict to be written."""
_QUOTA = re.compile("maximum limit|limit exceeded|quota|insufficient", re.IGNORECASE)
"""Lightsail's texts for a full quota are not documented."""

# Made in Lambda's init phase, where the CPU is not throttled.
settings = ReconcilerSettings.from_environment(os.environ)
event_bus = EventBus(settings.event_bus_name, settings.region)
queue = RequestQueue(settings.queue_url, settings.dead_letter_queue_url, settings.region)
lightsail(settings.region)
end_init()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle a batch of the queue, or one bare `Restore Drill Requested`."""
    return DrillReconciler(settings, event_bus, queue).handle(event, context)


class DrillReconciler(Reconciler[DrillRun | DrillRequest]):
    """Restores snapshots and deletes what it made."""

    metric = "Drills"

    def parse(self, event: object) -> DrillRun | DrillRequest:
        """Read a `Restore Drill Requested`, or raise InvalidRequestError."""
        return parse_drill_request(
            event,
            default_region=self.settings.region,
            regions=self.settings.regions,
            copy_regions=self.settings.copy_regions,
        )

    def reject(self, event: object, request_id: str, error: InvalidRequestError) -> dict[str, Any]:
        """Report an event that is no valid request: it is about no single snapshot."""
        return reject_event(self.bus, event, request_id, error)

    def reconcile(self, request: DrillRun | DrillRequest, delivery: Delivery) -> State:
        """Ask for the drills of a plan, or take one step of a drill.

        What IAM or Lightsail forbids is retried too, since there may be a clone to delete.
        """
        try:
            if isinstance(request, DrillRun):
                return self._start(request, delivery)
            return self._step_of_one(request, delivery)
        except (AccessDeniedError, RejectedError, NotFoundError) as error:
            raise RetryableError(str(error)) from error

    def _step_of_one(self, request: DrillRequest, delivery: Delivery) -> State:
        clones = Clones(request.region)
        clone = clones.find(request.name)
        if clone and not (clone.is_ours and clone.tags.get(DRILL_OF_KEY) == request.instance_name):
            text = f"{request.name} is the name of an instance that no drill made: it is left alone."
            return Failed(DrillReason.NAME_IN_USE, text)
        snapshot = lightsail(request.region).find_snapshot(request.instance_snapshot_name)
        result = _result(request, snapshot)
        if clone:
            return self._advance(request, delivery, clone, snapshot, result)
        if result and snapshot:
            return Usable(snapshot) if result.outcome == PASSED else _failed(result)
        if snapshot is None or snapshot.why_foreign(snapshot.origin):
            text = f"{request.instance_snapshot_name} is gone, or no longer ours: the next drill takes a newer one."
            return Failed(DrillReason.SNAPSHOT_GONE, text)
        return self._create(request, delivery, snapshot)

    def announce(self, request: DrillRun | DrillRequest, snapshot: Snapshot) -> None:
        """Publish, count and log that a restore was seen to work."""
        result = DrillResult.of(snapshot)
        if isinstance(request, DrillRequest) and result:
            detail = drill_passed_detail(request, snapshot, result, _running_seconds(request))
            self.bus.put(RESTORE_DRILL_PASSED, detail, [snapshot.arn])
            metrics.add_metric("DrillsPassed", MetricUnit.Count, 1)
            logger.info("Restore drill passed", state=PASSED, seconds=result.seconds, cost=result.cost)

    def fail(self, request: DrillRun | DrillRequest, failed: Failed, event: object) -> None:  # noqa: ARG002 - not repeated
        """Publish, count and log that there is no proof. Only a restore that was tried and failed counts."""
        self.bus.put(RESTORE_DRILL_FAILED, drill_failed_detail(request, failed.reason, failed.message))
        if failed.reason in RESTORE_FAILED:
            metrics.add_metric("DrillsFailed", MetricUnit.Count, 1)
        logger.error("Restore drill failed", state=FAILED, reason=failed.reason, why=failed.message)

    def _start(self, run: DrillRun, delivery: Delivery) -> State:
        """Delete what earlier drills left, and ask for the drills that are due."""
        for region in self.settings.all_regions:
            try:
                _clean_up(region, delivery.now)
            except AwsError as error:
                logger.warning("Could not look for clones that were left", region=region, error=str(error))
        pages = (page for region in run.regions for page in lightsail(region).instances())
        instances = {each.arn: each for page in pages for each in page if run.select.matches(each.name, each.tags)}
        where = dict.fromkeys((*run.regions, *run.copy_to))
        snapshots = [snapshot for region in where for snapshot in lightsail(region).snapshots()]
        chosen = choose(instances.values(), snapshots, run.drill, run.every)
        details = [run.for_snapshot(each.instance, each.snapshot) for each in chosen]
        self.bus.put_all(RESTORE_DRILL_REQUESTED, details)
        logger.info("Requested restore drills", instances=[each["instanceName"] for each in details])
        return Done()

    def _create(self, request: DrillRequest, delivery: Delivery, snapshot: Snapshot) -> State:
        """Make the clone and close its ports, unless another one is there."""
        if made := _made_at(request):
            if delivery.now < made + MAX_READ_LAG:
                raise RetryableError(f"{request.name} is not visible")
            return Failed(DrillReason.INSTANCE_GONE, f"{request.name} was deleted before there was a verdict on it.")
        clones = Clones(request.region)
        if others := _clean_up(request.region, delivery.now):
            return Pending(f"waits for {others[0]}")
        bundles = clones.bundles()
        if refusal := refuse(snapshot, request.drill, bundles):
            return _refuse(snapshot, DrillResult(request.key, refusal.reason, note=refusal.text), delivery.now)
        bundle = choose_bundle(snapshot, bundles)
        body = creation_request(snapshot, request.name, zone=choose_zone(snapshot), bundle=bundle)
        try:
            clones.create(body, _tags(request, delivery.now))
        except AwsError as error:
            return _why_not_made(request, delivery, error)
        logger.info("Lightsail is making the clone", drill_instance_name=request.name)
        if clone := clones.find(request.name):
            _close_ports(clones, clone)
        return Pending(f"{request.name} is not running yet")

    def _advance(
        self,
        request: DrillRequest,
        delivery: Delivery,
        clone: Clone,
        snapshot: Snapshot | None,
        result: DrillResult | None,
    ) -> State:
        """Take a clone one step further; delete it once there is a verdict, or nothing to write one on."""
        clones = Clones(request.region)
        limit = clone.until - request.keep_for
        if result is None and snapshot and delivery.now < limit + RECORD_TIME:
            found = _examine(request, clones, clone, delivery.now, limit)
            if isinstance(found, str):
                return Pending(f"{clone.name} does not work yet: {found}")
            result = found
            try:
                lightsail(request.region).tag_snapshot(snapshot.name, result.as_tags(delivery.now))
            except (NotFoundError, AccessDeniedError, RejectedError) as error:
                logger.warning("Could not write the verdict on the snapshot", error=str(error))
        if result and request.keep_for:
            kept_until = clone.kept_until(result.seconds, request.keep_for)
            if delivery.now < kept_until:
                return Pending(f"{clone.name} is kept until {format_utc(kept_until)}")
        clones.delete(clone.name)
        return Pending(f"{clone.name} is being deleted")


def _clean_up(region: str, now: datetime) -> list[str]:
    """Delete the clones of a Region that are past their time, and return the names of the others."""
    clones = Clones(region)
    names = [each.name for page in lightsail(region).instances() for each in page if is_drill(each.tags)]
    found = [clone for clone in map(clones.find, names) if clone and clone.is_ours]
    for clone in found:
        if clone.until < now:
            logger.warning("Deleted a clone that was left", drill_instance_name=clone.name, region=region)
            try:
                clones.delete(clone.name)
            except AwsError as error:
                logger.warning("Could not delete a clone that was left", error=str(error))
    return [clone.name for clone in found if clone.until >= now]


def _creations(request: DrillRequest) -> list[Operation]:
    """Return the records of the requests for a clone of this name, also if it is gone."""
    operations = lightsail(request.region).operations(request.name)
    return [each for each in operations if each.type.startswith("CreateInstance")]


def _made_at(request: DrillRequest) -> datetime | None:
    """Return when a clone of this name was requested, also if it is gone."""
    return max((each.created_at for each in _creations(request)), default=None)


def _running_seconds(request: DrillRequest) -> int | None:
    """Return how long Lightsail took to make the clone; None if it does not say so."""
    ended = [(each.finished_at - each.created_at).total_seconds() for each in _creations(request) if each.finished_at]
    return max(0, round(max(ended))) if ended else None


def _why_not_made(request: DrillRequest, delivery: Delivery, error: AwsError) -> Failed:
    """Say why there is no clone; raise RetryableError if a later delivery may find or make one."""
    if isinstance(error, NameInUseError):
        if _made_at(request) or delivery.may_read_stale:
            raise RetryableError(str(error)) from error
        return Failed(DrillReason.NAME_IN_USE, f"{request.name} is the name of something else. {error}")
    if _QUOTA.search(str(error)):
        return Failed(DrillReason.NO_CAPACITY, f"There is no room for one more instance. {error}")
    if isinstance(error, AccessDeniedError):
        return Failed(DrillReason.ACCESS_DENIED, f"The role of the drill function may not do this. {error}")
    if isinstance(error, RejectedError):
        return Failed(DrillReason.REJECTED, f"Lightsail rejected the restore. {error}")
    raise RetryableError(str(error)) from error


def _refuse(snapshot: Snapshot, result: DrillResult, now: datetime) -> Failed:
    """Write on the snapshot that it was its turn, so that the next run takes another one."""
    with suppress(NotFoundError):
        lightsail(snapshot.region).tag_snapshot(snapshot.name, result.as_tags(now))
    return _failed(result)


def _examine(request: DrillRequest, clones: Clones, clone: Clone, now: datetime, limit: datetime) -> DrillResult | str:
    """Return the verdict on a clone, or why there is none yet. Its ports are closed until it is healthy."""
    healthy_at = clones.healthy_at(clone, now) if clone.state == "running" else None
    probe = request.drill.probe
    wanted = OpenPort(probe.port, probe.port, "tcp") if probe and healthy_at else None
    _close_ports(clones, clone, wanted)
    seconds = _seconds_since(clone.created_at, now)
    healthy = _seconds_since(clone.created_at, healthy_at) if healthy_at else 0
    reason, note = DrillReason.NOT_RUNNING, f"its state is {clone.state}"
    if clone.state == "running":
        reason, note = DrillReason.NOT_HEALTHY, "it runs but its status check does not pass"
    if healthy_at:
        try:
            if probe and wanted:
                if wanted not in clone.ports:
                    clones.open_port(clone.name, wanted)
                ask(probe, clone.address)
            seconds = max(seconds, healthy) if probe else healthy
            return DrillResult(request.key, PASSED, seconds, healthy, _cost(request, clones, clone, now))
        except ProbeError as error:
            reason, note = DrillReason.PROBE_FAILED, str(error)
    if now < limit:
        return note
    return DrillResult(request.key, reason, seconds, healthy, _cost(request, clones, clone, now), note)


def _seconds_since(start: datetime, moment: datetime) -> int:
    """Return whole seconds; Lightsail's clock may be a little ahead of ours, and it rounds the times of metrics."""
    return max(0, round((moment - start).total_seconds()))


def _cost(request: DrillRequest, clones: Clones, clone: Clone, now: datetime) -> float:
    """Return what the clone will have cost at its end."""
    return cost(clones.bundles().get(clone.bundle), round((now - clone.created_at + request.keep_for).total_seconds()))


def _close_ports(clones: Clones, clone: Clone, wanted: OpenPort | None = None) -> None:
    for port in clone.ports:
        if port != wanted:
            clones.close_port(clone.name, port)


def _tags(request: DrillRequest, now: datetime) -> Mapping[str, str]:
    until = now + request.drill.time_limit + request.keep_for
    return {
        MANAGED_BY_KEY: DRILL_OWNER,
        DRILL_OF_KEY: request.instance_name,
        DRILL_UNTIL_KEY: format_utc(until),
    }


def _result(request: DrillRequest, snapshot: Snapshot | None) -> DrillResult | None:
    """Return how this very drill ended, if the snapshot says so."""
    result = DrillResult.of(snapshot) if snapshot else None
    return result if result and result.key == request.key else None


def _failed(result: DrillResult) -> Failed:
    reasons = {reason.value: reason for reason in DrillReason}
    return Failed(reasons.get(result.outcome, DrillReason.REJECTED), result.message)
