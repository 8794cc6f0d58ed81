"""`hold` and `release`: set and remove the tag that keeps a snapshot from being pruned."""

from typing import TYPE_CHECKING

import boto3
import click

from lightsail_snapshots.aws import CONFIG
from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots.naming import HOLD_KEY, is_hold
from lightsail_snapshots.reader import suggestion
from lightsail_snapshots.snapshot import Snapshot
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.deployment import find_region
from lightsail_snapshots_cli.errors import NOT_FOUND, CommandError, explain_errors
from lightsail_snapshots_cli.parameters import LightsailRegion
from lightsail_snapshots_cli.permissions import LIST_SNAPSHOTS, READ_SNAPSHOT, SNAPSHOTS, Permission, tagging
from lightsail_snapshots_cli.terminal import confirm, format_age, print_json, progress

if TYPE_CHECKING:
    from mypy_boto3_lightsail import LightsailClient

PERMISSIONS = {
    "hold": (READ_SNAPSHOT, LIST_SNAPSHOTS, Permission("lightsail:TagResource", SNAPSHOTS, tagging(HOLD_KEY))),
    "release": (READ_SNAPSHOT, LIST_SNAPSHOTS, Permission("lightsail:UntagResource", SNAPSHOTS, tagging(HOLD_KEY))),
}


_region = click.option("--region", type=LightsailRegion(), help="Of the snapshot; default: the Region of the stack.")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@click.argument("snapshot")
@_region
@_yes
@_json
def hold(snapshot: str, region: str | None, yes: bool, as_json: bool) -> None:
    """Keep SNAPSHOT until it is released.

    It gets the tag snapshot-hold, and prune deletes nothing that has it.
    """
    found = _find(snapshot, region or find_region())
    if any(map(is_hold, found.tags)):
        _print(found, "is on hold already", as_json=as_json, is_held=True)
        return
    _describe(found)
    if not found.is_ours:
        progress("Prune would not delete it without a hold either: it is not managed by lightsail-snapshots.")
    if confirm(f"Set the tag {HOLD_KEY} on it?", yes=yes):
        with explain_errors("while tagging the snapshot"):
            _client(found).tag_resource(resourceName=found.name, tags=[{"key": HOLD_KEY, "value": "true"}])
        _print(found, "is on hold", as_json=as_json, is_held=True)
    else:
        _print(found, "", as_json=as_json, is_held=False)


@click.command()
@click.argument("snapshot")
@_region
@_yes
@_json
def release(snapshot: str, region: str | None, yes: bool, as_json: bool) -> None:
    """End the hold of SNAPSHOT.

    The rules of its plan decide again when it is deleted.
    """
    found = _find(snapshot, region or find_region())
    keys = [key for key in found.tags if is_hold(key)]
    if not keys:
        _print(found, "is not on hold", as_json=as_json, is_held=False)
        return
    _describe(found)
    if confirm(f"Remove the tag {', '.join(keys)} from it? The next prune may delete it.", yes=yes):
        with explain_errors("while removing the tag"):
            _client(found).untag_resource(resourceName=found.name, tagKeys=keys)
        _print(found, "is no longer on hold", as_json=as_json, is_held=False)
    else:
        _print(found, "", as_json=as_json, is_held=True)


def _print(snapshot: Snapshot, what: str, *, as_json: bool, is_held: bool) -> None:
    """Answer; without `what`, nothing was done."""
    if as_json:
        print_json({"instanceSnapshotName": snapshot.name, "region": snapshot.region, "onHold": is_held})
    else:
        click.echo(f"{snapshot.name} {what}." if what else "Nothing was done.")


def _find(name: str, region: str) -> Snapshot:
    found = lightsail(region).find_snapshot(name)
    if found:
        return found
    names = sorted(each.name for each in lightsail(region).snapshots())
    hint = suggestion(name, names, "--region names another Region")
    raise CommandError(f"There is no snapshot {name} in {region}; {hint}", NOT_FOUND)


def _describe(snapshot: Snapshot) -> None:
    of = f"a snapshot of {snapshot.snapshot_of}" if snapshot.snapshot_of else "a snapshot"
    age = format_age(clock.now() - snapshot.origin.taken_at)
    progress(f"{snapshot.name} is {of} in {snapshot.region}, {age} old, {snapshot.state}.")


def _client(snapshot: Snapshot) -> "LightsailClient":
    return boto3.client("lightsail", region_name=snapshot.region, config=CONFIG)
