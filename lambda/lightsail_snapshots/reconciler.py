"""The retry loop shared by `create`, `copy` and `drill`.

A reconciler is level-triggered: each delivery of a message looks at Lightsail, takes the request one step further, and
says whether the message is done. If it is not, it stays in the queue, and SQS delivers it again: when the reconciler
says so, or else after the queue's visibility timeout. The reconciler keeps no state of its own and never waits.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from lightsail_snapshots.aws import LONGEST_CALL
from lightsail_snapshots.aws.errors import AwsError, NameInUseError, RetryableError, ThrottledError
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.aws.lightsail import Lightsail, single_attempt
from lightsail_snapshots.aws.request_queue import RequestQueue
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.instance_snapshot_outcomes import Reason, failed_detail
from lightsail_snapshots.events.instance_snapshot_requested import Subject
from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.observability import logger, metrics
from lightsail_snapshots.pace import Pace, was_tried
from lightsail_snapshots.reporting import FAILED, reject_request, report_failure
from lightsail_snapshots.retry_delay import MAX_DELAY, MIN_BACKOFF, backoff, until_next_look
from lightsail_snapshots.settings import ReconcilerSettings
from lightsail_snapshots.snapshot import Snapshot

MAX_READ_LAG = timedelta(minutes=10)
"""How long a read of Lightsail may not show what was made before it. AWS documents nothing; this is far more than was
ever reported of such APIs."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One delivery of a message. A bare event has only one."""

    attempt: int
    """Counts from 1."""
    first_at: datetime
    """The time of the first delivery."""
    sent_at: datetime
    """When the message was sent: a message that a person sends again is a new one."""
    now: datetime
    body: str = ""
    """The message itself; empty for a bare event."""

    @property
    def passed(self) -> float:
        """Seconds since the first delivery."""
        return (self.now - self.first_at).total_seconds()

    @property
    def was_tried(self) -> bool:
        """Whether an earlier delivery most likely called Lightsail."""
        return was_tried(self.attempt, self.passed)

    @property
    def may_read_stale(self) -> bool:
        """Whether what was made since the first delivery may not be visible yet."""
        return self.now < self.first_at + MAX_READ_LAG


@dataclass(frozen=True)
class Usable:
    """The snapshot exists, has all its tags, and can be restored from."""

    state: ClassVar = "available"
    snapshot: Snapshot


@dataclass(frozen=True)
class Pending:
    """Lightsail is still making the snapshot."""

    state: ClassVar = "pending"
    why: str = ""
    """If it is not the snapshot that is waited for."""


@dataclass(frozen=True)
class Done:
    """The request is done, and there is nothing to report."""

    state: ClassVar = "done"


@dataclass(frozen=True)
class Failed:
    """The request cannot succeed, however often it is retried."""

    state: ClassVar = FAILED
    reason: StrEnum
    message: str


State = Usable | Pending | Done | Failed


@dataclass(frozen=True)
class Retry:
    """The message must be delivered again."""

    at: datetime | None = None
    """None: after the queue's visibility timeout."""


R = TypeVar("R", bound=Subject)


