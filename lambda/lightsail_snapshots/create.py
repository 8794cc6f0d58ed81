"""`create`: sees one instance snapshot through, from the request until it is usable.

A level-triggered reconciler. Each delivery of a request looks at the world, moves it one step, and says whether the
message is done with. Where it is not, the message stays in the queue, which shows it again after its visibility
timeout: there is no state of our own and no waiting in here.
"""

import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from lightsail_snapshots.aws import (
    LONGEST_CALL,
    AccessDeniedError,
    EventBus,
    Lightsail,
    NameInUseError,
    NotFoundError,
    RefusedError,
    TryLaterError,
    lightsail,
)
from lightsail_snapshots.naming import merge_tags
from lightsail_snapshots.outcome import (
    INSTANCE_SNAPSHOT_AVAILABLE,
    INSTANCE_SNAPSHOT_FAILED,
    SOURCE,
    Reason,
    available_detail,
    failed_detail,
    invalid_detail,
)
from lightsail_snapshots.request import InvalidRequestError, SnapshotRequest, parse_request
from lightsail_snapshots.settings import CreateSettings
from lightsail_snapshots.snapshot import Snapshot

# Lambda's init phase, where the CPU is not throttled: what every invocation needs is made here, once.
settings = CreateSettings.from_environment(os.environ)
logger = Logger()
metrics = Metrics()
event_bus = EventBus(settings.event_bus_name, settings.region)
lightsail(settings.region)


@dataclass(frozen=True)
class Available:
    """The snapshot is usable."""

    snapshot: Snapshot


@dataclass(frozen=True)
class Pending:
    """The snapshot is being made."""


@dataclass(frozen=True)
class Failed:
    """There will be no snapshot for this request, however often it is tried."""

    reason: Reason
    message: str


State = Available | Pending | Failed


def reconcile(request: SnapshotRequest, attempt: int, region: Lightsail) -> State:
    """Move the world one step towards a usable snapshot; `attempt` counts deliveries from 1.

    Raises TryLaterError where nothing could be done now.
    """
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
        region.create_snapshot(request.instance_snapshot_name, request.instance_name, tags)
    except NameInUseError as error:
        return _whose(request, attempt, region, error)
    return Pending()


def _whose(request: SnapshotRequest, attempt: int, region: Lightsail, error: NameInUseError) -> State:
    """Find out who has the name: an earlier try of ours, perhaps one whose answer was lost, or something else."""
    snapshot = region.find_snapshot(request.instance_snapshot_name)
    if snapshot:
        return _state(request, snapshot)
    if attempt == 1:
        raise TryLaterError(str(error)) from error  # ours may not be visible yet
    name = request.instance_snapshot_name
    what = f"Something in {request.region} that is no instance snapshot has the name {name}"
    return Failed(Reason.NAME_IN_USE, f"{what}: choose another instanceSnapshotName.")


def _state(request: SnapshotRequest, snapshot: Snapshot) -> State:
    if not snapshot.is_ours or snapshot.instance_name != request.instance_name:
        of = f"a snapshot of {snapshot.instance_name}" + ("" if snapshot.is_ours else " that somebody else made")
        return Failed(Reason.NAME_IN_USE, f"{snapshot.name} is the name of {of}: choose another instanceSnapshotName.")
    if snapshot.state == "available":
        return Available(snapshot)
    if snapshot.state == "error":
        return Failed(Reason.SNAPSHOT_ERROR, f"Lightsail could not make {snapshot.name}; its state is error.")
    return Pending()


class _Processor(BatchProcessor):
    """Powertools' partial batches; a failure that nobody expected is not passed over in silence."""

    def failure_handler(self, record: Any, exception: Any) -> Any:
        """Log what is not merely "come back later"."""
        if not isinstance(exception[1], TryLaterError):
            logger.error("Unexpected error; the message comes back later", exc_info=exception)
        return super().failure_handler(record, exception)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse | dict[str, Any]:
    """Take a batch of the queue, or one bare EventBridge event.

    Of a batch, the messages that must come back later are reported as batch item failures. A bare event, from a rule
    of the user's own, the console's Test button or `aws lambda invoke`, gets the same one step and the state it saw.
    """
    metrics.add_metric("SnapshotsFailed", MetricUnit.Count, 0)  # an alarm needs data points
    if "Records" not in event:
        return _on_bare_event(event, context.aws_request_id)
    processor = _Processor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, _on_message, processor, context)


