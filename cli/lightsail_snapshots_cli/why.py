"""`why`: what happened to one instance, and why."""

from datetime import timedelta

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightsail_snapshots.naming import is_name
from lightsail_snapshots.reader import suggestion
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.deployment import Deployment, read_deployment
from lightsail_snapshots_cli.errors import NOT_FOUND, CommandError, explain
from lightsail_snapshots_cli.listing import Listing, list_regions
from lightsail_snapshots_cli.logs import read_lines
from lightsail_snapshots_cli.parameters import Duration
from lightsail_snapshots_cli.permissions import LIST_INSTANCES, LIST_SNAPSHOTS, LOG_GROUPS, READ_DEPLOYMENT, Permission
from lightsail_snapshots_cli.terminal import answers, print_json, progress
from lightsail_snapshots_cli.timeline import Entry, build_timeline

PERMISSIONS = {
    "why": (*READ_DEPLOYMENT, LIST_INSTANCES, LIST_SNAPSHOTS, Permission("logs:FilterLogEvents", LOG_GROUPS)),
}


@click.command()
@click.argument("instance")
@click.option("--since", type=Duration(), default="14d", show_default=True, help="How far to look back.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def why(ctx: click.Context, instance: str, since: timedelta, as_json: bool) -> None:
    """Show what happened to INSTANCE, and why.

    Its requests, failures, copies and deletions, from the logs of the functions, which are kept for three months, and
    from its snapshots. Times are in UTC.
    """
    deployment = read_deployment()
    listing = list_regions(deployment.all_regions)
    start = clock.now() - since
    # A text that can be no name is in no log, and could be no part of a filter.
    lines = read_lines(deployment, instance, start) if is_name(instance) else []
    snapshots = [each for each in listing.snapshots if each.snapshot_of == instance]
    timeline = build_timeline(instance, lines, snapshots, start)
    selected = _selected(deployment, listing, instance)
    if not (timeline or selected or snapshots):
        for region, error in listing.errors.items():
            raise explain(error, f"while listing {region}")
        raise CommandError(_unknown(listing, instance), NOT_FOUND)
    if as_json:
        print_json({"instanceName": instance, "timeline": [each.as_json() for each in timeline]})
    else:
        _show(answers(), instance, selected, timeline)
    for region, error in listing.errors.items():
        progress(f"Error: {explain(error, f'while listing {region}').message}")
    ctx.exit(max((explain(error).exit_code for error in listing.errors.values()), default=0))


def _selected(deployment: Deployment, listing: Listing, name: str) -> dict[str, list[str]]:
    """Return the names of the plans that select the instance now, by Region that has an instance of this name."""
    return {
        region: [
            plan.name for plan in deployment.plans if region in plan.regions and plan.select.matches(name, each.tags)
        ]
        for region, instances in listing.instances.items()
        for each in instances
        if each.name == name
    }


def _unknown(listing: Listing, name: str) -> str:
    names = {each.name for instances in listing.instances.values() for each in instances}
    names |= {each.snapshot_of for each in listing.snapshots}
    hint = suggestion(name, sorted(names), "run `lightsail-snapshots status` to see all")
    return f"There is no instance {name}, no snapshot of it, and nothing in the logs; {hint}"


def _show(console: Console, name: str, selected: dict[str, list[str]], timeline: list[Entry]) -> None:
    for region, plans in selected.items():
        by = f"plan {', '.join(plans)} selects it" if plans else "NO PLAN selects it"
        console.print(f"{name} in {region}: {by}.", style="bold")
    if not selected:
        console.print(f"There is no instance {name} now.", style="bold")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("TIME", "WHAT", "SNAPSHOT", "WHY"):
        table.add_column(column, overflow="fold", no_wrap=column == "TIME")
    for each in timeline:
        again = f"({each.count} times, until {each.until:%Y-%m-%d %H:%M})" if each.count > 1 else ""
        reason = f"{each.why.removeprefix(f'{each.snapshot} ')} {again}".strip()
        style = "bold red" if each.what.startswith(("Failed", "Overdue")) else ""
        where = f"in {each.region}" if each.region and each.region not in selected else ""
        subject = Text(f"{each.snapshot} {where}".strip())
        table.add_row(f"{each.time:%Y-%m-%d %H:%M}", Text(each.what, style), subject, Text(reason))
    if timeline:
        console.print(table)
    else:
        console.print("Nothing happened in this time: --since looks back further.")
