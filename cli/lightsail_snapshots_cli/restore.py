"""`restore`: make an instance out of a snapshot, with what Lightsail forgets, and take its static IP back."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import click

from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots.naming import format_utc, is_name
from lightsail_snapshots.reader import suggestion
from lightsail_snapshots.restore_facts import RestoreFacts, parse_tags
from lightsail_snapshots.restore_plan import (
    CREATE,
    RestorePlan,
    RestoreRefusedError,
    Step,
    Wishes,
    WrongBundleError,
    own_tags,
    restore_plan,
    restored_name,
)
from lightsail_snapshots.snapshot import AVAILABLE, Snapshot
from lightsail_snapshots_cli.deployment import find_region
from lightsail_snapshots_cli.errors import FAILED, NOT_FOUND, USAGE, CommandError
from lightsail_snapshots_cli.parameters import Duration, Instant, LightsailRegion
from lightsail_snapshots_cli.permissions import (
    LIST_SNAPSHOTS,
    READ_INSTANCE,
    READ_SNAPSHOT,
    SNAPSHOTS,
    Permission,
)
from lightsail_snapshots_cli.restore_account import ExistingInstance, RestoreAccount
from lightsail_snapshots_cli.restore_report import (
    left_by_hand,
    plan_as_json,
    plan_lines,
    step_lines,
    steps_as_json,
)
from lightsail_snapshots_cli.restore_run import Restore
from lightsail_snapshots_cli.restore_static_ip import choose_static_ip, undo_steps
from lightsail_snapshots_cli.terminal import confirm, print_json, progress

INSTANCES = "arn:aws:lightsail:*:*:Instance/*"
STATIC_IPS = "arn:aws:lightsail:*:*:StaticIp/*"
PERMISSIONS = {
    "restore": (
        LIST_SNAPSHOTS,
        READ_SNAPSHOT,
        READ_INSTANCE,
        Permission("lightsail:GetRegions"),
        Permission("lightsail:GetBundles"),
        Permission("lightsail:GetKeyPairs"),
        Permission("lightsail:GetStaticIps"),
        Permission("lightsail:GetOperationsForResource"),
        Permission("lightsail:CreateInstancesFromSnapshot", SNAPSHOTS),
        Permission("lightsail:PutInstancePublicPorts", INSTANCES),
        Permission("lightsail:AttachStaticIp", INSTANCES),
        Permission("lightsail:AttachStaticIp", STATIC_IPS),
        Permission("lightsail:DetachStaticIp", STATIC_IPS),
    )
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the person wrote."""

    instance: str
    region: str
    at: datetime | None
    name: str
    bundle: str
    swap_ip: bool
    dry_run: bool
    timeout: timedelta
    yes: bool
    as_json: bool

    def again(self, at: datetime) -> str:
        """Return the command that continues with the same snapshot: a newer one may be there by then."""
        words = ["lightsail-snapshots", "restore", self.instance, "--region", self.region, "--at", format_utc(at)]
        words += [*(["--as", self.name] if self.name else []), *(["--bundle", self.bundle] if self.bundle else [])]
        flags = {"--swap-ip": self.swap_ip, "--yes": self.yes, "--json": self.as_json}
        return shlex.join([*words, *(flag for flag, is_set in flags.items() if is_set)])


