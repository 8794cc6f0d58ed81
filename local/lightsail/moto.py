"""The moto endpoint: inside `mock_aws()`, boto3's Lightsail clients of every Region call the emulator.

    import local.lightsail.moto as lightsail          # before any client is made, as with moto itself

    with mock_aws():
        lightsail.emulator().clock.advance(60)        # each mock_aws() starts empty

moto finds its own services by their module path below `moto.`. Ours registers in botocore's built-in handlers, as moto
does, and keeps its state in a moto backend, so that moto's reset deletes it.
"""

import time
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError
from botocore.handlers import BUILTIN_HANDLERS
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import DEFAULT_ACCOUNT_ID, botocore_stubber

from local.lightsail import wire
from local.lightsail.emulator import Emulator
from local.lightsail.errors import LightsailError


class LightsailBackend(BaseBackend):
    """One backend for all Regions, since a copy needs two. moto makes a new one at every reset."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.emulator = Emulator()


_backends = BackendDict(LightsailBackend, "lightsail", use_boto3_regions=False, additional_regions=["aws"])


def emulator() -> Emulator:
    """The emulator of the current `mock_aws()`."""
    return _backends[DEFAULT_ACCOUNT_ID]["aws"].emulator


def _answer(request: AWSPreparedRequest, **_kwargs: Any) -> AWSResponse | None:
    host = urlsplit(request.url).hostname or ""
    if not botocore_stubber.enabled or not host.startswith("lightsail"):
        return None  # the client has an endpoint_url of its own
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    try:
        call = wire.read(headers, _bytes(request.body))
    except LightsailError as error:
        return _response(request.url, wire.reject(error))
    answer = emulator().handle(call)
    time.sleep(answer.delay)
    if answer.lost:
        raise ReadTimeoutError(endpoint_url=request.url)
    return _response(request.url, wire.write(answer))


def _response(url: str, reply: wire.Reply) -> AWSResponse:
    headers = HTTPHeaders.from_dict(reply.headers)
    return AWSResponse(url, reply.status, headers, MockRawResponse(reply.body))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body or b"")


BUILTIN_HANDLERS.insert(0, ("before-send.lightsail", _answer))
