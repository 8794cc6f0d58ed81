"""`status`: which instances could be restored, and from how long ago."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import click

from lightsail_snapshots.aws.errors import AccessDeniedError, AwsError
from lightsail_snapshots.reader import suggestion
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.deployment import Deployment, read_deployment
from lightsail_snapshots_cli.errors import NOT_FOUND, NOT_SIGNED_IN, OVERDUE, CommandError, explain, is_not_enabled
from lightsail_snapshots_cli.listing import Listing, list_regions
from lightsail_snapshots_cli.parameters import LightsailRegion, lightsail_regions
from lightsail_snapshots_cli.permissions import (
    LIST_DATABASES,
    LIST_DISKS,
    LIST_INSTANCES,
    LIST_SNAPSHOTS,
    LOG_GROUPS,
    READ_DEPLOYMENT,
    Permission,
)
from lightsail_snapshots_cli.scope import Scope, read_scope, scope_of
from lightsail_snapshots_cli.status_failures import with_failures
from lightsail_snapshots_cli.status_report import Report, Row, build_rows, count_holdings, find_clones_left
from lightsail_snapshots_cli.terminal import print_json, progress
from lightsail_snapshots_cli.uncovered import list_uncovered

PERMISSIONS = {
    "status": (
        *READ_DEPLOYMENT,
        LIST_INSTANCES,
        LIST_SNAPSHOTS,
        LIST_DISKS,
        LIST_DATABASES,
        Permission("logs:FilterLogEvents", LOG_GROUPS),  # with --html
    )
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
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write a page to this file, with the last failures from the logs.",
)
@click.pass_context
def status(  # noqa: PLR0913, PLR0917  click passes each option as an argument
    ctx: click.Context, instance: str | None, region: str | None, plans: Path | None, as_json: bool, html: Path | None
) -> None:
    """Show which instances are protected.

    For each INSTANCE: its newest usable snapshot, the age of that and of its copies, and its plans. Looks at all
    Lightsail Regions that the account has enabled. Also shows what no snapshot covers: managed databases, and disks
    that are attached to nothing. Ends with 3 if anything is overdue.
    """
    deployment = None if plans else read_deployment()
    scope = scope_of(deployment) if deployment else read_scope(plans)
    report, failures = _look(scope, [region] if region else lightsail_regions(), instance)
    if html:
        report, more = _with_failures(report, deployment)
        failures += more
        _write_page(html, report)
    if as_json:
        print_json(report.as_json())
    else:
        # rich takes a tenth of a second.
        from lightsail_snapshots_cli.status_text import show  # noqa: PLC0415
        from lightsail_snapshots_cli.terminal import answers  # noqa: PLC0415

        show(answers(), report)
    for problem in report.problems:
        progress(f"Error: {problem}")
    ctx.exit(failures[0].exit_code if failures else OVERDUE if report.is_overdue else 0)


def _with_failures(report: Report, deployment: Deployment | None) -> tuple[Report, list[CommandError]]:
    """Add the last failures, if there is a deployment; return why the logs could not be read, too."""
    if deployment is None:
        return report, []
    try:
        return replace(report, rows=with_failures(report.rows, deployment, report.now), has_failures=True), []
    except AwsError as error:
        failure = explain(error, "while reading the logs")
        return replace(report, problems=[*report.problems, failure.message]), [failure]


def _write_page(path: Path, report: Report) -> None:
    # Jinja takes a tenth of a second.
    from lightsail_snapshots_cli.status_page import render, write_page  # noqa: PLC0415

    write_page(path, render(report))
    progress(f"Wrote {path}.")


def _look(scope: Scope, regions: Sequence[str], instance: str | None) -> tuple[Report, list[CommandError]]:
    """Look at these Regions; return what is there, and what could not be looked at."""
    with ThreadPoolExecutor(1) as thread:
        pending = thread.submit(list_uncovered, [] if instance else regions)
        listing = list_regions([*regions, *scope.copy_regions])
        uncovered, errors = pending.result()
    failures = _failures(listing, regions, scope)
    failures += _failures_of_uncovered(errors, listing, scope)
    now = clock.now()
    rows = build_rows(scope, listing, regions, now)
    report = Report(
        now=now,
        rows=_only(instance, rows, failures) if instance else rows,
        uncovered=uncovered,
        holdings=count_holdings(listing.snapshots),
        clones_left=[each for each in find_clones_left(listing, now) if instance in {None, each.drill_of}],
        problems=[failure.message for failure in failures],
        skipped=_not_enabled(listing, scope),
    )
    if report.skipped:
        progress(f"Skipped, since the account has not enabled them: {', '.join(report.skipped)}.")
    return report, failures


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


def _not_enabled(listing: Listing, scope: Scope) -> list[str]:
    """Return the Regions without a plan that the account has not enabled."""
    return [
        region for region, error in listing.errors.items() if region not in scope.all_regions and is_not_enabled(error)
    ]


def _failures_of_uncovered(errors: dict[str, AwsError], listing: Listing, scope: Scope) -> list[CommandError]:
    """Return why disks or databases could not be listed: one failure for all Regions, since they have one cause."""
    found = [
        explain(error, f"while listing disks and databases of {region}")
        for region, error in errors.items()
        if region not in listing.errors and (region in scope.all_regions or not isinstance(error, AccessDeniedError))
    ]
    return found[:1]


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
