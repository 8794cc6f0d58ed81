"""The MiniStack door: the emulator as one more service of MiniStack's gateway.

    register()     # -> None; before the server starts

Clients then reach Lightsail at the gateway's address, and `/_lightsail/...` (see `control`) beside it. With AUTH=true
the caller's IAM policies decide on every call; MiniStack checks the signature. `POST /_ministack/reset` forgets
Lightsail's resources too. All names of MiniStack's that are used here are private ones, hence its exact pin.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app  # type: ignore[import-untyped]  # MiniStack has no types
from ministack.core import responses, router  # type: ignore[import-untyped]

from local.lightsail import control, wire
from local.lightsail.authorization import question
from local.lightsail.emulator import Call, Emulator
from local.lightsail.errors import LightsailError
from local.lightsail.operations import OPERATIONS

Response = tuple[int, dict[str, str], Any]
Handler = Callable[..., Awaitable[Response | None]]


def register() -> None:
    """Adds the service, with nothing in it yet."""
    emulator = Emulator()
    app.SERVICE_REGISTRY["lightsail"] = {"module": "lightsail"}
    app._loaded_modules["lightsail"] = Service(emulator)
    app.SERVICE_HANDLERS["lightsail"] = app._lazy_handler("lightsail")
    router.SERVICE_PATTERNS["lightsail"] = {
        "target_prefixes": [wire.TARGET_PREFIX],
        "host_patterns": [r"lightsail\."],
    }
    app._handle_post_body_shortcuts = _with_control(emulator, app._handle_post_body_shortcuts)


class Service:
    """What MiniStack takes for the service's module."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def reset(self) -> None:
        """Called by MiniStack's own reset."""
        self.emulator.reset()

    async def handle_request(
        self, _method: str, _path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        """Called by MiniStack, once the signature has been checked."""
        try:
            call = wire.read(headers, body, responses.get_account_id())
            denied = self._denied(call, headers, query)
        except LightsailError as error:
            return wire.refuse(error)
        if denied:
            return denied
        answer = self.emulator.handle(call)
        await asyncio.sleep(answer.delay)
        reply = wire.write(answer)
        return _lost(reply) if answer.lost else reply

    def _denied(self, call: Call, headers: dict[str, str], query: dict[str, Any]) -> Response | None:
        """MiniStack's own check would know neither the resource nor its tags, so it is not asked to make one.

        The service is left out of its SERVICE_TO_IAM_NAMESPACE for that reason: MiniStack then only authenticates.
        """
        with self.emulator.lock:
            asked = question(self.emulator.account(call.account).region(call.region), call)
        if asked is None and call.operation not in OPERATIONS:
            return None  # the emulator refuses it by name, and does nothing
        if asked is None:
            raise LightsailError("AccessDeniedException", f"Nobody can be authorised for {call.operation} here.")
        everything = f"arn:aws:lightsail:{call.region}:{call.account}:*"  # how Lightsail words "*" in a denial
        denied: Response | None = app._enforce_data_plane(
            "lightsail",
            asked.action,
            headers,
            query,
            "",
            resource_arn=asked.resource,
            service_context=dict(asked.context),
            named_resource=everything if asked.resource == "*" else asked.resource,
        )
        return denied


def _lost(reply: wire.Reply) -> Response:
    """The head of an answer whose body never comes: Hypercorn then drops the connection."""

    async def say_nothing(_send: object, _receive: object) -> None:
        """Leave the body out."""

    headers = {**reply.headers, "Content-Length": str(len(reply.body))}
    return reply.status, headers, responses.StreamingResponse(say_nothing)


def _with_control(emulator: Emulator, handler: Handler) -> Handler:
    async def handle(method: str, path: str, headers: Any, body: bytes, *rest: Any) -> Response | None:
        if path.startswith(control.PATH):
            return control.control(emulator, method, path, body)
        return await handler(method, path, headers, body, *rest)

    return handle
