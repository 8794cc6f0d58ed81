"""Each command of `lightsail-snapshots` in a document exists, and has the options and arguments that stand there."""

import re
import shlex
from pathlib import Path

import click
import pytest

from lightsail_snapshots_cli.main import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_COMMAND = re.compile(r"lightsail-snapshots ((?:[a-z]+|[A-Z]+)\b[^`\n|;#\\]*)")
_PLACEHOLDER = "COMMAND"


def commands() -> list[str]:
    """Return what stands after `lightsail-snapshots` in code, in all pages."""
    found: dict[str, None] = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        code = re.findall(r"^```(?:sh|console|yaml)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        code += re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
        found |= dict.fromkeys(match.strip() for each in code for match in _COMMAND.findall(each))
    return [each for each in found if not each.startswith(("Pruning", _PLACEHOLDER, "can "))]


def problem(words: list[str]) -> str:
    """Say what is wrong with a command; empty if nothing is."""
    context = click.Context(main)
    command = main.get_command(context, words[0])
    if command is None:
        return f"there is no command {words[0]}"
    try:
        given, left, _ = command.make_parser(click.Context(command)).parse_args(words[1:])
    except click.UsageError as error:
        return error.format_message()
    return f"too many arguments: {left} after {given}" if left else ""


def test_documents_have_commands() -> None:
    assert len(commands()) > 20


@pytest.mark.parametrize("command", commands())
def test_command_in_a_document_has_these_options_and_arguments(command: str) -> None:
    assert problem(shlex.split(command)) == ""


def test_wrong_commands_are_found() -> None:
    assert problem(["replya"]) == "there is no command replya"
    assert problem(["replay", "--dryrun"]).startswith("No such option '--dryrun'")
    assert problem(["why", "web-1", "web-2"]).startswith("too many arguments: ['web-2']")
