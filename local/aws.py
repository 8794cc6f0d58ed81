"""An AWS account on this machine, for one run: MiniStack with the Lightsail emulator, IAM and TLS on.

    with local_aws() as aws:
        cdk.bootstrap(aws)
        outputs = cdk.deploy(aws, ROOT / "plans.toml")
        aws.client("events").put_events(...)

It listens on a free port of 127.0.0.1, writes to one temporary directory, and leaves no files or processes behind.
"""

import http.client
import json
import os
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import boto3

from local import certificates, subprocesses

ROOT = Path(__file__).parent.parent
ACCOUNT = "123456789012"
REGION = "us-east-1"

ADMIN = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
"""The account's root user, to whom MiniStack allows everything. Functions get the credentials of their roles."""


@dataclass(frozen=True)
class LocalAws:
    """A running local AWS."""

    endpoint: str
    ca_bundle: Path
    environment: Mapping[str, str]
    """The whole environment of a child process that calls this AWS as the account's root user."""
    log: Path
    """The output of MiniStack and of the functions."""
    directory: Path
    """A temporary directory, deleted when the local AWS stops."""

    def client(self, service: str, region: str = REGION, **credentials: str) -> Any:
        """Return a boto3 client with root's credentials, or with others under boto3's names for them."""
        admin = {name.lower(): value for name, value in ADMIN.items()}
        make: Any = boto3.client  # the stubs want a literal name
        settings = {"region_name": region, "endpoint_url": self.endpoint, "verify": str(self.ca_bundle)}
        return make(service, **settings, **(credentials or admin))

    def run(self, command: Sequence[str]) -> str:
        """Run a command as the account's root user and return its output; raises CommandFailedError."""
        return subprocesses.run(command, self.environment, ROOT, self.directory / "command.log", timeout=60)

    def make_instance(self, name: str, region: str = REGION, tags: Mapping[str, str] | None = None) -> None:
        """Create a Lightsail instance; its size does not matter."""
        self.client("lightsail", region).create_instances(
            instanceNames=[name],
            availabilityZone=f"{region}a",
            blueprintId="wordpress",
            bundleId="small_3_0",
            tags=[{"key": key, "value": value} for key, value in (tags or {}).items()],
        )

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Call the control API of MiniStack or of the emulator, such as `GET /_lightsail/state`, with JSON.

        Raises OSError if there is no answer, or if its status is not 200.
        """
        trusted = ssl.create_default_context(cafile=self.ca_bundle)
        connection = http.client.HTTPSConnection(self.endpoint.removeprefix("https://"), timeout=5, context=trusted)
        with closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read()
        if answer.status != HTTPStatus.OK:
            raise OSError(f"{method} {path} answered {answer.status}: {text.decode(errors='replace')}")
        return json.loads(text)


@contextmanager
def local_aws() -> Iterator[LocalAws]:
    """Start it, wait until it answers, and stop it when the block is left; raises CommandFailedError."""
    with ExitStack() as stack:
        with subprocesses.defer_signals():  # a signal must not leave the directory behind
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lightsail-")))
        listener = stack.enter_context(_listening_socket())
        tls = certificates.issue(directory)
        port = listener.getsockname()[1]
        aws = LocalAws(
            endpoint=f"https://127.0.0.1:{port}",
            ca_bundle=tls.authority,
            environment=_client_environment(directory, tls, port),
            log=directory / "ministack.log",
            directory=directory,
        )
        command = [sys.executable, "-m", "local.ministack.gateway", str(listener.fileno())]
        server = {**aws.environment, **_server_settings(tls, port)}
        with subprocesses.running(command, server, ROOT, aws.log, pass_fds=[listener.fileno()]) as process:
            listener.close()
            _wait_until_healthy(aws, process.poll)
            yield aws


def _listening_socket() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.set_inheritable(True)
    return listener


def _client_environment(directory: Path, tls: certificates.Certificates, port: int) -> dict[str, str]:
    """Build an environment from scratch, without the user's keys, profiles, proxies and Region."""
    home = directory / "home"
    temporary = (
        directory / "t"
    )  # short, because multiprocessing puts sockets here, and their paths have at most 100 characters
    home.mkdir()
    temporary.mkdir()
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "CDK_HOME": str(home),  # here the CLI caches the account of each key
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "NO_COLOR": "1",  # output goes to files, and an error shows the last lines
        # The CDK takes 13 seconds to unpack its library, so this is the user's own cache of it.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path.home() / ".cache" / "aws" / "jsii" / "package-cache"),
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        **ADMIN,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"https://127.0.0.1:{port}",  # with an IP address, S3 clients put the bucket into the path
        "AWS_CA_BUNDLE": str(tls.authority),
        "NODE_EXTRA_CA_CERTS": str(tls.authority),
        "AWS_PAGER": "",
    }


def _server_settings(tls: certificates.Certificates, port: int) -> dict[str, str]:
    """Return MiniStack's settings; the functions inherit its whole environment."""
    return {
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "AUTH": "true",  # IAM policies decide
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(tls.certificate),
        "MINISTACK_SSL_KEY": str(tls.key),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent.sock",
        "LAMBDA_ACCOUNT_CONCURRENCY": "10",
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",  # AWS waits one minute, then two
    }


def _wait_until_healthy(aws: LocalAws, exit_status: Callable[[], int | None], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and exit_status() is None:
        try:
            aws.control("GET", "/_ministack/health")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise subprocesses.CommandFailedError("The local AWS did not start", subprocesses.tail(aws.log))
