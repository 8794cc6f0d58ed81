"""`make demo`: an event, and then a plan, become usable, tagged snapshots, on this machine, without an AWS account.

It deploys the unmodified stack with the real CDK CLI and talks to it with the real AWS CLI, as another system would.
"""

import argparse
import json
import shlex
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from local import cdk, subprocesses
from local.aws import REGION, ROOT, LocalAws, local_aws
from local.demo.console import DemoFailedError, Screen
from local.demo.overdue import show_overdue
from local.demo.plan import run_plan, write_plans
from local.demo.prune import run_prune, seed_nights
from local.log_tail import follow
from local.user_settings import ignore_user_settings

INSTANCE = "web-1"
SNAPSHOT_SECONDS = 5
COME_BACK_SECONDS = 2
TIMEOUT_SECONDS = 60
"""Seconds after which a snapshot that is still not usable is a failure of the demo."""

KEPT = 24 * 60 * 60
"""Seconds that a demo which nobody stops is kept."""


def main() -> int:
    """Runs the demo; returns its exit status: 0, 1 where a step failed, 130 where it was interrupted."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave it running until Ctrl-C")
    keep = parser.parse_args().keep
    screen = Screen()
    _unwind_on_signals()
    try:
        with ExitStack() as stack:
            _demo(screen, stack, keep)
        screen.say("\nEverything is stopped and removed. Nothing was billed: all of it ran on this machine.")
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
    """Lets every signal that ends us unwind the stack first, once: no second one may interrupt the cleaning up."""

    def unwind(_number: int, _frame: FrameType | None) -> None:
        for number in subprocesses.ENDING_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in subprocesses.ENDING_SIGNALS:
        signal.signal(number, unwind)


def _demo(screen: Screen, stack: ExitStack, keep: bool) -> None:
    screen.say("From an event to a usable snapshot, on this machine: no AWS account, and nothing is billed.\n", "bold")
    with screen.step("Start a local AWS: MiniStack and the Lightsail emulator, IAM and TLS on"):
        aws = stack.enter_context(local_aws())
        seed_nights(aws)
    with screen.step("Bootstrap the account: cdk bootstrap"):
        cdk.bootstrap(aws)
    first = (
        "" if Path(aws.environment["JSII_RUNTIME_PACKAGE_CACHE_ROOT"]).exists() else " (half a minute, the first time)"
    )
    with screen.step(f"Deploy the unmodified stack for plans.toml, its line `# regions` on: cdk deploy{first}"):
        outputs = cdk.deploy(aws, plans=write_plans(aws.directory))
        resources = cdk.resources(aws)
    with screen.step(
        f"Hasten it, here only: look again every {COME_BACK_SECONDS} s, usable after {SNAPSHOT_SECONDS} s"
    ):
        speed_up(aws, resources)
    _make_instance(screen, aws)
    request_id = _request_snapshot(screen, aws, outputs["BusName"])
    _follow(screen, aws, resources["CreateFunction"], request_id)
    _show_snapshot(screen, aws)
    run_plan(screen, aws, TIMEOUT_SECONDS)
    run_prune(screen, aws, resources["PruneFunction"], TIMEOUT_SECONDS)
    show_overdue(screen, aws, outputs["TopicArn"], TIMEOUT_SECONDS)
    if keep:
        _keep(screen, aws, outputs, resources)


def speed_up(
    aws: LocalAws,
    resources: Mapping[str, str],
    come_back_seconds: float = COME_BACK_SECONDS,
    snapshot_seconds: float = SNAPSHOT_SECONDS,
) -> None:
    """Makes the deployed queues look again soon, and the emulator quick: AWS takes minutes for both.

    A stack whose plans copy nothing has no queue of copies.
    """
    for queue in {"CreateQueue", "CopyQueue"} & resources.keys():
        aws.client("sqs").set_queue_attributes(
            QueueUrl=resources[queue], Attributes={"VisibilityTimeout": str(come_back_seconds)}
        )
    aws.control("POST", "/_lightsail/settings", {"snapshotSeconds": snapshot_seconds})


def _make_instance(screen: Screen, aws: LocalAws) -> None:
    command = ["aws", "lightsail", "create-instances", "--instance-names", INSTANCE]
    command += ["--availability-zone", "us-east-1a", "--blueprint-id", "wordpress", "--bundle-id", "small_3_0"]
    command += ["--tags", "key=env,value=prod", "key=team,value=web"]
    screen.say()
    screen.command(command)
    with screen.step(f"Make an instance to take a snapshot of: {INSTANCE}"):
        _run(aws, command)


def _request_snapshot(screen: Screen, aws: LocalAws, bus: str) -> str:
    """Sends the event and returns its id, which everything that follows from it carries."""
    entry = {
        "EventBusName": bus,
        "Source": "my-deploy-script",
        "DetailType": "Instance Snapshot Requested",
        "Detail": json.dumps({"instanceName": INSTANCE, "tags": {"reason": "before-deploy"}}),
    }
    command = ["aws", "events", "put-events", "--entries", json.dumps([entry])]
    screen.say()
    screen.command(command)
    with screen.step("Ask for a snapshot, as any other system would"):
        answer = json.loads(_run(aws, command))
    return str(answer["Entries"][0]["EventId"])


def _follow(screen: Screen, aws: LocalAws, function: str, request_id: str) -> None:
    screen.say("\nThe function's log, live:")
    done = False
    for line in follow(aws, function, TIMEOUT_SECONDS):
        screen.log(line)
        if done and line.level == "METRIC":
            return  # the metrics of an invocation come last
        state = line.fields.get("state") if line.request_id == request_id else None
        if state == "failed":
            raise DemoFailedError(f"The request failed: {line.message}")
        done = done or state == "available"
    raise DemoFailedError(
        f"After {TIMEOUT_SECONDS} s the snapshot is still not usable. The function's log above says why."
    )


def _show_snapshot(screen: Screen, aws: LocalAws) -> None:
    command = ["aws", "lightsail", "get-instance-snapshots"]
    screen.say()
    screen.command(command)
    (snapshot,) = json.loads(_run(aws, command))["instanceSnapshots"]
    screen.table("The snapshot, as Lightsail shows it", list(_rows(snapshot)))


def _rows(snapshot: Mapping[str, Any]) -> list[tuple[str, str]]:
    tags = sorted(f"{tag['key']} = {tag.get('value', '')}" for tag in snapshot["tags"])
    return [
        ("name", snapshot["name"]),
        ("state", snapshot["state"]),
        ("instance", snapshot["fromInstanceName"]),
        ("Region", snapshot["location"]["regionName"]),
        ("tags", "\n".join(tags)),
    ]


def _keep(screen: Screen, aws: LocalAws, outputs: Mapping[str, str], resources: Mapping[str, str]) -> None:
    """Says how to talk to it, and goes on showing the function's log until it is interrupted."""
    since = datetime.now(UTC)
    screen.say("\nIt runs until you press Ctrl-C. To talk to it, paste this into another terminal:\n", "bold")
    screen.paste(f"export PATH={shlex.quote(str(ROOT / '.venv' / 'bin'))}:$PATH")
    for name in (
        "AWS_ENDPOINT_URL",
        "AWS_CA_BUNDLE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_DEFAULT_REGION",
    ):
        screen.paste(f"export {name}={aws.environment[name]}")
    faults = (
        """curl -s --cacert $AWS_CA_BUNDLE $AWS_ENDPOINT_URL/_lightsail/faults -d '{"fault": "throttle", "times": 3}'"""
    )
    for what, command in {
        "Ask for another snapshot, and watch the log here:": outputs["RequestSnapshot"]
        .replace("MY-INSTANCE", INSTANCE)
        .replace("MY-REGION", REGION),
        "See them all:": "aws lightsail get-instance-snapshots --output table",
        "Let Lightsail throttle the next three calls, then ask again:": faults,
        # Version 1 of the AWS CLI does not heed AWS_ENDPOINT_URL for SQS.
        "See what lies in the dead-letter queue:": "aws sqs receive-message"
        f" --endpoint-url $AWS_ENDPOINT_URL --queue-url {resources['CreateDeadLetterQueue']}",
    }.items():
        screen.say(f"\n{what}", "bold")
        screen.paste(command)
    screen.say("\nLightsail's clock is a day ahead of yours here: the missed night has left it so.")
    screen.say("\nThe function's log, live:")
    for line in follow(aws, resources["CreateFunction"], KEPT, since):
        screen.log(line)


def _run(aws: LocalAws, command: list[str]) -> str:
    return subprocesses.run(command, aws.environment, ROOT, aws.directory / "command.log", timeout=60)


if __name__ == "__main__":
    ignore_user_settings()
    sys.exit(main())
