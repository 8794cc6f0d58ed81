"""Compares a cold start of `create` with that of the smallest function that calls AWS with boto3.

    python -m benchmarks.cold_start

Run it with the Python of Lambda. AWS's own runtime client runs both functions in turn, from the start of the process to
the answer to the first event. `bare` makes one client and one call, with all of boto3 and botocore, precompiled.
`create` is the asset that ships, with Logger and Metrics; its first event is a message of the queue, for which it makes
two calls. AWS is a local server that answers at once. Only the ratio matters: it depends little on the machine, and
rises on a busy one. With `--runs 40` and Python 3.13.0, on two cores that eight other processes kept busy:

                median   fastest   slowest   ratio
    bare        923 ms    453 ms   1351 ms    1.00
    create      810 ms    432 ms   1389 ms    0.88

    `create` takes 0.88 of `bare`; the budget is 0.90.

By valgrind's count of instructions, which other processes do not affect, it is 0.85: 1.02 against 1.20 billion.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from infra.asset import build
from local.lambda_runtime import Function, Outcome, install

BUDGET = 0.90
"""At most this much of a bare function's cold start."""

BARE = """
import boto3

client = boto3.client("lightsail")


def handler(event, context):
    return client.get_instance(instanceName="web-1")["instance"]["name"]
"""
BOTO3 = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")

ANSWERS: Mapping[str, Any] = {
    "AmazonSQS.ChangeMessageVisibilityBatch": {"Successful": [], "Failed": []},
    "Lightsail_20161128.GetInstance": {"instance": {"name": "web-1", "tags": []}},
    "Lightsail_20161128.CreateInstanceSnapshot": {"operations": []},
}


class Aws(BaseHTTPRequestHandler):
    """A Lightsail for the calls of a first event."""

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
    """One asset and the handler in it."""

    name: str
    asset: Path
    handler: str


def main() -> int:
    """Measure, print the table, and return 1 if `create` exceeds the budget."""
    parser = argparse.ArgumentParser(description="Measure the cold start of the create function.")
    parser.add_argument("--runs", type=int, default=30, help="cold starts of each variant (default: %(default)s)")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="cold-start-") as scratch, answering() as url:
        folder = Path(scratch)
        print(f"Building the assets for Python {sys.version.split()[0]} ...")
        variants = build_variants(folder)
        taken: dict[str, list[float]] = {variant.name: [] for variant in variants}
        print(f"Starting each of them {runs} times, in turn ...")
        for run in range(runs + 1):
            for variant in variants if run % 2 else reversed(variants):
                seconds = cold_start(variant, folder, url)
                if run:  # the first one fills the disk cache
                    taken[variant.name].append(seconds)
    return report(taken)


def build_variants(folder: Path) -> list[Variant]:
    """Build the assets, with bytecode of the Python that runs this."""
    bare, ours, client = (folder / name for name in ("bare", "create", "client"))
    for directory in (bare, ours, client):
        directory.mkdir()
    install(client)
    (bare / "bare.py").write_text(BARE)
    install(bare, BOTO3)
    build.build_asset(ours, python_version=f"{sys.version_info.major}.{sys.version_info.minor}")
    return [Variant("bare", bare, "bare.handler"), Variant("create", ours, "lightsail_snapshots.create.handler")]


def cold_start(variant: Variant, folder: Path, url: str) -> float:
    """Return the seconds from the start of a process to its answer to one event."""
    environment = {
        "AWS_ENDPOINT_URL": url,
        "EVENT_BUS_NAME": "lightsail-snapshots",
        "SNAPSHOT_REGIONS": "us-east-1",
        "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/requests",
        "DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters",
        "DEADLINE_SECONDS": "21600",
        "FIRST_RETRY_SECONDS": "15",
        "POWERTOOLS_SERVICE_NAME": "lightsail-snapshots",
        "POWERTOOLS_METRICS_NAMESPACE": "LightsailSnapshots",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }
    log = folder / "log"
    with Function(
        asset=variant.asset,
        runtime_client=folder / "client",
        handler=variant.handler,
        environment=environment,
        log=log,
    ) as function:
        started = time.perf_counter()
        reply = function.invoke(message())
        seconds = time.perf_counter() - started
    if reply.outcome is not Outcome.ANSWERED:
        raise RuntimeError(f"{variant.name} {reply.outcome}: {reply.payload}\n{log.read_text()}")
    return seconds


def message() -> dict[str, Any]:
    """Build a batch of one request, as SQS delivers it for the first time."""
    request = {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": "Instance Snapshot Requested",
        "source": "benchmark",
        "account": "123456789012",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [],
        "detail": {"instanceName": "web-1"},
    }
    record = {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "handle",
        "body": json.dumps(request),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "ApproximateFirstReceiveTimestamp": str(int(1000 * time.time())),
            "SentTimestamp": str(int(1000 * time.time())),
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
        "awsRegion": "us-east-1",
    }
    return {"Records": [record]}


def report(taken: Mapping[str, list[float]]) -> int:
    """Print the table; return 1 if `create` exceeds the budget."""
    bare = statistics.median(taken["bare"])
    print(f"\n{'':8}{'median':>10}{'fastest':>10}{'slowest':>10}{'ratio':>8}")
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        cells = "".join(f"{1000 * value:>7.0f} ms" for value in (median, min(seconds), max(seconds)))
        print(f"{name:8}{cells}{median / bare:>8.2f}")
    ratio = statistics.median(taken["create"]) / bare
    print(f"\n`create` takes {ratio:.2f} of `bare`; the budget is {BUDGET:.2f}.")
    return int(ratio > BUDGET)


@contextmanager
def answering() -> Iterator[str]:
    """Serve the local AWS; yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Aws) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    sys.exit(main())
