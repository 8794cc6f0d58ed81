"""`make preview`: every snapshot of an account, with what prune would do to it now, and why. It only reads.

It takes plans.toml as it stands, and AWS credentials, profile and Region as every AWS tool does (AWS_PROFILE,
AWS_REGION, AWS_ENDPOINT_URL, ...); they need lightsail:GetInstanceSnapshots and nothing else. It lists and decides with
the very code of `prune`.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightsail_snapshots.aws.errors import AccessDeniedError, AwsError
from lightsail_snapshots.aws.lightsail import list_snapshots
from lightsail_snapshots.keep_rules import confirmation
from lightsail_snapshots.naming import PLAN_KEY
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.retention import Decision, decide, instance_of
from lightsail_snapshots_cli.account import NotSignedInError, signed_in_region
from lightsail_snapshots_plans.file import InvalidPlansError
from lightsail_snapshots_plans.plans import Plans, read_plans

LONGEST_NAME = 36
"""Columns of a terminal for a name, so that one such as web-1-20260601T031500Z-650f118d is whole, and the reason has
some left."""
PLANS = Path("plans.toml")


class PreviewError(Exception):
    """Raised where there is nothing to show; the text is one line for the person who asked."""


def main() -> int:
    """Show it for plans.toml, or for the file that is named; return 0, or 1 where something could not be read."""
    try:
        failures = preview(Console(highlight=False), Path(sys.argv[1]) if sys.argv[1:] else PLANS, datetime.now(UTC))
    except (InvalidPlansError, NotSignedInError, PreviewError) as error:
        failures = [str(error)]
    for failure in failures:
        sys.stderr.write(f"{failure}\n")
    return 1 if failures else 0


def preview(console: Console, path: Path, now: datetime) -> list[str]:
    """Print all decisions; return a line for each Region that could not be listed, and about which nothing is shown.

    Raises InvalidPlansError, NotSignedInError or PreviewError.
    """
    plans = read_plans(path, region=signed_in_region())
    regions = _regions(plans)
    listed, errors = list_snapshots(regions)
    if not listed and errors:
        return [_explained(region, error) for region, error in errors.items()]
    decisions = decide(listed, plans.plans, now, incomplete=errors, regions=regions)
    for (instance, region, _), group in groupby(decisions, key=lambda each: instance_of(each.snapshot)):
        console.print(Text(f"\n{instance or 'An instance without a name'} in {region}", "bold"))
        console.print(_table(list(group), now))
    _sum_up(console, decisions, plans.plans)
    return [_explained(region, error) for region, error in errors.items()]


def _regions(plans: Plans) -> list[str]:
    """Return all Regions in which there may be snapshots of the plans, or copies."""
    named = (region for plan in plans.plans for region in (*plan.regions, *plan.copy_to))
    if not plans.regions and not all(plan.regions for plan in plans.plans):
        raise PreviewError("In which Region is the stack? Set AWS_REGION, or name regions in plans.toml.")
    return list(dict.fromkeys([*plans.regions, *named]))


def _explained(region: str, error: AwsError) -> str:
    if isinstance(error, AccessDeniedError):
        return f"You may not list the snapshots in {region} (lightsail:GetInstanceSnapshots). {error}"
    return f"The snapshots in {region} cannot be listed. {error}"


def _table(decisions: Sequence[Decision], now: datetime) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True, min_width=6)
    table.add_column(no_wrap=True, min_width=6)
    names = max(len(each.snapshot.name) for each in decisions)
    table.add_column(overflow="fold", width=min(names, LONGEST_NAME))
    table.add_column(overflow="fold")
    for each in decisions:
        style = "yellow" if each.is_held else "red" if each.action == "delete" else "green"
        why = f"{each.reason}; not done, the plan only looks on" if _only_looks_on(each) else each.reason
        age = _age(now - each.snapshot.created_at)
        table.add_row(age, Text(each.action, style), Text(each.snapshot.name), Text(why))
    return table


def _age(age: timedelta) -> str:
    hours = age // timedelta(hours=1)
    return f"{hours // 24} d" if abs(hours) >= 48 else f"{hours} h"


def _only_looks_on(decision: Decision) -> bool:
    return decision.dry_run and decision.action == "delete"


def _sum_up(console: Console, decisions: Sequence[Decision], plans: Sequence[Plan]) -> None:
    looked_at = sum(_only_looks_on(each) for each in decisions)
    going = sum(each.action == "delete" for each in decisions) - looked_at
    held = [each for each in decisions if each.is_held]
    console.print()
    if looked_at:
        console.print(f"{looked_at} more would go, were it not for dry_run = true in their plans.")
    if held:
        console.print(f"{len(held)} stay only because of older keep rules. To delete them now, add", style="yellow")
        names = {each.snapshot.tags.get(PLAN_KEY) for each in held}
        for plan in plans:
            if plan.keep and not names.isdisjoint((plan.name, *plan.was)):
                console.print(f"  {confirmation(plan.keep)}    below [plans.{plan.name}]", style="yellow", markup=False)
        console.print("and deploy.", style="yellow")
    console.print(f"{going} of {len(decisions)} snapshots would go now. Nothing was deleted.", style="bold")


if __name__ == "__main__":
    sys.exit(main())
