"""The MiniStack endpoint: the emulator as a service of MiniStack's gateway.

    register()     # before the gateway starts

Clients then reach Lightsail at the gateway's address, and the control API (see `control`) at `/_lightsail/...`. With
AUTH=true MiniStack checks the signature, and the caller's IAM policies decide on each call. `POST /_ministack/reset`
deletes Lightsail's resources too. MiniStack is pinned exactly, since all names of it that are used here are private.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app  # type: ignore[import-untyped]  # MiniStack has no types
from ministack.core import responses, router  # type: ignore[import-untyped]

from local.lightsail import control, wire
from local.lightsail.authorization import authorizations
from local.lightsail.emulator import Call, Emulator
from local.lightsail.errors import LightsailError
from local.lightsail.operations import OPERATIONS

Response = tuple[int, dict[str, str], Any]
Handler = Callable[..., Awaitable[Response | None]]


def register() -> None:
    """Add the service to MiniStack, with an empty emulator."""
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
    """Stands in for the module that MiniStack has for each service."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def reset(self) -> None:
        """Called by MiniStack's reset."""
        self.emulator.reset()

    async def handle_request(
        self, _method: str, _path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        """Called by MiniStack after it has checked the signature."""
        try:
            call = wire.read(headers, body, responses.get_account_id())
            denied = self._denied(call, headers, query)
        except LightsailError as error:
            return wire.reject(error)
        if denied:
            return denied
        answer = self.emulator.handle(call)
        await asyncio.sleep(answer.delay)
        reply = wire.write(answer)
        return _lost(reply) if answer.lost else reply

    def _denied(self, call: Call, headers: dict[str, str], query: dict[str, Any]) -> Response | None:
        """Let the caller's policies decide, on the resource's ARN and tags, which MiniStack's own check does not know.

        The service is not in MiniStack's SERVICE_TO_IAM_NAMESPACE, so MiniStack itself only authenticates.
        """
        with self.emulator.lock:
            needed = authorizations(self.emulator.region(call.region, call.account), call)
        if not needed and call.operation in OPERATIONS:
            raise LightsailError("AccessDeniedException", f"The emulator has no authorization for {call.operation}.")
        for each in needed:  # none for an operation that the emulator rejects by name
            denied: Response | None = app._enforce_data_plane(
                "lightsail",
                each.action,
                headers,
                query,
                "",
                resource_arn=each.resource,
                service_context=dict(each.context),
                named_resource=_named_in_denial(each.resource, call),
            )
            if denied:
                return denied
        return None


def _named_in_denial(resource: str, call: Call) -> str:
    return f"arn:aws:lightsail:{call.region}:{call.account}:*" if resource == "*" else resource


def _lost(reply: wire.Reply) -> Response:
    """Announce a body and send none, so that Hypercorn drops the connection."""

    async def send_nothing(_send: object, _receive: object) -> None:
        """Send no body."""

    headers = {**reply.headers, "Content-Length": str(len(reply.body))}
    return reply.status, headers, responses.StreamingResponse(send_nothing)


def _with_control(emulator: Emulator, handler: Handler) -> Handler:
    async def handle(method: str, path: str, headers: Any, body: bytes, *rest: Any) -> Response | None:
        if path.startswith(control.PATH):
            return control.control(emulator, method, path, body)
        return await handler(method, path, headers, body, *rest)

    return handle
