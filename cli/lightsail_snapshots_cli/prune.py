"""`prune`: delete now what the deployed plans do not keep."""

import click

from lightsail_snapshots.events import PRUNE_REQUESTED
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.deployment import read_deployment
from lightsail_snapshots_cli.invocation import invoke
from lightsail_snapshots_cli.permissions import LIST_SNAPSHOTS, READ_DEPLOYMENT, may_invoke
from lightsail_snapshots_cli.preview import decide_now, show
from lightsail_snapshots_cli.scope import scope_of
from lightsail_snapshots_cli.terminal import confirm, print_json, progress, questions

PERMISSIONS = {"prune": (*READ_DEPLOYMENT, LIST_SNAPSHOTS, may_invoke("Prune"))}


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def prune(yes: bool, as_json: bool) -> None:
    """Delete now what the plans do not keep.

    The plans are the deployed ones. Shows what would go, and asks. The function then decides again by the same rules.
    """
    deployment = read_deployment()
    now = clock.now()
    decisions, _ = decide_now(scope_of(deployment), now)
    show(questions(), deployment.plans, decisions, now)
    if not any(each.action == "delete" and not each.dry_run for each in decisions):
        print_json({"deleted": {}}) if as_json else click.echo("There is nothing to delete.")
        return
    if not confirm("Delete these snapshots?", yes=yes):
        print_json({"deleted": {}}) if as_json else click.echo("Nothing was done.")
        return
    progress("Pruning; this may take some minutes.")
    answer = invoke(deployment, "prune", PRUNE_REQUESTED)
    if as_json:
        print_json(answer)
        return
    for region, count in answer["deleted"].items():
        click.echo(f"{region}: {count} deleted")
