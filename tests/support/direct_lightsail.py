"""Lightsail clients that call the emulator without botocore's requests, which take most of the time of long tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from botocore.exceptions import ClientError, ReadTimeoutError

from lightsail_snapshots.aws.lightsail import lightsail, lightsail_regions, single_attempt
from local.lightsail import model
from local.lightsail.emulator import Call, Emulator


class DirectClient:
    """Has the methods of a client of boto3. What differs: it does not repeat a call that failed."""

    def __init__(self, emulator: Emulator, region: str) -> None:
        self._emulator = emulator
        self._region = region

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """Return the method of an operation, such as `get_instances`."""
        operation = "".join(map(str.capitalize, name.split("_")))

        def call(**parameters: Any) -> dict[str, Any]:
            answer = self._emulator.handle(Call(operation, parameters, self._region))
            if answer.lost:
                raise ReadTimeoutError(endpoint_url=f"https://lightsail.{self._region}.amazonaws.com")
            if answer.status >= 400:
                error = {"Code": answer.body["__type"], "Message": answer.body["message"]}
                metadata = {"HTTPStatusCode": answer.status}
                response: Any = {"Error": error, "code": answer.body.get("code"), "ResponseMetadata": metadata}
                raise ClientError(response, operation)
            return answer.body

        return call


@contextmanager
def direct_lightsail(emulator: Emulator) -> Iterator[None]:
    """Let the functions call the emulator directly, in every Region. Other tests hold its answers to the model."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(model, "shape_errors", lambda *_: []))
        for region in lightsail_regions():
            for client in (lightsail(region), single_attempt(region)):
                stack.enter_context(patch.object(client, "_client", DirectClient(emulator, region)))
        yield
