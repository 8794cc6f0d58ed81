"""`status`: which instances could be restored, and from how long ago."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightsail_snapshots.aws.errors import AccessDeniedError
from lightsail_snapshots.instance import Instance
from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import format_duration, suggestion
from lightsail_snapshots.recovery_points import InstanceStatus, newest_recovery_points, report
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.errors import NOT_FOUND, NOT_SIGNED_IN, OVERDUE, CommandError, explain, is_not_enabled
from lightsail_snapshots_cli.listing import Listing, list_regions
from lightsail_snapshots_cli.parameters import LightsailRegion, lightsail_regions
from lightsail_snapshots_cli.permissions import LIST_INSTANCES, LIST_SNAPSHOTS, READ_DEPLOYMENT
from lightsail_snapshots_cli.scope import Scope, read_scope
from lightsail_snapshots_cli.terminal import answers, format_age, print_json, progress

PERMISSIONS = {"status": (*READ_DEPLOYMENT, LIST_INSTANCES, LIST_SNAPSHOTS)}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One instance."""

    instance: Instance
    region: str
    plans: tuple[str, ...]
    """The names of the plans that select it."""
    recovery_point_at: datetime | None
    """When the data of its newest usable snapshot was taken."""
    age: timedelta | None
    """Of that data."""
    max_age: timedelta | None
    """The strictest of its plans."""
    copies: Mapping[str, datetime | None]
    """When the data of the newest usable copy was taken, by Region that a plan copies to."""
    overdue_since: datetime | None
    mark: str
    """OVERDUE, NO PLAN or OUTSIDE YOUR REGIONS; empty if the instance is protected or its plan has no `max_age`."""

    def as_json(self) -> dict[str, Any]:
        """Return it with camelCase keys, as in the events."""
        return {
            "instanceName": self.instance.name,
            "instanceArn": self.instance.arn,
            "region": self.region,
            "plans": list(self.plans),
            "recoveryPointAt": self.recovery_point_at and format_utc(self.recovery_point_at),
            "ageSeconds": None if self.age is None else round(self.age.total_seconds()),
            "maxAge": self.max_age and format_duration(self.max_age),
            "copies": {region: at and format_utc(at) for region, at in self.copies.items()},
            "overdueSince": self.overdue_since and format_utc(self.overdue_since),
            "mark": self.mark or None,
        }


