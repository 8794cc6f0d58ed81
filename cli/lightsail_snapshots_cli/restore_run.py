"""Does the steps of a restore one by one. Each looks first whether it was done, so it can be repeated."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from lightsail_snapshots.aws.errors import AwsError, NameInUseError, RejectedError
from lightsail_snapshots.restore_plan import ATTACH, CREATE, DETACH, OPEN_PORTS, WAIT, Step
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.errors import INTERRUPTED, PENDING, CommandError, explain
from lightsail_snapshots_cli.patience import MOST_ATTEMPTS, SECONDS_BETWEEN_LOOKS, patiently
from lightsail_snapshots_cli.restore_account import RestoreAccount
from lightsail_snapshots_cli.terminal import progress

_RUNNING = "running"


class Restore:
    """One run of the steps; `again` is the command that continues after an interruption."""

    def __init__(self, account: RestoreAccount, timeout: timedelta, again: str) -> None:
        """Start the clock of the timeout."""
        self._account = account
        self._deadline = clock.monotonic() + timeout.total_seconds()
        self._again = again

    def run(self, steps: Sequence[Step]) -> None:
        """Do what has not been done; end the command with the way to go on if that fails."""
        for number, step in enumerate(steps, start=1):
            title = f"{number}/{len(steps)} {step.title}"
            try:
                is_done = patiently(partial(self._is_done, step))
                progress(f"{title}: done already." if is_done else f"{title}.")
                if not is_done:
                    self._do(step)
            except KeyboardInterrupt as error:
                raise CommandError(f"Interrupted in step {number}. To go on: {self._again}", INTERRUPTED) from error
            except AwsError as error:
                found = explain(error, f"in step {number}")
                raise CommandError(f"{found.message} To go on: {self._again}", found.exit_code) from error

    def _is_done(self, step: Step) -> bool:
        arguments = step.call.arguments
        if step.call.operation in {DETACH, ATTACH}:
            static_ips = {each.name: each.attached_to for each in self._account.static_ips()}
            attached_to = static_ips.get(arguments["staticIpName"], "")
            if step.call.operation == ATTACH:
                return attached_to == str(arguments["instanceName"])
            return step.undo is None or attached_to != str(step.undo.arguments["instanceName"])
        name = arguments["instanceNames"][0] if step.call.operation == CREATE else arguments["instanceName"]
        instance = self._account.instance(name)
        if instance is None or step.call.operation == CREATE:
            return instance is not None
        if step.call.operation == WAIT:
            return instance.state == _RUNNING
        wanted = [rule.as_port_info() for rule in instance.facts.ports or ()]
        return step.call.operation == OPEN_PORTS and _alike(wanted) == _alike(arguments["portInfos"])

    def _do(self, step: Step) -> None:
        if step.call.operation == WAIT:
            self._wait(step)
            return
        try:
            patiently(partial(self._account.run, step.call))
        except (NameInUseError, RejectedError) as error:
            # Perhaps it was done, and the answer was lost. A new instance may not be visible at once.
            looks = MOST_ATTEMPTS if isinstance(error, NameInUseError) else 1
            if not self._becomes_done(step, looks):
                raise

    def _becomes_done(self, step: Step, looks: int) -> bool:
        for look in range(looks):
            if look:
                clock.sleep(SECONDS_BETWEEN_LOOKS)
            if patiently(partial(self._is_done, step)):
                return True
        return False

    def _wait(self, step: Step) -> None:
        while not patiently(partial(self._is_done, step)):
            if clock.monotonic() >= self._deadline:
                raise CommandError(f"The instance is not running yet. To go on: {self._again}", PENDING)
            clock.sleep(SECONDS_BETWEEN_LOOKS)


def _alike(port_infos: Sequence[dict[str, object]]) -> set[str]:
    """Return rules so that their order does not matter."""
    return {
        repr(sorted((key, sorted(value) if isinstance(value, list) else value) for key, value in info.items()))
        for info in port_infos
    }
