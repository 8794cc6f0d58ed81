"""An AWS over TLS that answers at once, and the two functions that the benchmarks run against it.

`bare` is the smallest function that calls AWS with boto3: it makes one client, and one call for each message, with all
of boto3 and botocore, compiled as our asset is. `create` is the asset that ships. Both verify the server's certificate
with the roots that they have on AWS, to which the authority of the certificate is added.
"""

import json
import ssl
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from infra.asset.build import build_asset
from infra.asset.bytecode import PYTHON_VERSION, precompile
from lightsail_snapshots.events import SOURCE
from local.certificates import Certificates, issue
from local.lambda_runtime import Function, Outcome, install

BARE = """
import boto3

client = boto3.client("lightsail")


def handler(event, context):
    for _ in event["Records"]:
        client.get_instance(instanceName="web-1")
"""
BOTO3 = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")

TAGS = [{"key": f"key-{number}", "value": "value"} for number in range(5)]
INSTANCE = {"name": "web-1", "arn": "arn:1", "createdAt": 1750000000, "tags": TAGS, "state": {"name": "running"}}
ANSWERS: Mapping[str, Any] = {
    "AmazonSQS.ChangeMessageVisibilityBatch": {"Successful": [], "Failed": []},
    "Lightsail_20161128.GetInstance": {"instance": INSTANCE},
    "Lightsail_20161128.CreateInstanceSnapshot": {"operations": []},
}

ENVIRONMENT = {
    "EVENT_BUS_NAME": "lightsail-snapshots",
    "SNAPSHOT_REGIONS": "us-east-1",
    "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/requests",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters",
    "DEADLINE_SECONDS": "21600",
    "FIRST_RETRY_SECONDS": "15",
    "POWERTOOLS_SERVICE_NAME": "lightsail-snapshots",
    "POWERTOOLS_METRICS_NAMESPACE": "LightsailSnapshots",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "PYTHONHASHSEED": "0",  # the same order of sets in each run
}


class Aws(BaseHTTPRequestHandler):
    """Lightsail and SQS, for the calls of a new request."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer: the second of two would wait for the acknowledgement of the first

    def do_POST(self) -> None:
        """Answer at once, always the same."""
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps(ANSWERS[self.headers["X-Amz-Target"]]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Say nothing."""


@dataclass(frozen=True)
class Variant:
    """One asset, the handler in it, and all that a function of it needs."""

    name: str
    asset: Path
    handler: str
    folder: Path
    url: str

    def function(self, handler: str = "", **more: Any) -> Function:
        """Return a function of it; without a process yet."""
        return Function(
            asset=self.asset,
            runtime_client=self.folder / "client",
            handler=handler or self.handler,
            environment={**ENVIRONMENT, "AWS_ENDPOINT_URL": self.url},
            log=self.folder / "log",
            **more,
        )

    def invoke(self, function: Function, event: object) -> Any:
        """Invoke a function of it; raise RuntimeError with its log if it does not answer."""
        reply = function.invoke(event)
        if reply.outcome is not Outcome.ANSWERED:
            raise RuntimeError(f"{self.name} {reply.outcome}: {reply.payload}\n{(self.folder / 'log').read_text()}")
        return reply.payload


@contextmanager
def variants(folder: Path) -> Iterator[tuple[Variant, Variant]]:
    """Build both in an empty directory, `bare` first, with bytecode of the Python that runs this; serve their AWS."""
    bare, ours, client = (folder / name for name in ("bare", "create", "client"))
    for directory in (bare, ours, client):
        directory.mkdir()
    install(client)
    install(bare, BOTO3)
    (bare / "bare.py").write_text(BARE)
    for compiled in bare.rglob("*.pyc"):
        compiled.unlink()
    precompile(bare)
    build_asset(ours, python_version=f"{sys.version_info.major}.{sys.version_info.minor}")
    certificates = issue(folder)
    for bundle in (bare / "botocore" / "cacert.pem", ours / "lightsail_snapshots" / "aws" / "amazon_roots.pem"):
        with bundle.open("a") as file:
            file.write(certificates.authority.read_text())
    with _answering(certificates) as url:
        yield (
            Variant("bare", bare, "bare.handler", folder, url),
            Variant("create", ours, "lightsail_snapshots.create.handler", folder, url),
        )


def python_note() -> str:
    """Say that the figures are not those of Lambda's Python, if they are not."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    return "" if here == PYTHON_VERSION else f"Python {here} runs this: Lambda has {PYTHON_VERSION}, so ratios differ."


def messages(count: int = 1, *, of_a_plan: bool = False) -> dict[str, Any]:
    """Build a batch of requests, as SQS delivers them for the first time: of a person, who waits, or of a plan."""
    return {"Records": [_record(number, of_a_plan=of_a_plan) for number in range(count)]}


def _record(number: int, *, of_a_plan: bool) -> dict[str, Any]:
    request = {
        "version": "0",
        "id": f"7bf73129-1428-4cd3-a780-95db273d{number:04}",
        "detail-type": "Instance Snapshot Requested",
        "source": SOURCE if of_a_plan else "benchmark",
        "account": "123456789012",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [],
        "detail": {"instanceName": "web-1", **({"plan": "daily"} if of_a_plan else {})},
    }
    now = str(int(1000 * time.time()))
    return {
        "messageId": f"059f36b4-87a3-44ab-83d2-66197583{number:04}",
        "receiptHandle": f"handle-{number}",
        "body": json.dumps(request),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "ApproximateFirstReceiveTimestamp": now,
            "SentTimestamp": now,
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
        "awsRegion": "us-east-1",
    }


@contextmanager
def _answering(certificates: Certificates) -> Iterator[str]:
    """Serve the local AWS; yield its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Aws) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