@click.command()
@click.argument("instance", required=False)
@click.option("--region", type=LightsailRegion(), help="Look at the instances of this Region only.")
@click.option(
    "--plans",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take the plans of this file instead of the deployed ones.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def status(ctx: click.Context, instance: str | None, region: str | None, plans: Path | None, as_json: bool) -> None:
    """Show which instances are protected.

    For each INSTANCE: its newest usable snapshot, the age of that and of its copies, and its plans. Looks at all
    Lightsail Regions that the account has enabled. Ends with 3 if anything is overdue.
    """
    scope = read_scope(plans)
    regions = [region] if region else lightsail_regions()
    listing = list_regions([*regions, *scope.copy_regions])
    failures = _failures(listing, regions, scope)
    now = clock.now()
    rows = build_rows(scope, listing, regions, now)
    if instance:
        rows = _only(instance, rows, failures)
    if as_json:
        print_json({"instances": [row.as_json() for row in rows]})
    else:
        show(answers(), rows, now)
    for failure in failures:
        progress(f"Error: {failure.message}")
    ctx.exit(failures[0].exit_code if failures else OVERDUE if any(row.overdue_since for row in rows) else 0)


def build_rows(scope: Scope, listing: Listing, regions: Sequence[str], now: datetime) -> list[Row]:
    """Return a row for each instance in these Regions, by Region and name."""
    instances: dict[str, Sequence[Instance]] = dict.fromkeys(scope.regions, ())
    instances |= {region: listing.instances.get(region, ()) for region in regions}
    newest = newest_recovery_points(listing.snapshots)
    found: dict[str, list[_PlanStatus]] = defaultdict(list)
    for plan in scope.plans:
        for each in report(plan, instances, newest, now).statuses:
            if each.copy_region not in listing.errors:
                found[each.instance.arn].append(_PlanStatus(plan, each))

    def build(region: str, instance: Instance) -> Row:
        at = newest.get((instance.arn, region))
        age = max(now - at, timedelta(0)) if at else None
        without_plan = "NO PLAN" if region in scope.regions else "OUTSIDE YOUR REGIONS"
        return _row(instance, region, (at, age), found[instance.arn], without_plan)

    ordered = ((region, sorted(instances[region], key=lambda each: each.name)) for region in sorted(regions))
    return [build(region, instance) for region, here in ordered for instance in here]


class _PlanStatus(NamedTuple):
    plan: Plan
    status: InstanceStatus


def _row(
    instance: Instance,
    region: str,
    newest: tuple[datetime | None, timedelta | None],
    found: Sequence[_PlanStatus],
    without_plan: str,
) -> Row:
    at, age = newest
    overdue_since = min((each.status.overdue_since for each in found if each.status.overdue_since), default=None)
    copies = [each.status for each in found if each.status.copy_region]
    return Row(
        instance=instance,
        region=region,
        plans=tuple(dict.fromkeys(each.plan.name for each in found)),
        recovery_point_at=at,
        age=age,
        max_age=min((each.plan.max_age for each in found if each.plan.max_age), default=None),
        copies={each.copy_region: each.recovery_point_at for each in copies if each.copy_region},
        overdue_since=overdue_since,
        mark="OVERDUE" if overdue_since else "" if found else without_plan,
    )


def show(console: Console, rows: Sequence[Row], now: datetime) -> None:
    """Print a table of the rows, and a line that counts them."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("INSTANCE", "REGION", "NEWEST", "MAX AGE", "COPIES", "PLAN", ""):
        table.add_column(name, overflow="fold")
    for row in rows:
        copies = (f"{region} {format_age(now - at) if at else 'none'}" for region, at in row.copies.items())
        style = "bold red" if row.overdue_since else "yellow"
        table.add_row(
            row.instance.name,
            row.region,
            format_age(row.age) if row.age is not None else "none",
            format_age(row.max_age) if row.max_age else "-",
            ", ".join(copies) or "-",
            ", ".join(row.plans) or "-",
            Text(row.mark, style),
        )
    if rows:
        console.print(table)
    marks = [row.mark for row in rows]
    counted = [
        f"{marks.count(mark)} {mark}" for mark in ("OVERDUE", "NO PLAN", "OUTSIDE YOUR REGIONS") if mark in marks
    ]
    console.print(f"{len(rows)} instance{'' if len(rows) == 1 else 's'}: {', '.join(counted) or 'nothing is overdue'}.")


def _failures(listing: Listing, regions: Sequence[str], scope: Scope) -> list[CommandError]:
    """Return what could not be looked at; end the command if that is everything.

    A Region that the account has not enabled is skipped. So is one that the credentials cannot read, if no plan is
    about it: organizations often deny the Regions that they do not use.
    """
    if listing.errors and not listing.instances.keys() & set(regions):
        region, error = next(item for item in listing.errors.items() if item[0] in regions)
        if is_not_enabled(error):
            raise CommandError(
                f"AWS rejected your credentials in {region}: sign in again, or enable that Region. {error}",
                NOT_SIGNED_IN,
            )
        raise explain(error, f"while listing {region}")
    failures = []
    for region, error in listing.errors.items():
        is_needed = region in scope.all_regions
        if is_needed or not (is_not_enabled(error) or isinstance(error, AccessDeniedError)):
            failures.append(explain(error, f"while listing {region}"))
        elif isinstance(error, AccessDeniedError):
            progress(f"Skipped {region}: access denied.")
    return failures


def _only(name: str, rows: Sequence[Row], failures: Sequence[CommandError]) -> list[Row]:
    """Return the rows of one instance; end the command if there is none."""
    found = [row for row in rows if row.instance.name == name]
    if found:
        return found
    if failures:
        raise failures[0]
    names = sorted({row.instance.name for row in rows})
    hint = suggestion(name, names, "run `lightsail-snapshots status` to see all")
    raise CommandError(f"There is no instance {name} in the Regions that were looked at; {hint}", NOT_FOUND)
