"""The emulator's three endpoints behind one interface, so that each test runs through all of them."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import boto3
from botocore.config import Config
from moto import mock_aws

import local.lightsail.moto
from local.lightsail.control import control as handle_control
from local.lightsail.server import serving

REGION = "eu-central-1"
ROOT = Path(__file__).parents[2]
Lightsail: TypeAlias = Any
"""boto3's client, untyped, since these tests also send requests that its types do not allow."""

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


class Endpoint(Protocol):
    """A way to the emulator."""

    @property
    def url(self) -> str | None:
        """A client's endpoint_url, or None for moto, which needs none."""

    def control(self, path: str, method: str = "POST", /, **body: Any) -> dict[str, Any]:
        """Call the control API; ValueError if it rejects the request."""


def client(endpoint: Endpoint, region: str = REGION, *, attempts: int = 1, **keys: str) -> Lightsail:
    """A boto3 client. By default it does not retry."""
    return _client(endpoint.url, region, attempts, **(keys or KEYS))


@cache
def _client(url: str | None, region: str, attempts: int, **keys: str) -> Lightsail:
    """Cached, since creating a client takes longer than most tests."""
    config = Config(retries={"mode": "standard", "total_max_attempts": attempts}, read_timeout=10)
    make: Lightsail = _session().client
    return make("lightsail", region, endpoint_url=url, config=config, **keys)


@cache
def _session() -> boto3.Session:
    """One for all clients, since it caches the service model."""
    return boto3.Session()


def _control_answer(status: int, body: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(body)
    if status != 200:
        raise ValueError(answer["message"])
    return answer


class MotoEndpoint:
    """Inside mock_aws, without a network."""

    url = None

    def control(self, path: str, method: str = "POST", /, **body: Any) -> dict[str, Any]:
        emulator = local.lightsail.moto.emulator()
        reply = handle_control(emulator, method, f"/_lightsail/{path}", json.dumps(body).encode())
        return _control_answer(reply.status, reply.body)


class HttpEndpoint:
    """The emulator's server or MiniStack's gateway."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, path: str, method: str = "POST", /, **body: Any) -> dict[str, Any]:
        return _control_answer(*self.request(method, f"/_lightsail/{path}", json.dumps(body)))

    def request(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, bytes]:
        """Send one HTTP request as it is, without an SDK."""
        with closing(http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)) as connection:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()


@contextmanager
def moto_endpoint() -> Iterator[MotoEndpoint]:
    """A fresh mock_aws."""
    with mock_aws():
        yield MotoEndpoint()


@contextmanager
def server_endpoint() -> Iterator[HttpEndpoint]:
    """A fresh server in a thread."""
    with serving() as server:
        yield HttpEndpoint(server.url)


GATEWAY = "from local.lightsail import ministack; ministack.register(); from ministack.app import main; main()"


@contextmanager
def gateway(directory: Path) -> Iterator[HttpEndpoint]:
    """MiniStack in a process of its own, with IAM on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": "123456789012",
        "AUTH": "true",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent.sock",
    }
    with (directory / "gateway.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", GATEWAY], env=environment, stdout=log, stderr=log)  # noqa: S603 - our own command
    try:
        endpoint = HttpEndpoint(f"http://127.0.0.1:{port}")
        _wait_for(endpoint, process)
        yield endpoint
    finally:
        process.kill()
        process.wait()


def _wait_for(endpoint: HttpEndpoint, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"MiniStack ended with status {process.returncode}")
        try:
            endpoint.control("state", "GET")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("MiniStack did not answer within 30 seconds")
