"""Follows one drill until it has a verdict and its clone is gone: by clone, snapshot, and the function's log."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from lightsail_snapshots.aws.clones import Clone, Clones
from lightsail_snapshots.aws.errors import AwsError, RetryableError
from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots.drill_result import PASSED, DrillReason, DrillResult
from lightsail_snapshots.events.restore_drill_requested import DrillRequest
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.deployment import Deployment
from lightsail_snapshots_cli.errors import INTERRUPTED, CommandError, explain
from lightsail_snapshots_cli.logs import LogLine, read_lines
from lightsail_snapshots_cli.patience import SECONDS_BETWEEN_LOOKS, patiently
from lightsail_snapshots_cli.terminal import progress

_CLOCK_SKEW = timedelta(hours=1)
"""How much this machine's clock may be ahead of that of CloudWatch."""
_LOOKS_WITHOUT_CLONE = 3
"""After so many in a row, a clone that was seen is gone without a verdict: its snapshot may be read late."""


class Ending(NamedTuple):
    """How a drill ended."""

    outcome: str
    """PASSED, or a DrillReason."""
    message: str = ""
    result: DrillResult | None = None
    """None: nothing was tried."""
    clone: Clone | None = None
    """If it is still there."""
    kept_until: datetime | None = None

    @property
    def has_passed(self) -> bool:
        return self.outcome == PASSED

    @property
    def reason(self) -> str:
        """Why it failed; empty if it passed."""
        return "" if self.has_passed else self.outcome


@dataclass
class _Follower:
    """What has been seen of one drill so far."""

    deployment: Deployment
    request: DrillRequest
    may_stay: bool
    """Whether the clone may stay after its verdict, so that nobody should wait for its end."""
    since: datetime
    told: str = ""
    has_seen_clone: bool = False
    looks_without_clone: int = 0
    ending: Ending | None = field(default=None)
    """The verdict, also while the clone is being deleted."""

    def look(self) -> bool:
        """Look once; return whether there is nothing left to wait for. Raises AwsError."""
        request = self.request
        clone = patiently(partial(Clones(request.region).find, request.name))
        snapshot = patiently(partial(lightsail(request.region).find_snapshot, request.instance_snapshot_name))
        result = DrillResult.of(snapshot) if snapshot else None
        if result and result.key == request.key:
            self.ending = self._verdict(result, clone)
            if clone is None or self.may_stay:
                return True
            self._tell(f"{clone.name} has its verdict, and is being deleted.")
            return False
        if failed := self._read_log():
            self.ending = failed
            return True
        return self._is_lost(clone)

    def _verdict(self, result: DrillResult, clone: Clone | None) -> Ending:
        kept_until = None
        if clone and self.may_stay:
            keep_for = self.request.keep_for
            kept_until = clone.kept_until(result.seconds, keep_for) if keep_for else clone.until
        message = "" if result.outcome == PASSED else result.message
        return Ending(result.outcome, message, result, clone, kept_until)

    def _read_log(self) -> Ending | None:
        """Report what the function does; return why it has failed, if it has. It may be that nothing is written yet."""
        try:
            found = read_lines(self.deployment, self.request.request_id, self.since, only="Drill")
        except RetryableError:
            return None
        lines = [line for line in found if line.fields.get("correlation_id") == self.request.request_id]
        for line in lines:
            if line.fields.get("state") == "failed":
                return Ending(str(line.fields.get("reason")), str(line.fields.get("why")))
        if lines:
            self._tell(_said(lines[-1]))
        return None

    def _tell(self, text: str) -> None:
        """Report what has not been reported last."""
        if text != self.told:
            self.told = text
            progress(text)

    def _is_lost(self, clone: Clone | None) -> bool:
        """Whether a clone that was there has been gone for some looks, without a verdict."""
        self.has_seen_clone |= clone is not None
        self.looks_without_clone = 0 if clone else self.looks_without_clone + 1
        if not self.has_seen_clone or self.looks_without_clone < _LOOKS_WITHOUT_CLONE:
            return False
        self.ending = Ending(
            DrillReason.INSTANCE_GONE, f"{self.request.name} was deleted before there was a verdict on it."
        )
        return True


def follow(
    deployment: Deployment, request: DrillRequest, timeout: timedelta, again: str, *, may_stay: bool
) -> Ending | None:
    """Return how the drill ended, or None at the timeout; `again` is the command that continues."""
    deadline = clock.monotonic() + timeout.total_seconds()
    follower = _Follower(deployment, request, may_stay, min(request.slot, clock.now()) - _CLOCK_SKEW)
    try:
        progress(f"Waiting for {request.name} in {request.region}.")
        while not follower.look():
            if clock.monotonic() >= deadline:
                progress(
                    f"{'Its clone is not gone' if follower.ending else 'There is no verdict'} yet. To go on: {again}"
                )
                return follower.ending
            clock.sleep(SECONDS_BETWEEN_LOOKS)
    except KeyboardInterrupt as error:
        text = f"Interrupted; the drill goes on, and its clone is deleted anyway. To follow it: {again}"
        raise CommandError(text, INTERRUPTED) from error
    except AwsError as error:
        found = explain(error, "while looking at the drill")
        raise CommandError(f"{found.message} To go on: {again}", found.exit_code) from error
    return follower.ending


def _said(line: LogLine) -> str:
    """Return what a line says, in a sentence."""
    fields = line.fields
    why = fields.get("why") or fields.get("error")
    return f"{why}." if why else f"{fields.get('message')}."
