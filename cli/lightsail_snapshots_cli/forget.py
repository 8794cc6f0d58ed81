"""`forget`: delete what is left of an instance that is gone."""

from collections.abc import Sequence

import click
from rich.table import Table
from rich.text import Text

from lightsail_snapshots.aws.errors import NotFoundError
from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots.reader import suggestion
from lightsail_snapshots.snapshot import Snapshot
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.deletion import delete_snapshots, why_it_stays
from lightsail_snapshots_cli.deployment import find_region
from lightsail_snapshots_cli.errors import FAILED, NOT_FOUND, CommandError
from lightsail_snapshots_cli.listing import Listing, list_all_regions
from lightsail_snapshots_cli.parameters import LightsailRegion
from lightsail_snapshots_cli.permissions import (
    DELETE_OURS,
    LIST_INSTANCES,
    LIST_SNAPSHOTS,
    READ_INSTANCE,
    READ_SNAPSHOT,
)
from lightsail_snapshots_cli.terminal import confirm, format_age, print_json, questions

PERMISSIONS = {"forget": (LIST_INSTANCES, LIST_SNAPSHOTS, READ_INSTANCE, READ_SNAPSHOT, DELETE_OURS)}


@click.command()
@click.argument("instance")
@click.option("--region", type=LightsailRegion(), help="Where the instance was; default: any Region.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def forget(ctx: click.Context, instance: str, region: str | None, yes: bool, as_json: bool) -> None:
    """Delete what is left of an INSTANCE that is gone.

    Deletes all of our snapshots of it, the newest too, and their copies, in all Regions. Holds stay, and so does
    all that is not certainly ours and of this instance.
    """
    find_region()
    listing = list_all_regions()
    found = [each for each in listing.snapshots if each.snapshot_of == instance]
    found = [each for each in found if region in (None, each.origin.region)]
    _check_gone(instance, region, listing)
    if not found:
        raise CommandError(_unknown(instance, listing), NOT_FOUND)
    going = [each for each in found if not _why_it_stays(each, listing)]
    _show(found, listing)
    done = bool(going) and confirm(f"Delete {_count(going)}? This cannot be undone.", yes=yes)
    if done:
        for home in {each.origin.region for each in going}:
            _check_still_gone(instance, home)
    deleted = delete_snapshots(going) if done else []
    if as_json:
        print_json({"deleted": [f"{each.name} in {each.region}" for each in deleted]})
    else:
        click.echo(f"{_count(deleted)} deleted." if done else "Nothing was done.")
    ctx.exit(FAILED if done and len(deleted) < len(going) else 0)


def _check_gone(name: str, region: str | None, listing: Listing) -> None:
    """End the command if there is an instance of this name."""
    for where, instances in listing.instances.items():
        if region in (None, where) and any(each.name == name for each in instances):
            raise CommandError(
                f"There is an instance {name} in {where}, and only what is left of one that is gone is deleted. If you"
                " mean another one of this name, --region names the Region where it was.",
                FAILED,
            )


def _check_still_gone(name: str, region: str) -> None:
    try:
        lightsail(region).instance(name)
    except NotFoundError:
        return
    raise CommandError(f"Nothing was done: there is an instance {name} in {region} now.", FAILED)


def _why_it_stays(snapshot: Snapshot, listing: Listing) -> str:
    if problem := why_it_stays(snapshot):
        return problem
    origin = snapshot.origin
    if not origin.instance_arn:
        return "it does not say which instance it is of"
    return "" if origin.region in listing.instances else f"{origin.region} could not be listed: is the instance gone?"


def _unknown(name: str, listing: Listing) -> str:
    there = {each.name for instances in listing.instances.values() for each in instances}
    names = sorted({each.snapshot_of for each in listing.snapshots if not why_it_stays(each)} - there)
    hint = suggestion(name, names, f"instances that are gone and have some: {', '.join(names) or 'none'}")
    return f"There is no snapshot of an instance {name}; {hint}"


def _show(snapshots: Sequence[Snapshot], listing: Listing) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    now = clock.now()
    for each in snapshots:
        stays = _why_it_stays(each, listing)
        action = Text("keep", "green") if stays else Text("delete", "red")
        table.add_row(format_age(now - each.created_at), action, Text(f"{each.name} in {each.region}"), Text(stays))
    questions().print(table)


def _count(snapshots: Sequence[Snapshot]) -> str:
    return f"{len(snapshots)} snapshot{'' if len(snapshots) == 1 else 's'}"