def _on_bare_event(event: dict[str, Any], invocation_id: str) -> dict[str, Any]:
    try:
        request = _parse(event)
    except InvalidRequestError as error:
        _refuse(event, invocation_id, error)
        return {"state": "failed", "reason": Reason.INVALID_REQUEST, "message": str(error)}
    with _logged(request, 1):
        state = _step(request, 1, event)
        logger.info("Took one step", state=_word(state))
    answer = {"state": _word(state), "instanceSnapshotName": request.instance_snapshot_name, "region": request.region}
    return answer | ({"reason": state.reason, "message": state.message} if isinstance(state, Failed) else {})


def _on_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Raise TryLaterError for a message that must come back."""
    attempt = int(record.attributes.approximate_receive_count)
    event = _loaded(record.body)
    try:
        request = _parse(event)
    except InvalidRequestError as error:
        _refuse(event, record.message_id, error)
        return
    with _logged(request, attempt):
        why = _why_not_done(request, attempt, event, lambda_context)
        if why is None:
            return
        logger.info("Comes back later: %s", why, state="pending")
        if attempt >= settings.max_receive_count:
            message = f"Given up after {attempt} deliveries; the request is in the dead-letter queue. {why}"
            _fail(request, Reason.TIMED_OUT, message, event)
    raise TryLaterError(why)


def _why_not_done(request: SnapshotRequest, attempt: int, event: object, context: LambdaContext) -> str | None:
    """Take one step; say why the message must come back, or return None where it is done with."""
    if context.get_remaining_time_in_millis() < 1000 * LONGEST_CALL:
        return "This invocation has no time left for it"
    try:
        state = _step(request, attempt, event)
    except TryLaterError as error:
        return str(error)
    return f"{request.instance_snapshot_name} is not usable yet" if isinstance(state, Pending) else None


def _loaded(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _parse(event: object) -> SnapshotRequest:
    return parse_request(event, default_region=settings.region, regions=settings.regions)


def _logged(request: SnapshotRequest, attempt: int) -> AbstractContextManager[None]:
    """Put what the work is about into every log line."""
    return logger.append_context_keys(
        correlation_id=request.request_id,
        instance_name=request.instance_name,
        instance_snapshot_name=request.instance_snapshot_name,
        region=request.region,
        plan=request.plan,
        attempt=attempt,
    )


def _step(request: SnapshotRequest, attempt: int, event: object) -> State:
    """Take one step and tell the log, the metrics and, where this was the last step, the bus."""
    if attempt == 1:
        metrics.add_metric("SnapshotsRequested", MetricUnit.Count, 1)
    state = reconcile(request, attempt, lightsail(request.region))
    match state:
        case Available(snapshot):
            _announce(request, snapshot)
        case Failed(reason, message):
            _fail(request, reason, message, event)
        case Pending():
            pass  # the caller says what happens next
    return state


def _announce(request: SnapshotRequest, snapshot: Snapshot) -> None:
    detail = available_detail(request, snapshot, datetime.now(UTC))
    event_bus.put(SOURCE, INSTANCE_SNAPSHOT_AVAILABLE, detail, [snapshot.arn])
    metrics.add_metric("SnapshotsAvailable", MetricUnit.Count, 1)
    metrics.add_metric("TimeToAvailable", MetricUnit.Seconds, detail["secondsToAvailable"])
    logger.info("Snapshot is usable", state="available", seconds_to_available=detail["secondsToAvailable"])


def _fail(request: SnapshotRequest, reason: Reason, message: str, event: object) -> None:
    event_bus.put(SOURCE, INSTANCE_SNAPSHOT_FAILED, failed_detail(request, reason, message, event))
    _count_failure(reason)
    logger.error(message, state="failed", reason=reason)


def _refuse(event: object, message_id: str, error: InvalidRequestError) -> None:
    """End what is not a valid request: Lightsail is not called, and nothing is tried again."""
    request_id = event.get("id") if isinstance(event, Mapping) else None
    if not isinstance(request_id, str) or not request_id:
        request_id = message_id
    event_bus.put(SOURCE, INSTANCE_SNAPSHOT_FAILED, invalid_detail(request_id, error, event))
    _count_failure(Reason.INVALID_REQUEST)
    logger.error(
        "Refused the request: %s", error, correlation_id=request_id, state="failed", reason=Reason.INVALID_REQUEST
    )


def _count_failure(reason: Reason) -> None:
    metrics.add_metric("SnapshotsFailed", MetricUnit.Count, 1)
    with single_metric("SnapshotsFailed", MetricUnit.Count, 1) as by_reason:
        by_reason.add_dimension("reason", reason)


def _word(state: State) -> str:
    return type(state).__name__.lower()
