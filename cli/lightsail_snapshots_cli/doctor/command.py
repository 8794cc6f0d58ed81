"""`doctor`: check the project's beliefs about AWS in this account."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from lightsail_snapshots.aws.errors import AwsError
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.deployment import NAME, find_region
from lightsail_snapshots_cli.doctor.attempt import DeniedError
from lightsail_snapshots_cli.doctor.belief import AS_ASSUMED, DIFFERS, NOT_CHECKED
from lightsail_snapshots_cli.doctor.beliefs import BELIEFS
from lightsail_snapshots_cli.doctor.calls import Calls, NotYetError, Resource
from lightsail_snapshots_cli.doctor.cleanup import Cleanup, describe, find_left
from lightsail_snapshots_cli.doctor.names import ROLE
from lightsail_snapshots_cli.doctor.order import CHECKS
from lightsail_snapshots_cli.doctor.permissions import PERMISSIONS
from lightsail_snapshots_cli.doctor.plan import choose_away, choose_size, lines
from lightsail_snapshots_cli.doctor.report import Facts, as_json, as_markdown, in_order, is_fine, summarize
from lightsail_snapshots_cli.doctor.role import Role
from lightsail_snapshots_cli.doctor.walk import Walk, run_checks
from lightsail_snapshots_cli.errors import ACCESS_DENIED, FAILED, INTERRUPTED, USAGE, CommandError, explain
from lightsail_snapshots_cli.listing import list_all_regions
from lightsail_snapshots_cli.parameters import LightsailRegion
from lightsail_snapshots_cli.terminal import answers, confirm, print_json, progress

__all__ = ["PERMISSIONS", "doctor"]


@click.command()
@click.option("--region", type=LightsailRegion(), help="Where to try; default: the Region of the stack.")
@click.option("--copy-region", type=LightsailRegion(), help="Where to copy to; default: another one nearby.")
@click.option(
    "--report", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write a report in Markdown."
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json_", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor(  # noqa: PLR0913, PLR0917  click passes each option as an argument
    ctx: click.Context,
    region: str | None,
    copy_region: str | None,
    report: Path | None,
    dry_run: bool,
    yes: bool,
    as_json_: bool,
) -> None:
    """Check in your account what this project believes about AWS.

    It makes a small instance, snapshots, copies and a role, and deletes them at the end. That takes about ten minutes
    and costs some cents. It shows first what it will do. It needs no deployment.
    """
    home = region or find_region()
    if home == copy_region:
        raise CommandError("--copy-region must be another Region.", USAGE)
    if report and not report.parent.is_dir():
        raise CommandError(f"There is no folder {report.parent} to write the report into.", USAGE)
    run = _prepare(home, copy_region)
    for line in run.lines:
        progress(line)
    if dry_run or not confirm("Do this?", yes=yes):
        click.echo("Nothing was done.")
        return
    run.do()
    walk = run.walk
    if report:
        facts = Facts(version(NAME), clock.now(), home, walk.away.region)
        report.write_text(as_markdown(BELIEFS, walk.answers, facts), encoding="utf-8")
    if as_json_:
        print_json(as_json(BELIEFS, walk.answers))
    else:
        _print(walk)
    ctx.exit(_status(run, report))


@dataclass(kw_only=True)
class _Run:
    """One run, with what earlier ones left."""

    walk: Walk
    calls: Callable[[str], Calls]
    left: list[Resource]
    is_role_left: bool
    not_deleted: list[Resource]
    lines: list[str]

    def do(self) -> None:
        """Delete what earlier runs left, check everything, and delete what was made, also after an error."""
        try:
            self._delete(self.left, is_of_this_run=False)
            if self.is_role_left:
                self._close_role()
            run_checks(self.walk, CHECKS)
        except KeyboardInterrupt as error:
            progress("Interrupted. Deleting what was made; press Ctrl-C again to leave that to the next run.")
            self._clean_up()
            raise CommandError(f"Interrupted. {self._what_is_left()}", INTERRUPTED) from error
        except BaseException:
            self._clean_up()
            raise
        self._clean_up()

    def _clean_up(self) -> None:
        made = [*self.walk.home.made, *self.walk.away.made]
        if made:
            progress("Deleting what is left ...")
        self._delete(made, is_of_this_run=True)
        if self.walk.role.may_exist:
            self._close_role()

    def _delete(self, resources: list[Resource], *, is_of_this_run: bool) -> None:
        cleanup = Cleanup(self.calls)
        self.not_deleted += cleanup.delete(resources, is_of_this_run=is_of_this_run)
        self.walk.denied += cleanup.denied

    def _close_role(self) -> None:
        try:
            self.walk.role.close()
        except DeniedError as error:
            self.walk.denied.append(str(error))
        except AwsError as error:
            progress(f"Could not delete the role {ROLE}. {explain(error).message}")
        else:
            self.is_role_left = False
            return
        self.is_role_left = True

    def _what_is_left(self) -> str:
        left = [describe(self.not_deleted)] if self.not_deleted else []
        left += [f"the role {ROLE}"] if self.is_role_left else []
        return f"Still there: {', '.join(left)}. Run doctor again to delete it." if left else "Nothing is left."

    @property
    def problem(self) -> str:
        """What is still there; empty if nothing is."""
        return self._what_is_left() if self.not_deleted or self.is_role_left else ""


def _prepare(home: str, copy_region: str | None) -> _Run:
    """Look at the account, and choose; change nothing."""
    progress("Looking at all Regions ...")
    listing = list_all_regions()
    try:
        away = copy_region or choose_away(home, list(listing.instances))
        calls = cache(Calls)
        size = choose_size(calls(home))
        role = Role(home)
        is_role_left = _is_left(role)
    except DeniedError as error:
        raise CommandError(f"Access denied: your credentials lack {error}.", ACCESS_DENIED) from error
    except NotYetError as error:
        raise CommandError(f"Nothing was done: {error}.") from error
    left = find_left(listing)
    walk = Walk(home=calls(home), away=calls(away), size=size, listing=listing, role=role)
    return _Run(
        walk=walk,
        calls=calls,
        left=left,
        is_role_left=is_role_left,
        not_deleted=[],
        lines=lines(size, home, away, left, is_role_left=is_role_left),
    )


def _is_left(role: Role) -> bool:
    """Tell whether an earlier run left the role; who may not read roles cannot have made it."""
    try:
        return role.is_left()
    except DeniedError:
        return False


def _print(walk: Walk) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("BELIEF", "VERDICT", "FOUND"):
        table.add_column(column, overflow="fold")
    styles = {DIFFERS: "red", NOT_CHECKED: "yellow", AS_ASSUMED: "green"}
    for belief, (verdict, found) in in_order(BELIEFS, walk.answers, by_hand=False):
        table.add_row(belief.id, Text(verdict, styles.get(verdict, "")), Text(found))
    answers().print(table)
    answers().print(summarize(walk.answers), style="bold")


def _status(run: _Run, report: Path | None) -> int:
    """Say on stderr what a person has to do, and return the exit status."""
    if report:
        progress(f"The report is in {report}.")
    if run.problem:
        progress(f"Error: {run.problem}")
    if run.walk.denied:
        actions = ", ".join(dict.fromkeys(run.walk.denied))
        progress(f"Error: Access denied: your credentials lack {actions}. Ask for that permission, and run it again.")
        return ACCESS_DENIED
    return 0 if is_fine(run.walk.answers) and not run.problem else FAILED