@click.command()
@click.argument("instance")
@click.option("--at", type=Instant(), help="From the newest snapshot of before this time; default: the newest of all.")
@click.option(
    "--as", "name", default="", metavar="NAME", help="Name of the new instance; default: INSTANCE-restored-TIME."
)
@click.option("--swap-ip", is_flag=True, help="Move the static IP of the old instance to the new one.")
@click.option("--bundle", default="", metavar="ID", help="A larger bundle, such as medium_3_0; default: as before.")
@click.option("--region", type=LightsailRegion(), help="Of the snapshot or its copy; default: the Region of the stack.")
@click.option("--undo", is_flag=True, help="Move the static IP back from INSTANCE, which was restored.")
@click.option("--dry-run", is_flag=True, help="Show the steps, and do nothing.")
@click.option("--timeout", type=Duration(seconds=True), default="30m", show_default=True, help="How long to wait.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def restore(region: str | None, undo: bool, **given: Any) -> None:
    """Make a new instance out of the newest usable snapshot of INSTANCE.

    It gets the ports, zone, key pair, address type, automatic snapshots and tags that the old one had, as far as its
    snapshot knows them. Each step is shown before anything is done. The command can be interrupted and repeated, and
    never deletes an instance. It needs no deployment.
    """
    options = Options(region=region or find_region(), **given)
    if undo:
        _undo(options)
    else:
        _restore(options)


def _restore(options: Options) -> None:
    if options.name and not is_name(options.name):
        raise CommandError(f"{options.name} cannot be the name of an instance; a valid one is web-2.", USAGE)
    snapshot, ours = _choose_snapshot(options)
    facts = parse_tags(snapshot.tags)
    account = RestoreAccount(options.region)
    plan, existing = _plan(options, account, snapshot, facts)
    if facts is None and ours:
        hint = f"{ours.name} may say it: --at {format_utc(ours.origin.taken_at)} takes that one."
        plan = replace(plan, notes=(*plan.notes, hint))
    if options.dry_run:
        _print_plan(plan, snapshot, existing, as_json=options.as_json)
        return
    for line in plan_lines(plan, snapshot, existing):
        progress(line)
    if not confirm("Do this?", yes=options.yes):
        click.echo("Nothing was done.")
        return
    Restore(account, options.timeout, options.again(snapshot.origin.taken_at)).run(plan.steps)
    _print_result(options, plan, snapshot, account)


def _choose_snapshot(options: Options) -> tuple[Snapshot, Snapshot | None]:
    """Return the newest usable snapshot, as Lightsail shows it alone: with all tags; and the newest that is ours."""
    region = lightsail(options.region)
    listed = region.snapshots()
    meant = [each for each in listed if (each.instance_name or each.snapshot_of) == options.instance]
    usable = [each for each in meant if each.state == AVAILABLE]
    in_time = [each for each in usable if options.at is None or _seconds(each) <= options.at]
    if in_time:
        oldest_first = sorted(in_time, key=lambda each: each.origin.taken_at)
        if found := region.find_snapshot(oldest_first[-1].name):
            return found, next((each for each in reversed(oldest_first) if each.is_ours), None)
    if usable:
        oldest = format_utc(min(each.origin.taken_at for each in usable))
        subject = f"{options.instance} in {options.region} from before that time"
        raise CommandError(f"There is no usable snapshot of {subject}; the oldest is of {oldest}.", NOT_FOUND)
    names = {each.instance_name or each.snapshot_of for each in listed} - {options.instance, ""}
    hint = suggestion(options.instance, sorted(names), "--region names another Region")
    raise CommandError(f"There is no usable snapshot of {options.instance} in {options.region}; {hint}", NOT_FOUND)


def _seconds(snapshot: Snapshot) -> datetime:
    """Return when it was taken, as people write it."""
    return snapshot.origin.taken_at.replace(microsecond=0)


def _plan(
    options: Options, account: RestoreAccount, snapshot: Snapshot, facts: RestoreFacts | None
) -> tuple[RestorePlan, ExistingInstance | None]:
    """Return the steps, and the instance if an earlier run created it; end the command if it cannot be done."""
    name = options.name or restored_name(options.instance, snapshot.origin.taken_at)
    existing = account.instance(name)
    static_ip = None
    if options.swap_ip:
        remembered = facts.static_ip if facts else ""
        restored_at = existing.created_at if existing else None
        static_ip = choose_static_ip(account, options.instance, name, remembered, restored_at)
    try:
        wishes = Wishes(name=name, bundle=options.bundle, static_ip=static_ip)
        plan = restore_plan(snapshot, facts, wishes, account.place())
    except WrongBundleError as error:
        raise CommandError(str(error), USAGE) from error
    except RestoreRefusedError as error:
        raise CommandError(str(error), FAILED) from error
    if existing and not _is_of_this_restore(account, plan, existing, snapshot):
        raise CommandError(
            f"There is an instance {name} already, and it was not restored from {snapshot.name} like this: choose"
            " another name with --as.",
            FAILED,
        )
    return plan, existing


def _is_of_this_restore(
    account: RestoreAccount, plan: RestorePlan, existing: ExistingInstance, snapshot: Snapshot
) -> bool:
    """Whether an earlier run created the instance: this run changes its ports, so no other one may pass for it."""
    creations = {CREATE, "CreateInstance", "CreateInstances"}
    made = account.newest_operation(plan.name, lambda operation: operation.type in creations)
    wanted = plan.steps[0].call.arguments
    return (
        made is not None
        and made.type == CREATE
        and existing.created_at >= snapshot.created_at
        and existing.facts.zone == wanted["availabilityZone"]
        and existing.facts.bundle == wanted["bundleId"]
        and existing.tags == own_tags(snapshot.tags)
    )


def _print_plan(plan: RestorePlan, snapshot: Snapshot, existing: ExistingInstance | None, *, as_json: bool) -> None:
    if as_json:
        print_json(plan_as_json(plan, snapshot))
    else:
        click.echo("\n".join(plan_lines(plan, snapshot, existing)))
        click.echo("Nothing was done.")


def _print_result(options: Options, plan: RestorePlan, snapshot: Snapshot, account: RestoreAccount) -> None:
    new = account.instance(plan.name)
    if new is None:
        raise CommandError(f"{plan.name} was restored, and is gone again: somebody deleted it.")
    is_old_there = options.instance != plan.name and account.instance(options.instance) is not None
    lines = left_by_hand(plan, snapshot, new, swapped=options.swap_ip, is_old_there=is_old_there)
    if options.as_json:
        address = {"publicIpAddress": new.address or None, "ipv6Address": new.ipv6_address or None}
        print_json({**plan_as_json(plan, snapshot), **address, "leftByHand": lines})
        return
    click.echo(f"{plan.name} is running in {options.region} at {new.address or new.ipv6_address}.")
    click.echo("Left for you:")
    for line in lines:
        click.echo(f"- {line}")


def _undo(options: Options) -> None:
    if options.at or options.name or options.swap_ip or options.bundle:
        raise CommandError("--undo cannot be combined with --at, --as, --swap-ip or --bundle.", USAGE)
    account = RestoreAccount(options.region)
    steps = undo_steps(account, options.instance)
    if options.dry_run or not steps:
        _print_undo(steps, "Nothing was done.", as_json=options.as_json)
        return
    for line in step_lines(steps):
        progress(line)
    if not confirm("Do this?", yes=options.yes):
        click.echo("Nothing was done.")
        return
    again = shlex.join(["lightsail-snapshots", "restore", "--undo", options.instance, "--region", options.region])
    Restore(account, options.timeout, again).run(steps)
    _print_undo(steps, f"The static IP of {options.instance} was moved back.", as_json=options.as_json)


def _print_undo(steps: Sequence[Step], text: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"steps": steps_as_json(steps)})
        return
    if not steps:
        text = "The static IP was moved back already."
    click.echo(text)