class Reconciler(ABC, Generic[R]):
    """Handles the requests of one queue. A subclass says how to read one, how to take one step, and what to report."""

    metric: ClassVar[str]
    """Prefix of the metrics `{metric}Requested` and `{metric}Failed`."""

    def __init__(self, settings: ReconcilerSettings, bus: EventBus, queue: RequestQueue) -> None:
        self.settings = settings
        self.bus = bus
        self.queue = queue

    @abstractmethod
    def parse(self, event: object) -> R:
        """Read a request, or raise InvalidRequestError."""

    @abstractmethod
    def reconcile(self, request: R, delivery: Delivery) -> State:
        """Take one step towards a usable snapshot; raise RetryableError if no step is possible now."""

    @abstractmethod
    def announce(self, request: R, snapshot: Snapshot) -> None:
        """Publish, count and log that the snapshot is usable."""

    def reject(self, event: object, request_id: str, error: InvalidRequestError) -> dict[str, Any]:
        """Report an event that is no valid request, and return the function's answer."""
        return reject_request(self.bus, event, request_id, error, f"{self.metric}Failed")

    def now(self) -> datetime:
        return datetime.now(UTC)

    def handle(self, event: Any, context: LambdaContext) -> dict[str, Any]:
        """Handle a batch of the queue, or one bare event.

        The answer to a batch names the messages that SQS must deliver again. A bare event comes from a rule of the
        user's own, the console's Test button or `aws lambda invoke`: it gets one step, and the answer is its state.
        """
        metrics.add_metric(f"{self.metric}Failed", MetricUnit.Count, 0)  # an alarm needs data points
        if not isinstance(event, dict) or "Records" not in event:  # a person may invoke the function with anything
            return self._handle_bare_event(event, context)
        handled = [(record, self._handle_record(record, context)) for record in event["Records"]]
        retries = [(record, retry) for record, retry in handled if retry]
        self._set_delays({record["receiptHandle"]: retry.at for record, retry in retries if retry.at})
        # A record without an id fails the invocation here, after all the others had their turn: SQS keeps the batch.
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record, _ in retries]}

    def _handle_record(self, record: Any, context: LambdaContext) -> Retry | None:
        """Handle one message; return None if it is done."""
        log_keys: dict[str, Any] = {}
        try:
            delivery = self._read_delivery(record["attributes"], record["body"])
            event = _read_json(delivery.body)
            try:
                request = self.parse(event)
            except InvalidRequestError as error:
                self.reject(event, record["messageId"], error)
                return None
            log_keys = _log_keys(request, delivery)
            with logger.append_context_keys(**log_keys):
                return self._handle_request(request, delivery, event, context)
        except Exception:  # noqa: BLE001 - it is logged with its traceback, and concerns this message alone
            logger.exception("Unexpected error, will retry", **log_keys)
            return Retry()

    def _read_delivery(self, attributes: Mapping[str, str], body: str) -> Delivery:
        """Read the attributes that SQS adds to a message."""
        return Delivery(
            attempt=int(attributes["ApproximateReceiveCount"]),
            first_at=_read_time(attributes["ApproximateFirstReceiveTimestamp"]),
            sent_at=_read_time(attributes["SentTimestamp"]),
            now=self.now(),
            body=body,
        )

    def _handle_request(self, request: R, delivery: Delivery, event: object, context: LambdaContext) -> Retry | None:
        if request.not_before and delivery.now < request.not_before:
            return self._retry(f"Not before {format_utc(request.not_before)}", at=request.not_before)
        if context.get_remaining_time_in_millis() < 1000 * LONGEST_CALL:
            return self._retry("Not enough time left in this invocation", after=MIN_BACKOFF)
        pace = single_attempt(request.destination or request.region).pace
        until_turn = partial(pace.until_turn, delivery.passed, is_tried=delivery.was_tried)
        if request.waits_its_turn and not pace.may_call(is_tried=delivery.was_tried):
            return self._retry("Waits for its turn, since Lightsail throttles", until_turn())
        after: float | None
        try:
            state = self._step(request, delivery, event)
            if not isinstance(state, Pending):
                return None
            why = state.why or f"{request.instance_snapshot_name} is not usable yet"
            after = self._until_next_look(request, delivery, pace)
        except RetryableError as error:
            has_turn = request.waits_its_turn and isinstance(error, ThrottledError)
            why, after = str(error), until_turn() if has_turn else backoff(delivery.passed)
        if self.now() < max(delivery.sent_at, request.not_before or delivery.sent_at) + self._deadline(request):
            return self._retry(why, after)
        self._give_up(request, delivery, event, why)
        return None

    def _deadline(self, request: R) -> timedelta:
        return max(self.settings.deadline, request.retry_for or timedelta())

    def _until_next_look(self, request: R, delivery: Delivery, pace: Pace) -> float | None:
        if request.is_awaited:
            return until_next_look(delivery.passed, self.settings.first_retry.total_seconds())
        return pace.until_usable(MAX_DELAY, delivery.passed)

    def _retry(self, why: str, after: float | None = None, at: datetime | None = None) -> Retry:
        if after is not None:
            at = self.now() + timedelta(seconds=after)
        logger.info("Not finished, will retry", state=Pending.state, why=why, retry_at=format_utc(at) if at else None)
        return Retry(at)

    def _give_up(self, request: R, delivery: Delivery, event: object, why: str) -> None:
        """Announce it, and put the message where SQS puts one that was delivered too often."""
        hours = self._deadline(request) / timedelta(hours=1)
        message = f"Given up after {hours:g} hours; the request is in the dead-letter queue. {why}"
        self.fail(request, Failed(Reason.TIMED_OUT, message), event)
        self.queue.send_dead_letter(delivery.body)

    def _set_delays(self, times: Mapping[str, datetime]) -> None:
        """Let SQS deliver each message again at its time, by receipt handle."""
        if not times:
            return
        now = self.now()
        try:
            self.queue.set_delays({handle: (at - now).total_seconds() for handle, at in times.items()})
        except AwsError as error:
            logger.warning("Could not set when messages are retried; the queue's timeout counts", why=str(error))

    def _handle_bare_event(self, event: object, context: LambdaContext) -> dict[str, Any]:
        try:
            request = self.parse(event)
        except InvalidRequestError as error:
            return self.reject(event, context.aws_request_id, error)
        now = self.now()
        delivery = Delivery(attempt=1, first_at=now, sent_at=now, now=now)
        with logger.append_context_keys(**_log_keys(request, delivery)):
            state = self._step(request, delivery, event)
            logger.info("Took one step", state=state.state)
        return {
            "state": state.state,
            "instanceSnapshotName": request.instance_snapshot_name,
            "region": request.region,
            **({"destination": request.destination} if request.destination is not None else {}),
            **({"reason": state.reason, "message": state.message} if isinstance(state, Failed) else {}),
        }

    def _step(self, request: R, delivery: Delivery, event: object) -> State:
        """Take one step, and report the outcome if it was the last one."""
        state = self.reconcile(request, delivery)
        if isinstance(state, Usable):
            self.announce(request, state.snapshot)
        elif isinstance(state, Failed):
            self.fail(request, state, event)
        return state

    def fail(self, request: R, failed: Failed, event: object) -> None:
        """Publish, count and log that the request failed."""
        detail = failed_detail(request, failed.reason, failed.message, event)
        report_failure(self.bus, detail, failed.message, f"{self.metric}Failed")


