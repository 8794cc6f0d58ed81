"""Which static IP `restore --swap-ip` moves to the new instance, and where `--undo` moves it back to."""

from datetime import datetime

from lightsail_snapshots.restore_plan import ATTACH, DETACH, StaticIp, Step, move_static_ip
from lightsail_snapshots_cli.errors import FAILED, NOT_FOUND, CommandError
from lightsail_snapshots_cli.restore_account import RestoreAccount


def choose_static_ip(
    account: RestoreAccount, old: str, new: str, remembered: str, restored_at: datetime | None
) -> StaticIp:
    """Return the static IP for the new instance; end the command if there is none that may be moved.

    It is the one that the new instance has, or the old one has, or a run before this one detached from the old one, or
    the free one with the address that the snapshot remembers.
    """
    static_ips = account.static_ips()
    for name in (new, old):
        for each in static_ips:
            if each.attached_to == name:
                return each
    for each in static_ips:
        if restored_at and not each.attached_to and _left(account, each, after=restored_at) == old:
            return each
    for each in static_ips:
        if each.address == remembered and not each.attached_to:
            return each
        if each.address == remembered:
            raise CommandError(
                f"The static IP {each.name} ({each.address}) is attached to {each.attached_to}, not to {old}: detach it"
                " first, or leave out --swap-ip.",
                FAILED,
            )
    had = f"The snapshot remembers {remembered}, which is" if remembered else "The snapshot remembers none, and"
    had = f"{had} not in this account and Region any more" if remembered else f"{had} {old} has none now"
    raise CommandError(f"There is no static IP to move. {had}: leave out --swap-ip.", NOT_FOUND)


def undo_steps(account: RestoreAccount, restored: str) -> list[Step]:
    """Return the steps that move the static IP back from the restored instance; none if it was moved back already."""
    if account.instance(restored) is None:
        raise CommandError(f"There is no instance {restored} in {account.region}.", NOT_FOUND)
    static_ips = account.static_ips()
    moved = next((each for each in static_ips if each.attached_to == restored), None)
    moved = moved or next((each for each in static_ips if _left(account, each) == restored), None)
    if moved is None:
        raise CommandError(f"{restored} has no static IP that could be moved back.", NOT_FOUND)
    before = account.newest_operation(
        moved.name, lambda each: each.type in {ATTACH, DETACH} and each.details != restored
    )
    if before is None or account.instance(before.details) is None:
        owner = (
            f"{before.details}, which had it before, is gone" if before else "no instance is known that had it before"
        )
        raise CommandError(f"The static IP {moved.name} cannot be moved back: {owner}.", NOT_FOUND)
    if moved.attached_to == before.details:
        return []
    return move_static_ip(moved, moved.attached_to, before.details)


def _left(account: RestoreAccount, static_ip: StaticIp, after: datetime | None = None) -> str:
    """Return the instance that the static IP was detached from last; empty if it is not known, or was before this."""
    found = account.newest_operation(static_ip.name, lambda operation: operation.type == DETACH)
    return found.details if found and (after is None or found.created_at >= after) else ""
