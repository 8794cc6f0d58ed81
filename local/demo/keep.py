"""The end of `make demo KEEP=1`: how to use what is running, and the function's log until Ctrl-C."""

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime

from local.aws import REGION, ROOT, LocalAws
from local.demo.console import Screen
from local.demo.request import INSTANCE
from local.log_tail import follow

MAX_SECONDS = 24 * 60 * 60
"""Seconds after which the demo ends if nobody stops it."""

THROTTLE = (
    """curl -s --cacert $AWS_CA_BUNDLE $AWS_ENDPOINT_URL/_lightsail/faults -d '{"fault": "throttle", "times": 3}'"""
)


def keep_running(screen: Screen, aws: LocalAws, outputs: Mapping[str, str], resources: Mapping[str, str]) -> None:
    """Print commands to paste into another terminal, and show the function's log until the demo is interrupted."""
    since = datetime.now(UTC)
    screen.say("\nIt runs until you press Ctrl-C. To use it, paste this into another terminal:\n", "bold")
    for line in _shell_settings(aws):
        screen.paste(line)
    for title, command in {
        "Request another snapshot, and watch the log here:": _request(outputs),
        "List all snapshots:": "aws lightsail get-instance-snapshots --output table",
        "Let Lightsail throttle the next three calls, and request a snapshot again:": THROTTLE,
        # Version 1 of the AWS CLI ignores AWS_ENDPOINT_URL for SQS.
        "Show a message from the dead-letter queue:": "aws sqs receive-message"
        f" --endpoint-url $AWS_ENDPOINT_URL --queue-url {resources['CreateDeadLetterQueue']}",
    }.items():
        screen.say(f"\n{title}", "bold")
        screen.paste(command)
    screen.say("\nLightsail's clock is now a day ahead of yours, because the demo has advanced it.")
    screen.say("\nThe function's log, live:")
    for entry in follow(aws, resources["CreateFunction"], MAX_SECONDS, since):
        screen.log(entry)


def _shell_settings(aws: LocalAws) -> list[str]:
    """Return lines that point a shell's AWS CLI at the local AWS, and override the user's settings."""
    names = ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
    return [
        f"export PATH={shlex.quote(str(ROOT / '.venv' / 'bin'))}:$PATH",
        "unset AWS_PROFILE AWS_SESSION_TOKEN AWS_REGION",
        "export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1",
        *(f"export {name}={aws.environment[name]}" for name in names),
    ]


def _request(outputs: Mapping[str, str]) -> str:
    return outputs["RequestSnapshot"].replace("MY-INSTANCE", INSTANCE).replace("MY-REGION", REGION)
