"""The transcripts of README.md and docs/cli.md are what the commands print."""

import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest

from lightsail_snapshots.naming import format_utc
from lightsail_snapshots_cli import errors
from local.lightsail.resources import InstanceSnapshot
from tests.support.command_line import PROVEN_PLANS, CommandLine, current_time
from tests.support.events import requested
from tests.support.fake_aws import client

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)\n```", (ROOT / "README.md").read_text() + PAGE, re.DOTALL)
SLOT = ["--slot", "2026-11-25T09:30:00Z"]
"""When the pages' snapshots were requested, since their names have the time."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def make_account(commands: CommandLine) -> None:
    shop = commands.instance("shop", backup="daily")
    for age, name in ((9 * HOUR, "shop-2"), (9 * DAY, "shop-1")):
        commands.snapshot(shop, age, name)
        commands.copy(shop, age, name)
    commands.snapshot(shop, 20 * DAY, "shop-0", **{"expires-at": "2026-01-01T00:00:00Z"})
    blog = commands.instance("blog", "eu-central-1", backup="daily")
    commands.snapshot(blog, 3 * DAY, "blog-1", "eu-central-1")
    commands.copy(blog, 3 * DAY, "blog-1")
    commands.instance("old", "ap-south-1")


def prepare_why(commands: CommandLine) -> None:
    """Take a snapshot of web-1; another one fails."""
    commands.run("take", "web-1", "--wait", *SLOT)
    [event, *_] = commands.requests()
    commands.aws.request(event, attempt=2)
    detail = {"instanceName": "web-1", "scheduledTime": "2026-11-26T03:15:00Z"}
    failing = requested(detail, time=format_utc(current_time()))
    commands.aws.request(failing)
    for each in commands.aws.emulator.region("us-east-1").resources_of_type(InstanceSnapshot):
        each.failed = each.name.startswith("web-1-20261126")
    commands.aws.request(failing, attempt=2)
    commands.aws.emulator.clock.advance(60)
    commands.aws.request(failing, attempt=3)


def prepare_replay(commands: CommandLine) -> None:
    """Put a request that was not done, and an invocation that failed, into their queues."""
    commands.send("CreateDeadLetterQueue", requested({"instanceName": "shop", "region": "us-east-1"}))
    failed = requested({"plan": "daily", "select": {"all": True}})
    commands.send(
        "FanOutFailures", {"requestPayload": failed, "responsePayload": {"errorMessage": "eu-central-1: Throttling"}}
    )


def prepare_adopt(commands: CommandLine) -> None:
    """Make two snapshots of others."""
    web = commands.find("web-1")
    commands.snapshot_of_others(web, 30 * DAY, "before-upgrade")
    commands.snapshot_of_others(web, 40 * DAY, "before-terraform", tags={"managed-by": "terraform"})


def prepare_forget(commands: CommandLine) -> None:
    """Make an instance with two snapshots, and delete it."""
    legacy = commands.instance("legacy")
    commands.snapshot(legacy, 3 * DAY, "legacy-2")
    commands.snapshot(legacy, 40 * DAY, "legacy-1", **{"snapshot-hold": "true"})
    client("lightsail").delete_instance(instanceName="legacy")


def prepare_drill(commands: CommandLine) -> None:
    """Give the plan drills; a status check takes a while."""
    commands.plans = PROVEN_PLANS
    commands.aws.emulator.settings.status_check_seconds = 180


PREPARE = {
    "why": prepare_why,
    "drill": prepare_drill,
    "replay": prepare_replay,
    "adopt": prepare_adopt,
    "forget": prepare_forget,
}
"""What there is in addition, by the first command of a block."""
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


def without_times(text: str) -> str:
    """Replace the times of log lines and messages, which are those of the test."""
    return re.sub(r"\b\d\d s after", "60 s after", _TIME.sub("YYYY-MM-DD HH:MM", text))


def printed(commands: CommandLine, block: str) -> str:
    """Run the commands of a block, and return the block as it should be."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ lightsail-snapshots "):
            arguments = shlex.split(line)[2:]
            output = commands.run(*arguments, *(SLOT if arguments[0] in {"take", "drill"} else [])).output
            found += [line, *(each.rstrip() for each in output.splitlines())]
    return "\n".join(found)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split()[2])
def test_transcript_of_the_page_is_what_the_commands_print(commands: CommandLine, block: str) -> None:
    make_account(commands)
    PREPARE.get(block.split()[2], lambda _: None)(commands)
    assert without_times(printed(commands, block)) == without_times(block)


def test_page_has_a_section_for_every_command_and_every_exit_status(commands: CommandLine) -> None:
    headings = " ".join(re.findall(r"^## ([a-z ]+):", PAGE, re.MULTILINE)).split()
    assert set(headings) - {"and"} == commands.names()
    statuses = {value for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)}
    assert {int(each) for each in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)} == {0, *statuses}
