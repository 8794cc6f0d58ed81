"""The steps that make an instance out of a snapshot, with what Lightsail forgets.

Each step is one call, and can be repeated: the name of the new instance follows from its snapshot, so a second run
finds what the first one did. No step deletes anything.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from lightsail_snapshots.naming import MAX_NAME, is_reserved_key
from lightsail_snapshots.reader import suggestion
from lightsail_snapshots.restore_facts import NOTHING_KNOWN, RestoreFacts
from lightsail_snapshots.snapshot import Snapshot

CREATE = "CreateInstancesFromSnapshot"
WAIT = "GetInstance"
OPEN_PORTS = "PutInstancePublicPorts"
DETACH = "DetachStaticIp"
ATTACH = "AttachStaticIp"
DEFAULT_KEY_PAIR = "LightsailDefaultKeyPair"


class RestoreRefusedError(Exception):
    """Raised before anything is called, if the restore cannot succeed or would harm another resource."""


class WrongBundleError(RestoreRefusedError):
    """Raised if another bundle must be chosen."""


class Bundle(NamedTuple):
    """A size of instances, as GetBundles lists it."""

    id: str
    cpus: int
    memory: float
    """GB, as the disk."""
    disk: int
    platform: str
    has_ipv4: bool
    is_active: bool
    price: float
    """USD a month."""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """Read a bundle of Lightsail's API."""
        return cls(
            id=raw.get("bundleId", ""),
            cpus=raw.get("cpuCount", 0),
            memory=raw.get("ramSizeInGb", 0),
            disk=raw.get("diskSizeInGb", 0),
            platform=next(iter(raw.get("supportedPlatforms", [])), ""),
            has_ipv4=raw.get("publicIpv4AddressCount", 1) > 0,
            is_active=raw.get("isActive", True),
            price=raw.get("price", 0),
        )

    def is_smaller_than(self, other: "Bundle") -> bool:
        """Whether Lightsail rejects it for a snapshot of an instance of the other."""
        return self.cpus < other.cpus or self.memory < other.memory or self.disk < other.disk

    def fits(self, other: "Bundle") -> bool:
        """Whether an instance of the other can become one of this."""
        is_same_kind = (self.platform, self.has_ipv4) == (other.platform, other.has_ipv4)
        return is_same_kind and not self.is_smaller_than(other)


@dataclass(frozen=True, kw_only=True)
class Place:
    """What the Region of the new instance has to choose from."""

    zones: tuple[str, ...]
    bundles: Mapping[str, Bundle]
    """Those that are no longer offered too."""
    key_pairs: Collection[str]


class StaticIp(NamedTuple):
    """A static IP; `attached_to` is the name of an instance, or empty."""

    name: str
    address: str
    attached_to: str = ""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the person decided."""

    name: str
    """Of the new instance."""
    bundle: str = ""
    static_ip: StaticIp | None = None
    """The one that moves to the new instance."""


class Call(NamedTuple):
    """A call of Lightsail's API."""

    operation: str
    arguments: Mapping[str, Any]


class Step(NamedTuple):
    """One call, what it is for, and the call that takes it back."""

    title: str
    call: Call
    undo: Call | None = None


@dataclass(frozen=True, kw_only=True)
class RestorePlan:
    """All steps, and everything that will not be as it was."""

    name: str
    """Of the new instance."""
    bundle: Bundle | None
    steps: tuple[Step, ...]
    notes: tuple[str, ...]


def restored_name(instance_name: str, taken_at: datetime) -> str:
    """Return `web-1-restored-20261124T0315`: the same for each run with the same snapshot."""
    tail = f"-restored-{taken_at.astimezone(UTC):%Y%m%dT%H%M}"
    return f"{instance_name[: MAX_NAME - len(tail)]}{tail}"


def restore_plan(snapshot: Snapshot, facts: RestoreFacts | None, wishes: Wishes, place: Place) -> RestorePlan:
    """Return the steps for a usable snapshot; raise RestoreRefusedError if they cannot succeed."""
    notes = _notes_on(facts)
    known = facts or NOTHING_KNOWN
    bundle = _choose_bundle(snapshot, known, wishes.bundle, place, notes)
    arguments = {
        **creation_request(snapshot, wishes.name, zone=_choose_zone(known.zone, place, notes), bundle=bundle),
        **_settings(known, place, notes),
    }
    if tags := own_tags(snapshot.tags):
        arguments["tags"] = [{"key": key, "value": value} if value else {"key": key} for key, value in tags.items()]
    details = place.bundles.get(bundle)
    price = f" ({details.price:.2f} USD a month)" if details else ""
    target = {"instanceName": wishes.name}
    steps = [
        Step(f"Create the instance, {bundle}{price}", Call(CREATE, arguments), Call("DeleteInstance", target)),
        Step("Wait until it is running", Call(WAIT, target)),
    ]
    if known.ports is not None:
        infos = [rule.as_port_info() for rule in known.ports]
        rules = " ".join(map(str, known.ports)) or "none"
        steps.append(Step(f"Open its ports: {rules}", Call(OPEN_PORTS, {**target, "portInfos": infos})))
    if wishes.static_ip:
        steps += move_static_ip(wishes.static_ip, wishes.static_ip.attached_to, wishes.name)
    return RestorePlan(name=wishes.name, bundle=details, steps=tuple(steps), notes=tuple(notes))


