"""`leave`: what stays after `make destroy`, and what must be removed before it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots.naming import EXPIRES_KEY, format_utc, is_hold
from lightsail_snapshots.reader import read_instant
from lightsail_snapshots.snapshot import Snapshot
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.bus_rules import BusRule, find_own_rules, remove_rule
from lightsail_snapshots_cli.deletion import delete_snapshots, why_it_stays
from lightsail_snapshots_cli.deployment import find_region
from lightsail_snapshots_cli.errors import FAILED
from lightsail_snapshots_cli.listing import list_all_regions
from lightsail_snapshots_cli.parameters import Duration
from lightsail_snapshots_cli.permissions import (
    DELETE_OURS,
    LIST_INSTANCES,
    LIST_SNAPSHOTS,
    OURS,
    READ_SNAPSHOT,
    RULES,
    SNAPSHOTS,
    STACK,
    Permission,
    tagging,
)
from lightsail_snapshots_cli.prices import DOLLARS_PER_GB
from lightsail_snapshots_cli.terminal import answers, confirm, print_json, progress, questions

PERMISSIONS = {
    "leave": (
        Permission("cloudformation:ListStackResources", STACK),
        Permission("events:ListRules"),  # it has no resource types
        Permission("events:ListTargetsByRule", RULES),
        Permission("events:RemoveTargets", RULES),
        Permission("events:DeleteRule", RULES),
        LIST_INSTANCES,
        LIST_SNAPSHOTS,
        READ_SNAPSHOT,
        Permission("lightsail:TagResource", SNAPSHOTS, {"StringEquals": OURS, **tagging(EXPIRES_KEY)}),
        DELETE_OURS,
    ),
}


@dataclass(frozen=True, kw_only=True)
class _Left:
    """What there is of ours."""

    snapshots: Sequence[Snapshot]
    rules: Sequence[BusRule]

    @property
    def dollars(self) -> float:
        """The most that they can cost in a month."""
        return sum(each.size_in_gb for each in self.snapshots) * DOLLARS_PER_GB

    def as_json(self) -> dict[str, Any]:
        return {
            "snapshots": len(self.snapshots),
            "onHold": sum(any(map(is_hold, each.tags)) for each in self.snapshots),
            "expiring": sum(EXPIRES_KEY in each.tags for each in self.snapshots),
            "sizeInGb": sum(each.size_in_gb for each in self.snapshots),
            "atMostDollarsPerMonth": round(self.dollars, 2),
            "ownRules": [each.name for each in self.rules],
        }


@click.command()
@click.option("--keep-for", type=Duration(), help="Give those that have no expiry one, counted from now.")
@click.option("--delete", "delete_all", is_flag=True, help="Delete all of our snapshots, in all Regions.")
@click.option("--delete-expired", is_flag=True, help="Delete those whose expiry has passed.")
@click.option("--remove-rules", is_flag=True, help="Delete your own rules on our bus.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def leave(  # noqa: PLR0913, PLR0917  click passes each option as an argument
    ctx: click.Context,
    keep_for: timedelta | None,
    delete_all: bool,
    delete_expired: bool,
    remove_rules: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Show what stays after `make destroy`, and clean up.

    Every snapshot stays, and is billed until somebody deletes it. With an option, it shows what it will do, and asks.
    Works with and without a stack. Holds stay in any case.
    """
    if sum(map(bool, (keep_for, delete_all, delete_expired, remove_rules))) > 1:
        raise click.UsageError("Give one of --keep-for, --delete, --delete-expired and --remove-rules at a time.")
    region = find_region()
    listing = list_all_regions()
    ours = [each for each in listing.snapshots if not each.why_foreign(each.origin)]
    left = _Left(snapshots=ours, rules=find_own_rules(region))
    is_report = not (keep_for or delete_all or delete_expired or remove_rules)
    if not (is_report and as_json):
        _show(answers() if is_report else questions(), left)
    done: dict[str, int] = {}
    if remove_rules:
        done = _remove_rules(region, left.rules, yes=yes)
    elif keep_for:
        done = _expire(ours, clock.now() + keep_for, yes=yes)
    elif not is_report:
        done = _delete([each for each in ours if delete_all or _has_expired(each, clock.now())], yes=yes)
    wanted = done.pop("wanted", 0)
    _report(left, done, is_report=is_report, as_json=as_json)
    ctx.exit(FAILED if sum(done.values()) < wanted else 0)