def find_name_owner(name: str, region: Lightsail, delivery: Delivery, error: NameInUseError) -> Snapshot | None:
    """Return the snapshot whose name is in use, or None if the name belongs to another kind of resource.

    The snapshot may be ours: from an earlier delivery, or from this one if its answer was lost. Raises RetryableError
    as long as it may not be visible yet.
    """
    snapshot = region.find_snapshot(name)
    if snapshot is None and delivery.may_read_stale:
        raise RetryableError(str(error)) from error
    return snapshot


def fail_if_certain(failed: Failed, delivery: Delivery) -> Failed:
    """Return why a request fails of which nothing is visible.

    Raises RetryableError as long as what an earlier delivery made may not be visible yet.
    """
    if delivery.attempt > 1 and delivery.may_read_stale:
        raise RetryableError(failed.message)
    return failed


def _read_time(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _read_json(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # no JSON, or nested too deeply to be read
        return body


def _log_keys(request: Subject, delivery: Delivery) -> dict[str, Any]:
    """Return the fields of every log line about a request."""
    return {
        "correlation_id": request.request_id,
        "instance_name": request.instance_name,
        "instance_snapshot_name": request.instance_snapshot_name,
        "region": request.region,
        "destination": request.destination,
        "plan": request.plan,
        "attempt": delivery.attempt,
    }
