"""`make demo`: an event and a plan become usable, tagged snapshots on this machine, without an AWS account.

It deploys the unmodified stack with the real CDK CLI, and uses it with the real AWS CLI as any other system can.
"""

import argparse
import signal
import sys
from contextlib import ExitStack
from types import FrameType

from local import cdk, subprocesses
from local.aws import local_aws
from local.demo.console import DemoFailedError, Screen
from local.demo.drill import run_drill
from local.demo.keep import keep_running
from local.demo.overdue import show_overdue
from local.demo.plan import run_plan, write_plans
from local.demo.prune import run_prune, seed_nights
from local.demo.request import request_snapshot
from local.run_schedule import disable_schedules
from local.speed_up import speed_up
from local.user_settings import ignore_user_settings

SNAPSHOT_SECONDS = 5
RETRY_SECONDS = 2
TIMEOUT_SECONDS = 60
"""Seconds that each part of the demo waits for its result."""


def main() -> int:
    """Run the demo and return its exit status: 0, 1 if a step failed, or 130 if it was interrupted."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep it running until Ctrl-C")
    keep = parser.parse_args().keep
    screen = Screen()
    _unwind_on_signals()
    try:
        with ExitStack() as stack:
            _demo(screen, stack, keep)
        screen.say("\nEverything is stopped and removed. All of it ran on this machine, so nothing is billed.")
    except KeyboardInterrupt:
        screen.say("\nStopped. Nothing is left behind.")
        return 128 + signal.SIGINT
    except subprocesses.CommandFailedError as error:
        screen.failure(str(error), error.tail)
        return 1
    except DemoFailedError as error:
        screen.failure(str(error))
        return 1
    return 0


def _unwind_on_signals() -> None:
    """Make the first signal clean up and end the demo; later ones are ignored, and cannot interrupt the cleanup."""

    def unwind(_number: int, _frame: FrameType | None) -> None:
        for number in subprocesses.ENDING_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in subprocesses.ENDING_SIGNALS:
        signal.signal(number, unwind)


def _demo(screen: Screen, stack: ExitStack, keep: bool) -> None:
    screen.say("From an event to a usable snapshot, on this machine: no AWS account, and nothing is billed.\n", "bold")
    with screen.step("Start a local AWS: MiniStack and the Lightsail emulator, with IAM and TLS"):
        aws = stack.enter_context(local_aws())
        seed_nights(aws)
        port = aws.control("POST", "/_lightsail/probe-target", {"port": 0})["port"]
    with screen.step("Bootstrap the account: cdk bootstrap"):
        cdk.bootstrap(aws)
    with screen.step(
        "Deploy the unmodified stack with plans.toml, its lines `# regions` and `# drill` uncommented: cdk deploy"
    ):
        outputs = cdk.deploy(aws, plans=write_plans(aws.directory, port))
        resources = cdk.resources(aws)
    with screen.step(f"Speed up for the demo: retry every {RETRY_SECONDS} s, snapshots take {SNAPSHOT_SECONDS} s"):
        speed_up(aws, resources, RETRY_SECONDS, SNAPSHOT_SECONDS)
        disable_schedules(aws)  # the demo puts their events itself, at any time of day
    request_snapshot(screen, aws, outputs["BusName"], resources["CreateFunction"], TIMEOUT_SECONDS)
    run_plan(screen, aws, TIMEOUT_SECONDS)
    run_drill(screen, aws, TIMEOUT_SECONDS)
    run_prune(screen, aws, resources["PruneFunction"], TIMEOUT_SECONDS)
    show_overdue(screen, aws, outputs["TopicArn"], TIMEOUT_SECONDS)
    if keep:
        keep_running(screen, aws, outputs, resources)


if __name__ == "__main__":
    ignore_user_settings()
    sys.exit(main())
