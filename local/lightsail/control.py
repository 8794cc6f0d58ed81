"""The control API: JSON over HTTP, under /_lightsail/.

GET, POST, DELETE /_lightsail/faults     list the faults, add one (see `faults`), clear them
GET, POST         /_lightsail/settings   those of `settings`, such as snapshotSeconds and copyCarriesTags, and speed;
                                         POST changes those in the body
POST              /_lightsail/clock      {"advance": seconds}, or {"time": "2026-01-31T03:15:00Z"} to start there,
                                         as long as there are no resources
GET               /_lightsail/state      the resources of each account and Region, and the emulator's time
POST              /_lightsail/reset      delete all resources and faults
POST, DELETE      /_lightsail/probe-target   {"port": 0}: serve on this port of 127.0.0.1 for new instances; stop it
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from local.lightsail import probe_target
from local.lightsail.emulator import Emulator
from local.lightsail.errors import LightsailError, invalid
from local.lightsail.region import Region
from local.lightsail.resources import Instance, InstanceSnapshot, StaticIp
from local.lightsail.wire import Reply

PATH = "/_lightsail/"


def control(emulator: Emulator, method: str, path: str, body: bytes) -> Reply:
    """Handle a request to the control API."""
    action = ACTIONS.get((method, path.removeprefix(PATH)))
    if action is None:
        known = [f"{verb} {PATH}{name}" for verb, name in ACTIONS]
        return _reply(404, {"message": f"There is no {method} {path}.", "known": known})
    try:
        with emulator.lock:
            answer = action(emulator, _object(body))
    except LightsailError as error:
        return _reply(error.status, error.body())
    return _reply(200, answer)


def change_settings(emulator: Emulator, changes: dict[str, Any]) -> dict[str, Any]:
    """Change some settings, and return all. If one is wrong, none changes."""
    now = settings(emulator)
    for name, value in changes.items():
        if name not in now or isinstance(value, bool) != isinstance(now[name], bool):
            raise invalid(f"There is no setting {name} = {value!r}. The settings are {now}.")
        least, kind = (1, int) if name == "pageSize" else (0, int | float)
        if not isinstance(value, kind) or value < least:
            raise invalid(f"{name} cannot be {value!r}.")
    for name, value in changes.items():
        setattr(emulator.clock if name == "speed" else emulator.settings, _snake(name), value)
    return settings(emulator)


def settings(emulator: Emulator, _body: object = None) -> dict[str, Any]:
    """All settings, by their names in the control API."""
    named = {_camel(name): value for name, value in asdict(emulator.settings).items() if not isinstance(value, str)}
    return named | {"speed": emulator.clock.speed}


def state(emulator: Emulator, _body: object = None) -> dict[str, Any]:
    """The resources of each account and Region."""
    accounts = {
        account: {name: _region_state(region) for name, region in regions.items() if region.names}
        for account, regions in emulator.accounts.items()
    }
    return {"time": emulator.clock.now().isoformat(), "accounts": accounts}


def _region_state(region: Region) -> dict[str, Any]:
    return {
        "instances": {one.name: one.state_at(region.now) for one in region.resources_of_type(Instance)},
        "staticIps": {one.name: one.attached_to for one in region.resources_of_type(StaticIp)},
        "instanceSnapshots": {one.name: one.state_at(region.now) for one in region.resources_of_type(InstanceSnapshot)},
        "operations": len(region.operations),
    }


def _add_fault(emulator: Emulator, fault: dict[str, Any]) -> dict[str, Any]:
    emulator.faults.add(**({"fault": ""} | fault))
    return _faults(emulator, {})


def _clear_faults(emulator: Emulator, _body: object) -> dict[str, Any]:
    emulator.faults.clear()
    return _faults(emulator, {})


def _faults(emulator: Emulator, _body: object) -> dict[str, Any]:
    return {"faults": emulator.faults.listing()}


def _set_clock(emulator: Emulator, body: dict[str, Any]) -> dict[str, Any]:
    match body:
        case {"advance": int() | float() as seconds} if seconds >= 0:
            emulator.clock.advance(seconds)
        case {"time": str() as text}:
            if any(state(emulator)["accounts"].values()):
                raise invalid("The time can only be set while there are no resources, since resources have dates.")
            emulator.clock.set(_time(text))
        case _:
            raise invalid('The clock takes {"advance": seconds} or {"time": "2026-01-31T03:15:00Z"}.')
    return {"time": emulator.clock.now().isoformat()}


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid(f"{text} must be a time such as 2026-01-31T03:15:00Z.") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _reset(emulator: Emulator, _body: object) -> dict[str, Any]:
    emulator.reset()
    return {"reset": True}


def _start_probe_target(emulator: Emulator, body: dict[str, Any]) -> dict[str, Any]:
    port = body.get("port", 0)
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65535:
        raise invalid(f'The probe target takes {{"port": 8080}}, or 0 for any free port, not {port!r}.')
    return {"port": probe_target.start(emulator, port)}


def _stop_probe_target(emulator: Emulator, _body: object) -> dict[str, Any]:
    probe_target.stop(emulator)
    return {"stopped": True}


ACTIONS: Mapping[tuple[str, str], Callable[[Emulator, dict[str, Any]], dict[str, Any]]] = {
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "settings"): settings,
    ("POST", "settings"): change_settings,
    ("POST", "clock"): _set_clock,
    ("GET", "state"): state,
    ("POST", "reset"): _reset,
    ("POST", "probe-target"): _start_probe_target,
    ("DELETE", "probe-target"): _stop_probe_target,
}


def _object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError as error:
        raise invalid(f"The body is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise invalid("The body must be a JSON object.")
    return parsed


def _reply(status: int, body: Mapping[str, Any]) -> Reply:
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(body, indent=2).encode() + b"\n")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
