"""`adopt`: take over snapshots that somebody else made, by giving them our tags."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import click
from rich.table import Table
from rich.text import Text

from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots.keep_rules import KEEP_ALL
from lightsail_snapshots.naming import MANAGED_BY, MANAGED_BY_KEY, MAX_TAGS, is_hold, is_reserved_key, our_tags
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import suggestion
from lightsail_snapshots.snapshot import AVAILABLE, Snapshot
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.deployment import Deployment, read_deployment
from lightsail_snapshots_cli.errors import FAILED, NOT_FOUND, USAGE, CommandError
from lightsail_snapshots_cli.parameters import Duration, LightsailRegion
from lightsail_snapshots_cli.permissions import (
    LIST_SNAPSHOTS,
    READ_DEPLOYMENT,
    READ_SNAPSHOT,
    SNAPSHOTS,
    Permission,
)
from lightsail_snapshots_cli.terminal import confirm, format_age, print_json, progress, questions

PERMISSIONS = {
    "adopt": (
        *READ_DEPLOYMENT,
        LIST_SNAPSHOTS,
        READ_SNAPSHOT,
        Permission(
            "lightsail:TagResource",
            SNAPSHOTS,
            {
                "StringEquals": {f"aws:RequestTag/{MANAGED_BY_KEY}": MANAGED_BY},
                "StringEqualsIfExists": {f"aws:ResourceTag/{MANAGED_BY_KEY}": MANAGED_BY},
            },
        ),
    ),
}


class _Wish(NamedTuple):
    plan: Plan | None
    expires_at: datetime | None

    def tags(self, snapshot: Snapshot) -> dict[str, str]:
        """Return the tags of an adopted snapshot: no rule deletes it until a person confirms the plan's rules."""
        return our_tags(
            snapshot.name,
            snapshot.instance_name,
            plan=self.plan.name if self.plan else None,
            keep=KEEP_ALL,
            expires_at=self.expires_at,
        )


class _Item(NamedTuple):
    snapshot: Snapshot
    problem: str
    """Why it cannot be adopted; empty if it can."""
    is_ours: bool


@click.command()
@click.argument("glob")
@click.option("--region", type=LightsailRegion(), help="Look there only; default: all Regions of the deployment.")
@click.option("--plan", help="The plan that they belong to from now on; default: none.")
@click.option("--keep-for", type=Duration(), help="Delete them after this time, counted from now; default: never.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def adopt(  # noqa: PLR0913, PLR0917  click passes each option as an argument
    ctx: click.Context,
    glob: str,
    region: str | None,
    plan: str | None,
    keep_for: timedelta | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Take over the snapshots of others whose names match GLOB.

    They get our tags, and count as recovery points of their instances. The tag snapshot-keep=all lets no keep rule
    delete them, nor others of the plan, until you confirm the plan's rules in plans.toml.
    """
    deployment = read_deployment()
    wish = _Wish(_find_plan(deployment, plan), clock.now() + keep_for if keep_for else None)
    items = [_judge(each, wish) for each in _find(deployment, glob, region)]
    adoptable = [each.snapshot for each in items if not each.problem]
    _show(items)
    done = bool(adoptable) and confirm(f"Adopt {len(adoptable)} of {len(items)} snapshots?", yes=yes)
    adopted = [each for each in adoptable if _adopt(each, wish)] if done else []
    if as_json:
        print_json({"adopted": [_as_json(each) for each in adopted]})
    else:
        click.echo(f"{len(adopted)} adopted." if done else "Nothing was done.")
    is_failure = len(adopted) < len(adoptable) if done else all(each.problem and not each.is_ours for each in items)
    ctx.exit(FAILED if is_failure else 0)


def _find_plan(deployment: Deployment, name: str | None) -> Plan | None:
    if name is None:
        return None
    plans = {plan.name: plan for plan in deployment.plans}
    if name not in plans:
        raise CommandError(f"There is no plan {name}; {suggestion(name, sorted(plans))}", USAGE)
    return plans[name]


def _find(deployment: Deployment, glob: str, region: str | None) -> list[Snapshot]:
    """Return the matching snapshots with all their tags, oldest first."""
    if region and region not in deployment.all_regions:
        known = ", ".join(deployment.all_regions)
        raise CommandError(f"{region} is not a Region of this deployment ({known}), so nothing there is pruned", USAGE)
    regions = [region] if region else deployment.all_regions
    listed = [each for where in regions for each in lightsail(where).snapshots()]
    found = [each for each in listed if fnmatchcase(each.name, glob)]
    if not found:
        hint = suggestion(glob, sorted({each.name for each in listed}), "quote the glob, as 'web-*'")
        raise CommandError(f"No snapshot's name matches {glob}; {hint}", NOT_FOUND)
    return sorted(_read_again(found), key=lambda each: each.created_at)


def _read_again(listed: Sequence[Snapshot]) -> Iterator[Snapshot]:
    """Return each with all its tags, of which a listing keeps only ours."""
    for each in listed:
        if found := lightsail(each.region).find_snapshot(each.name):
            yield found


def _judge(snapshot: Snapshot, wish: _Wish) -> _Item:
    is_ours = not snapshot.why_foreign(snapshot.origin)
    return _Item(snapshot, "it is ours already" if is_ours else _problem(snapshot, wish), is_ours)


def _problem(snapshot: Snapshot, wish: _Wish) -> str:
    """Say why somebody else's snapshot cannot be adopted."""
    if snapshot.state != AVAILABLE:
        return f"its state is {snapshot.state}"
    if not snapshot.instance_name:
        return "Lightsail does not say which instance it is of"
    if wish.plan and snapshot.region not in wish.plan.regions:
        return f"plan {wish.plan.name} has no instances in {snapshot.region}"
    return _tag_problem(snapshot, wish.tags(snapshot))


def _tag_problem(snapshot: Snapshot, ours: Mapping[str, str]) -> str:
    owner = next((value for key, value in snapshot.tags.items() if key.strip().lower() == MANAGED_BY_KEY), MANAGED_BY)
    if owner != MANAGED_BY:
        return f"it is managed by {owner}"
    left = [key for key in snapshot.tags if is_reserved_key(key) and key not in ours and not is_hold(key)]
    if left:
        return f"it has reserved tags from elsewhere: remove {', '.join(left)} first"
    if len({*snapshot.tags, *ours}) > MAX_TAGS:
        return f"it has {len(snapshot.tags)} tags: there is no room for ours"
    return ""


def _adopt(shown: Snapshot, wish: _Wish) -> bool:
    """Tag a snapshot if it is as it was shown. Raises AwsError."""
    region = lightsail(shown.region)
    found = region.find_snapshot(shown.name)
    if found != shown:
        progress(f"Skipped {shown.name} in {shown.region}: it has changed since it was listed.")
        return False
    region.tag_snapshot(shown.name, wish.tags(shown))
    return True


def _as_json(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "instanceName": snapshot.instance_name,
        "instanceSnapshotName": snapshot.name,
        "region": snapshot.region,
    }


def _show(items: Sequence[_Item]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    now = clock.now()
    for snapshot, problem, _ in items:
        action = Text("no", "yellow") if problem else Text("adopt", "green")
        name = Text(f"{snapshot.name} in {snapshot.region}")
        of = Text(problem or f"of {snapshot.instance_name}")
        table.add_row(format_age(now - snapshot.created_at), action, name, of)
    questions().print(table)
