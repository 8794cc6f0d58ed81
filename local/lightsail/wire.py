"""AWS JSON 1.1: reads a call from headers and body, and writes an answer."""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from local.lightsail.emulator import DEFAULT_ACCOUNT, Answer, Call
from local.lightsail.errors import LightsailError

TARGET_PREFIX = "Lightsail_20161128."
CONTENT_TYPE = "application/x-amz-json-1.1"
CREDENTIAL = re.compile(r"Credential=[^/,\s]+/\d{8}/(?P<region>[^/]+)/lightsail/aws4_request")


class Reply(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def read(headers: Mapping[str, str], body: bytes, account: str = DEFAULT_ACCOUNT) -> Call:
    """The call in an HTTP request. Header names are in lower case. Endpoints check signatures."""
    target = headers.get("x-amz-target", "")
    if not target.startswith(TARGET_PREFIX):
        raise LightsailError("UnknownOperationException", f"X-Amz-Target must begin with {TARGET_PREFIX}")
    credential = CREDENTIAL.search(headers.get("authorization", ""))
    if not credential:
        raise LightsailError("UnauthenticatedException", "The request is not signed for Lightsail.")
    try:
        parameters = json.loads(body or b"{}")
    except ValueError as error:
        raise LightsailError("SerializationException", f"The body is not JSON: {error}") from error
    return Call(target.removeprefix(TARGET_PREFIX), parameters, credential["region"], account)


def write(answer: Answer) -> Reply:
    """An answer as HTTP."""
    headers = {"Content-Type": CONTENT_TYPE, "x-amzn-requestid": str(uuid.uuid4())}
    body = json.dumps(answer.body, default=_epoch).encode()
    return Reply(answer.status, headers, body)


def reject(error: LightsailError) -> Reply:
    """The answer to a request that `read` rejected."""
    return write(Answer(error.status, error.body()))


def _epoch(time: datetime) -> float:
    """AWS JSON writes times as seconds since 1970."""
    return round(time.timestamp(), 3)