def creation_request(snapshot: Snapshot, name: str, *, zone: str, bundle: str) -> dict[str, Any]:
    """Return what every CreateInstancesFromSnapshot has; each disk of the snapshot becomes a new one.

    That the mapping of disks has the names of instances as its keys is not confirmed.
    """
    request: dict[str, Any] = {
        "instanceNames": [name],
        "availabilityZone": zone,
        "instanceSnapshotName": snapshot.name,
        "bundleId": bundle,
    }
    if snapshot.disks:
        names = [f"{name[: MAX_NAME - 9]}-disk-{number}" for number in range(1, len(snapshot.disks) + 1)]
        pairs = zip(snapshot.disks, names, strict=True)
        disks = [{"originalDiskPath": disk.path, "newDiskName": disk_name} for disk, disk_name in pairs]
        request["attachedDiskMapping"] = {name: disks}
    return request


def move_static_ip(static_ip: StaticIp, source: str, target: str) -> list[Step]:
    """Return the steps that move it from one instance, if there is one, to another."""
    name = {"staticIpName": static_ip.name}
    shown = f"{static_ip.name} ({static_ip.address})"
    attach = Step(
        f"Attach the static IP {shown} to {target}", Call(ATTACH, {**name, "instanceName": target}), Call(DETACH, name)
    )
    if not source or source == target:
        return [attach]
    back = Call(ATTACH, {**name, "instanceName": source})
    return [Step(f"Detach the static IP {shown} from {source}", Call(DETACH, name), back), attach]


def own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the user's own tags of a snapshot: with ours, the instance and its snapshots would pass for ours."""
    return {
        key: value for key, value in tags.items() if not is_reserved_key(key) and not key.lower().startswith("aws:")
    }


def _notes_on(facts: RestoreFacts | None) -> list[str]:
    """Say what nobody can know from the snapshot."""
    if facts is None:
        return [
            "The snapshot does not say which ports, zone, key pair, address type, static IP and automatic snapshots the"
            " instance had: it gets the defaults."
        ]
    notes = [] if facts.ports is not None else ["The snapshot does not say which ports were open: it gets the default."]
    texts = {
        "ports": "The snapshot does not have all rules of the firewall: open the others by hand.",
        "add-ons": "The instance had an add-on that is not restored.",
        "key-pair": "The name of the key pair was too long to be kept: it gets the default key pair.",
    }
    return notes + [texts.get(each, f"The snapshot does not have its {each}.") for each in facts.incomplete]


def _choose_zone(wanted: str, place: Place, notes: list[str]) -> str:
    if not place.zones:
        raise RestoreRefusedError("No Availability Zone of this Region is available now: try again later.")
    if wanted in place.zones:
        return wanted
    zone = place.zones[0]
    if wanted:
        notes.append(f"It was in {wanted}, which is not available in this Region: it will be in {zone}.")
    return zone


def _choose_bundle(snapshot: Snapshot, facts: RestoreFacts, wanted: str, place: Place, notes: list[str]) -> str:
    """Return the bundle's id: the wanted one, or that of the snapshot, or the cheapest that takes its place."""
    before = snapshot.bundle or facts.bundle
    old = place.bundles.get(before)
    if not wanted:
        if old is None or old.is_active:
            if not before:
                raise WrongBundleError("The snapshot does not say its bundle: choose one with --bundle.")
            return before
        offers = [each for each in place.bundles.values() if each.is_active and each.fits(old)]
        if not offers:
            raise WrongBundleError(f"The bundle {before} is no longer offered: choose one with --bundle.")
        new = min(offers, key=lambda each: each.price)
        notes.append(f"Its bundle {before} is no longer offered: it will be {new.id}.")
        return new.id
    chosen = place.bundles.get(wanted)
    if chosen is None:
        active = [each.id for each in place.bundles.values() if each.is_active]
        raise WrongBundleError(f"There is no bundle {wanted} in this Region; {suggestion(wanted, active)}")
    _check_fit(chosen, old)
    return wanted


def _check_fit(chosen: Bundle, old: Bundle | None) -> None:
    if old is None:
        return
    if chosen.is_smaller_than(old):
        sizes = [f"{each.id} ({each.cpus} CPUs, {each.memory:g} GB, disk {each.disk} GB)" for each in (chosen, old)]
        raise WrongBundleError(
            f"The bundle {sizes[0]} is smaller than the snapshot's, {sizes[1]}: Lightsail restores only to the same"
            " size or a larger one."
        )
    if not chosen.fits(old):
        raise WrongBundleError(f"The bundle {chosen.id} is of another kind than the snapshot's, {old.id}.")


def _settings(facts: RestoreFacts, place: Place, notes: list[str]) -> dict[str, Any]:
    """Return the other arguments of the creation."""
    settings: dict[str, Any] = {}
    if facts.key_pair in place.key_pairs:
        settings["keyPairName"] = facts.key_pair
    elif facts.key_pair not in {"", DEFAULT_KEY_PAIR}:
        notes.append(
            f"There is no key pair {facts.key_pair} in this Region: it gets the default one. What its disk accepts is"
            " as before."
        )
    if facts.address_type:
        settings["ipAddressType"] = facts.address_type
    if re.fullmatch("[0-9]{2}:00", facts.auto_snapshots):
        request = {"snapshotTimeOfDay": facts.auto_snapshots}
        settings["addOns"] = [{"addOnType": "AutoSnapshot", "autoSnapshotAddOnRequest": request}]
    return settings
