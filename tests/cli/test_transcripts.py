"""The transcripts of README.md and docs/cli.md are what the commands print."""

import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest

from lightsail_snapshots_cli import errors
from tests.support.command_line import CommandLine

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


def printed(commands: CommandLine, block: str) -> str:
    """Run the commands of a block, and return the block as it should be."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ lightsail-snapshots "):
            arguments = shlex.split(line)[2:]
            output = commands.run(*arguments, *(SLOT if arguments[0] == "take" else [])).output
            found += [line, *(each.rstrip() for each in output.splitlines())]
    return "\n".join(found)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split()[2])
def test_transcript_of_the_page_is_what_the_commands_print(commands: CommandLine, block: str) -> None:
    make_account(commands)
    assert printed(commands, block) == block


def test_page_has_a_section_for_every_command_and_every_exit_status(commands: CommandLine) -> None:
    headings = " ".join(re.findall(r"^## ([a-z ]+):", PAGE, re.MULTILINE)).split()
    assert set(headings) - {"and"} == commands.names()
    statuses = {value for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)}
    assert {int(each) for each in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)} == {0, *statuses}
