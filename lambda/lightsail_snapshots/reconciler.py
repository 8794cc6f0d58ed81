"""The machine that comes back later: all that `create` and `copy` have in common.

A level-triggered reconciler. Each delivery of a message looks at the world, moves it one step, and says whether the
message is done with. Where it is not, the message stays in the queue, which shows it again after its visibility
timeout: there is no state of our own and no waiting in here.
"""

import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from lightsail_snapshots.aws.client import LONGEST_CALL
from lightsail_snapshots.aws.errors import NameInUseError, TryLaterError
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.aws.lightsail import Lightsail
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.instance_snapshot_outcomes import Reason, failed_detail
from lightsail_snapshots.events.instance_snapshot_requested import Subject
from lightsail_snapshots.observability import logger, metrics
from lightsail_snapshots.reporting import FAILED, reject_request, report_failure
from lightsail_snapshots.settings import ReconcilerSettings
from lightsail_snapshots.snapshot import Snapshot

# Lambda's init phase, where the CPU is not throttled: what every invocation needs is made here, once.
settings = ReconcilerSettings.from_environment(os.environ)
event_bus = EventBus(settings.event_bus_name, settings.region)


@dataclass(frozen=True)
class Usable:
    """The snapshot is there, with all its tags, and can be restored from."""

    state: ClassVar = "available"
    snapshot: Snapshot


@dataclass(frozen=True)
class Pending:
    """The snapshot is being made."""

    state: ClassVar = "pending"


@dataclass(frozen=True)
class Failed:
    """There will be no snapshot for this request, however often it is tried."""

    state: ClassVar = FAILED
    reason: Reason
    message: str


State = Usable | Pending | Failed
R = TypeVar("R", bound=Subject)


@dataclass(frozen=True, kw_only=True)
class Reconciler(Generic[R]):
    """What one capability adds to the machine."""

    metric: str
    """What is counted: `{metric}Requested` and `{metric}Failed`."""
    parse: Callable[[object], R]
    """Reads a message or a bare event, or raises InvalidRequestError."""
    reconcile: Callable[[R, int], State]
    """Moves the world one step; the number counts deliveries from 1. Raises TryLaterError where that cannot be now."""
    announce: Callable[[R, Snapshot], None]
    """Tells the bus, the metrics and the log that it is usable."""

    def handle(self, event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse | dict[str, Any]:
        """Take a batch of the queue, or what one of its messages would hold.

        Of a batch, the messages that must come back later are reported as batch item failures. A bare event, from a
        rule of the user's own, the console's Test button or `aws lambda invoke`, gets the same one step and the state
        it saw.
        """
        metrics.add_metric(f"{self.metric}Failed", MetricUnit.Count, 0)  # an alarm needs data points
        if not isinstance(event, dict) or "Records" not in event:  # whoever invokes it by hand may send anything
            return self._on_bare_event(event, context.aws_request_id)
        processor = _Processor(EventType.SQS, raise_on_entire_batch_failure=False)
        return process_partial_response(event, self._on_message, processor, context)

    def _on_bare_event(self, event: dict[str, Any], invocation_id: str) -> dict[str, Any]:
        try:
            request = self.parse(event)
        except InvalidRequestError as error:
            return reject_request(event_bus, event, invocation_id, error, f"{self.metric}Failed")
        with _logged(request, 1):
            state = self._step(request, 1, event)
            logger.info("Took one step", state=state.state)
        answer = {
            "state": state.state,
            "instanceSnapshotName": request.instance_snapshot_name,
            "region": request.region,
            **({"destination": request.destination} if request.destination is not None else {}),
        }
        return answer | ({"reason": state.reason, "message": state.message} if isinstance(state, Failed) else {})

    def _on_message(self, record: SQSRecord, lambda_context: LambdaContext) -> None:
        """Raise TryLaterError for a message that must come back."""
        attempt = int(record.attributes.approximate_receive_count)
        event = _loaded(record.body)
        try:
            request = self.parse(event)
        except InvalidRequestError as error:
            reject_request(event_bus, event, record.message_id, error, f"{self.metric}Failed")
            return
        with _logged(request, attempt):
            why = self._why_not_done(request, attempt, event, lambda_context)
            if why is None:
                return
            logger.info("Comes back later: %s", why, state=Pending.state)
            if attempt >= settings.max_receive_count:
                message = f"Given up after {attempt} deliveries; the request is in the dead-letter queue. {why}"
                self._fail(request, Failed(Reason.TIMED_OUT, message), event)
        raise TryLaterError(why)

    def _why_not_done(self, request: R, attempt: int, event: object, context: LambdaContext) -> str | None:
        """Take one step; say why the message must come back, or return None where it is done with."""
        if context.get_remaining_time_in_millis() < 1000 * LONGEST_CALL:
            return "This invocation has no time left for it"
        try:
            state = self._step(request, attempt, event)
        except TryLaterError as error:
            return str(error)
        return f"{request.instance_snapshot_name} is not usable yet" if isinstance(state, Pending) else None

    def _step(self, request: R, attempt: int, event: object) -> State:
        """Take one step and, where it was the last one, say so; else the caller says what happens next."""
        if attempt == 1:
            metrics.add_metric(f"{self.metric}Requested", MetricUnit.Count, 1)
        state = self.reconcile(request, attempt)
        if isinstance(state, Usable):
            self.announce(request, state.snapshot)
        elif isinstance(state, Failed):
            self._fail(request, state, event)
        return state

    def _fail(self, request: R, failed: Failed, event: object) -> None:
        detail = failed_detail(request, failed.reason, failed.message, event)
        report_failure(event_bus, detail, failed.message, f"{self.metric}Failed")


def find_name_owner(name: str, region: Lightsail, attempt: int, error: NameInUseError) -> Snapshot | None:
    """Return the snapshot that has a name which is in use; None where it is something else that has it.

    It may well be ours: from an earlier try, or from this one, if an answer was lost. Raises TryLaterError at the first
    delivery, where ours may not be visible yet.
    """
    snapshot = region.find_snapshot(name)
    if snapshot is None and attempt == 1:
        raise TryLaterError(str(error)) from error
    return snapshot


class _Processor(BatchProcessor):
    """Powertools' partial batches; a failure that nobody expected is not passed over in silence."""

    def failure_handler(self, record: Any, exception: Any) -> Any:
        """Log what is not merely "come back later"."""
        if not isinstance(exception[1], TryLaterError):
            logger.error("Unexpected error; the message comes back later", exc_info=exception)
        return super().failure_handler(record, exception)


def _loaded(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _logged(request: Subject, attempt: int) -> AbstractContextManager[None]:
    """Put what the work is about into every log line."""
    return logger.append_context_keys(
        correlation_id=request.request_id,
        instance_name=request.instance_name,
        instance_snapshot_name=request.instance_snapshot_name,
        region=request.region,
        destination=request.destination,
        plan=request.plan,
        attempt=attempt,
    )