def _has_expired(snapshot: Snapshot, now: datetime) -> bool:
    try:
        return read_instant(snapshot.tags.get(EXPIRES_KEY)) <= now
    except ValueError:  # it has none, or one that cannot be read
        return False


def _delete(snapshots: Sequence[Snapshot], *, yes: bool) -> dict[str, int]:
    going = [each for each in snapshots if not why_it_stays(each)]
    for each in snapshots:
        if stays := why_it_stays(each):
            progress(f"{each.name} in {each.region} stays: {stays}.")
    if not going or not confirm(f"Delete {len(going)} of our snapshots? This cannot be undone.", yes=yes):
        return {}
    return {"wanted": len(going), "deleted": len(delete_snapshots(going))}


def _expire(snapshots: Sequence[Snapshot], expires_at: datetime, *, yes: bool) -> dict[str, int]:
    """Tag those that have no expiry. One that changed in between is still ours, or IAM's condition denies it."""
    chosen = [each for each in snapshots if EXPIRES_KEY not in each.tags and not any(map(is_hold, each.tags))]
    text = format_utc(expires_at)
    if not chosen or not confirm(f"Let {len(chosen)} snapshots expire on {text}?", yes=yes):
        return {}
    expiring = 0
    for each in chosen:
        found = lightsail(each.region).find_snapshot(each.name)
        if found is None or found.arn != each.arn or found.why_foreign(found.origin):
            progress(f"Skipped {each.name} in {each.region}: it has changed since it was listed.")
            continue
        lightsail(each.region).tag_snapshot(each.name, {EXPIRES_KEY: text})
        expiring += 1
    return {"wanted": len(chosen), "expiring": expiring}


def _remove_rules(region: str, rules: Sequence[BusRule], *, yes: bool) -> dict[str, int]:
    if not rules or not confirm(f"Delete {len(rules)} of your own rules, with their targets?", yes=yes):
        return {}
    for rule in rules:
        remove_rule(region, rule)
        progress(f"Deleted the rule {rule.name}.")
    return {"wanted": len(rules), "rulesDeleted": len(rules)}


def _show(console: Console, left: _Left) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("REGION", "SNAPSHOTS", "EXPIRING", "ON HOLD", "SIZE", "AT MOST"):
        table.add_column(column, justify="left" if column == "REGION" else "right")
    by_region: dict[str, list[Snapshot]] = defaultdict(list)
    for each in left.snapshots:
        by_region[each.region].append(each)
    for region, here in sorted(by_region.items()):
        found = _Left(snapshots=here, rules=()).as_json()
        size, dollars = f"{found['sizeInGb']:,} GB", f"${found['atMostDollarsPerMonth']:,.2f}/month"
        table.add_row(region, str(len(here)), str(found["expiring"]), str(found["onHold"]), size, dollars)
    if by_region:
        console.print(table)
    console.print(f"{len(left.snapshots)} of our snapshots stay, at most ${left.dollars:,.2f} a month.", style="bold")
    if left.snapshots:
        price = f"${DOLLARS_PER_GB:.2f} for each GB of their disks"
        console.print(f"That is {price}. The bill is lower: only data is billed, and of a later")
        console.print("snapshot of the same instance only what changed.")
    for rule in left.rules:
        console.print(f"Your own rule {rule.name} is on the bus: make destroy fails until it is removed.", style="red")


def _report(left: _Left, done: dict[str, int], *, is_report: bool, as_json: bool) -> None:
    if as_json:
        print_json(left.as_json() | done)
    elif not is_report:
        words = {"deleted": "deleted", "expiring": "expire now", "rulesDeleted": "of your rules deleted"}
        click.echo(
            ", ".join(f"{count} {words[key]}" for key, count in done.items()) + "." if done else "Nothing was done."
        )
