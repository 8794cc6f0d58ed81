"""`replay`: what is in the dead-letter queues, in words; send it again."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TextIO

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.reader import suggestion
from lightsail_snapshots_cli.dead_letters import (
    Delivery,
    UnsendableError,
    deliveries,
    describe,
    describe_error,
    describe_message,
)
from lightsail_snapshots_cli.deployment import Deployment, read_deployment
from lightsail_snapshots_cli.errors import FAILED, USAGE, CommandError, explain_errors
from lightsail_snapshots_cli.invocation import start
from lightsail_snapshots_cli.permissions import ALL_RULES, FUNCTIONS, QUEUES, READ_DEPLOYMENT, Permission
from lightsail_snapshots_cli.queues import Letter, dead_letter_queues, delete, received, send, work_queues
from lightsail_snapshots_cli.terminal import answers, confirm, print_json, questions

PERMISSIONS = {
    "replay": (
        *READ_DEPLOYMENT,
        Permission("sqs:ReceiveMessage", QUEUES),
        Permission("sqs:ChangeMessageVisibility", QUEUES),
        Permission("sqs:SendMessage", QUEUES),
        Permission("sqs:DeleteMessage", QUEUES),
        Permission("lambda:InvokeFunction", FUNCTIONS),
        Permission("events:ListTargetsByRule", ALL_RULES),
    ),
}


@dataclass(frozen=True, kw_only=True)
class _Item:
    letter: Letter
    to: Sequence[Delivery]
    problem: str
    """Why it cannot be sent again; empty if it can."""

    def as_json(self) -> dict[str, Any]:
        return {
            "queue": self.letter.queue,
            "messageId": self.letter.id,
            "sentAt": format_utc(self.letter.sent_at),
            "what": describe(self.letter),
            "why": describe_error(self.letter),
            "problem": self.problem or None,
        }


@click.command()
@click.argument("queue", required=False)
@click.option(
    "--request",
    "file",
    type=click.File(encoding="utf-8"),
    help="Send what this file has, the request of a failed event, to its queue; - is stdin.",
)
@click.option("--dry-run", is_flag=True, help="Only show what is there.")
@click.option("--discard", is_flag=True, help="Delete the messages, and do not send them again.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def replay(  # noqa: PLR0913, PLR0917  click passes each option as an argument
    ctx: click.Context,
    queue: str | None,
    file: TextIO | None,
    dry_run: bool,
    discard: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Show what is in the dead-letter queues, and send it again.

    Fix the cause first. A replay takes no second snapshot, and a request that is more than a day old takes none. A
    message leaves its QUEUE only after it was sent.
    """
    if file and (queue or dry_run or discard):
        raise click.UsageError("--request goes with --yes and --json only.")
    deployment = read_deployment()
    if file:
        _send_request(deployment, file.read(), yes=yes, as_json=as_json)
        return
    with received(deployment.region, _queues(deployment, queue)) as letters:
        items = [_item(letter, deployment) for letter in letters]
        if not as_json or not (dry_run or yes):
            _show(answers() if dry_run else questions(), items)
        chosen = [each for each in items if discard or not each.problem]
        question = f"{'Delete' if discard else 'Send'} {len(chosen)} message{'' if len(chosen) == 1 else 's'}?"
        if chosen and not dry_run and confirm(question, yes=yes):
            for each in chosen:
                _handle(each, deployment.region, discard=discard)
                letters.remove(each.letter)
            done = chosen
        else:
            done = []
    _report(items, done, discard=discard, dry_run=dry_run, as_json=as_json)
    ctx.exit(FAILED if done and len(done) < len(items) else 0)


def _send_request(deployment: Deployment, text: str, *, yes: bool, as_json: bool) -> None:
    """Send one request again: that of a copy names a destination."""
    try:
        request = json.loads(text)
    except ValueError as error:
        raise CommandError(f"The file is not JSON: {error}", USAGE) from error
    if not isinstance(request, dict) or not request.keys() & {"detail", "destination"}:
        raise CommandError("The file must have detail.request of an Instance Snapshot Failed event.", USAGE)
    capability = "Copy" if "destination" in request else "Create"
    what = describe_message(request)
    done = confirm(f"Send {what} to the queue of {capability.lower()}?", yes=yes)
    if done:
        with explain_errors("while sending the request"):
            send(deployment.region, work_queues(deployment)[capability], json.dumps(request, ensure_ascii=False))
    if as_json:
        print_json({"sent": int(done)})
    else:
        click.echo(f"Sent {what} again." if done else "Nothing was done.")


def _queues(deployment: Deployment, name: str | None) -> dict[str, str]:
    queues = dead_letter_queues(deployment)
    if name and name not in queues:
        hint = suggestion(name, sorted(queues))
        raise CommandError(f"The stack has no dead-letter queue {name}; {hint}", USAGE)
    return {name: queues[name]} if name else queues


def _item(letter: Letter, deployment: Deployment) -> _Item:
    try:
        return _Item(letter=letter, to=deliveries(letter, deployment), problem="")
    except UnsendableError as error:
        return _Item(letter=letter, to=(), problem=str(error))


def _handle(item: _Item, region: str, *, discard: bool) -> None:
    """Send a message again, then take it out of its queue."""
    with explain_errors(f"while sending {describe(item.letter)}"):
        for each in () if discard else item.to:
            if each.queue_url:
                send(region, each.queue_url, each.body)
            else:
                start(region, each.function, each.body)
        delete(region, item.letter)


def _show(console: Console, items: Sequence[_Item]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("SINCE", "QUEUE", "WHAT", "WHY"):
        table.add_column(column, overflow="fold", no_wrap=column == "SINCE")
    for each in items:
        why = f"{describe_error(each.letter)}{f'; {each.problem}' if each.problem else ''}"
        sent = f"{each.letter.sent_at:%Y-%m-%d %H:%M}"
        table.add_row(sent, each.letter.queue, Text(describe(each.letter)), Text(why))
    if items:
        console.print(table)


def _report(items: Sequence[_Item], done: Sequence[_Item], *, discard: bool, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json({"messages": [each.as_json() for each in items], "discarded" if discard else "sent": len(done)})
    elif not items:
        click.echo("The dead-letter queues are empty.")
    elif done:
        for name, count in Counter(each.letter.queue for each in done).items():
            click.echo(f"{name}: {count} {'deleted' if discard else 'sent again'}")
    elif not dry_run:
        click.echo("Nothing was done.")
