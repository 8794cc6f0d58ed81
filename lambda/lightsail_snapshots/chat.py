"""Posts a text to a chat's webhook. The address is a secret: no error and no log line has any part of it."""

import json
import logging
import re
import time
from typing import NamedTuple

import urllib3
from urllib3.exceptions import HTTPError

from lightsail_snapshots.messages.webhook import payload

MAX_WAIT = 5.0
"""Seconds before the second attempt, even if the chat asks for more."""
_TIMEOUT = urllib3.Timeout(connect=3, read=5)
_ADDRESS = re.compile(r"https?://[!-~]+")

logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # its warnings and debug lines have the path


class ChatError(Exception):
    """Raised if the chat did not take a text."""


class _Failure(NamedTuple):
    why: str
    wait: float | None = None
    """Seconds after which a second attempt may help; None: it would not."""


def post(address: str, text: str) -> None:
    """Post a text, once more if the chat is busy or cannot be reached; raise ChatError if it is not taken."""
    if not _ADDRESS.fullmatch(address):
        raise ChatError("the value of the parameter is not the address of a webhook")
    failure = _attempt(address, text)
    if failure and failure.wait is not None:
        time.sleep(failure.wait)
        failure = _attempt(address, text)
    if failure:
        raise ChatError(failure.why)


def _attempt(address: str, text: str) -> _Failure | None:
    headers = {"Content-Type": "application/json"}
    try:
        body = json.dumps(payload(address, text))
        with urllib3.PoolManager(timeout=_TIMEOUT, retries=False) as chat:
            response = chat.request("POST", address, body=body, headers=headers, redirect=False, preload_content=False)
            response.close()  # nobody reads the answer
    except (HTTPError, ValueError) as error:  # only its type is told, since its text may have the address
        return _Failure(f"the chat could not be reached: {type(error).__name__}", wait=1)
    if response.status < 300:
        return None
    is_busy = response.status == 429 or response.status >= 500
    wait = _seconds(response.headers.get("Retry-After")) if is_busy else None
    return _Failure(f"the chat answered with the HTTP status {response.status}", wait)


def _seconds(retry_after: str | None) -> float:
    try:
        return min(max(float(retry_after or 1), 0), MAX_WAIT)
    except ValueError:  # it may also be a date
        return MAX_WAIT
