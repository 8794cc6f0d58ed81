"""`preview`: every snapshot of an account, with what prune would do to it now, and why. It only reads.

It lists and decides with the code of `prune`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightsail_snapshots.aws.errors import AwsError
from lightsail_snapshots.decision import Decision
from lightsail_snapshots.keep_rules import confirmation
from lightsail_snapshots.naming import PLAN_KEY
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.retention import decide, instance_of
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.errors import CommandError, explain
from lightsail_snapshots_cli.listing import list_snapshots
from lightsail_snapshots_cli.parameters import lightsail_regions
from lightsail_snapshots_cli.permissions import LIST_SNAPSHOTS, READ_DEPLOYMENT
from lightsail_snapshots_cli.scope import Scope, read_scope
from lightsail_snapshots_cli.terminal import answers, print_json, progress

PERMISSIONS = {"preview": (*READ_DEPLOYMENT, LIST_SNAPSHOTS)}


LONGEST_NAME = 36
"""Columns of a terminal for a name, so that one such as web-1-20260601T031500Z-650f118d is whole, and the reason has
some left."""


@click.command()
@click.option(
    "--plans",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take the plans of this file instead of the deployed ones.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def preview(ctx: click.Context, plans: Path | None, as_json: bool) -> None:
    """Show what prune would do now, and why.

    Every snapshot is shown, with the reason why it stays or goes. Nothing is deleted.
    """
    scope = read_scope(plans)
    now = clock.now()
    decisions, errors = decide_now(scope, now)
    if as_json:
        print_json({"decisions": [_as_json(each) for each in decisions]})
    else:
        show(answers(), scope.plans, decisions, now)
    for region, error in errors.items():
        progress(f"Error: {_explained(region, error).message}")
    ctx.exit(max((_explained(*each).exit_code for each in errors.items()), default=0))


def decide_now(scope: Scope, now: datetime) -> tuple[list[Decision], Mapping[str, AwsError]]:
    """Return all decisions, and the errors by Region, about which nothing is decided.

    Also lists the Regions that the plans do not have (any longer), where snapshots of ours may be left; one that cannot
    be listed is no error. Ends the command if no Region of the plans could be listed.
    """
    listing = list_snapshots([*scope.all_regions, *lightsail_regions()])
    errors = {region: listing.errors[region] for region in scope.all_regions if region in listing.errors}
    if errors and len(errors) == len(scope.all_regions):
        raise _explained(*next(iter(errors.items())))
    return decide(listing.snapshots, scope.plans, now, incomplete=errors, regions=scope.all_regions), errors


def show(console: Console, plans: Sequence[Plan], decisions: Sequence[Decision], now: datetime) -> None:
    """Print all decisions, and count them."""
    for (instance, region, _), group in groupby(decisions, key=lambda each: instance_of(each.snapshot)):
        console.print(Text(f"\n{instance or 'An instance without a name'} in {region}", "bold"))
        console.print(_table(list(group), now))
    _sum_up(console, decisions, plans)


def _as_json(decision: Decision) -> dict[str, Any]:
    snapshot = decision.snapshot
    return {
        "instanceName": snapshot.snapshot_of,
        "instanceSnapshotName": snapshot.name,
        "region": snapshot.region,
        "action": decision.action,
        "reason": decision.reason,
        "dryRun": decision.dry_run,
    }


def _explained(region: str, error: AwsError) -> CommandError:
    return explain(error, f"while listing the snapshots in {region}")


def _table(decisions: Sequence[Decision], now: datetime) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True, min_width=6)
    table.add_column(no_wrap=True, min_width=6)
    names = max(len(each.snapshot.name) for each in decisions)
    table.add_column(overflow="fold", width=min(names, LONGEST_NAME))
    table.add_column(overflow="fold")
    for each in decisions:
        style = "yellow" if each.is_held else "red" if each.action == "delete" else "green"
        why = f"{each.reason}; not deleted (dry_run)" if _is_dry_run(each) else each.reason
        age = _age(now - each.snapshot.created_at)
        table.add_row(age, Text(each.action, style), Text(each.snapshot.name), Text(why))
    return table


def _age(age: timedelta) -> str:
    hours = age // timedelta(hours=1)
    return f"{hours // 24} d" if abs(hours) >= 48 else f"{hours} h"


def _is_dry_run(decision: Decision) -> bool:
    return decision.dry_run and decision.action == "delete"


def _sum_up(console: Console, decisions: Sequence[Decision], plans: Sequence[Plan]) -> None:
    in_dry_run = sum(_is_dry_run(each) for each in decisions)
    going = sum(each.action == "delete" for each in decisions) - in_dry_run
    held = [each for each in decisions if each.is_held]
    console.print()
    if in_dry_run:
        console.print(f"{in_dry_run} more would be deleted without dry_run = true in their plans.")
    if held:
        console.print(f"{len(held)} stay only because of older keep rules. To delete them now, add", style="yellow")
        names = {each.snapshot.tags.get(PLAN_KEY) for each in held}
        for plan in plans:
            if plan.keep and not names.isdisjoint((plan.name, *plan.was)):
                console.print(f"  {confirmation(plan.keep)}    below [plans.{plan.name}]", style="yellow", markup=False)
        console.print("and deploy.", style="yellow")
    console.print(f"{going} of {len(decisions)} snapshots would go now. Nothing was deleted.", style="bold")
