"""The AWS that the function under test calls, and its events."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3

from lightsail_snapshots.events import SOURCE
from local.lightsail.resources import InstanceSnapshot
from local.lightsail.server import Server
from tests.support.events import message, requested

REGION = "us-east-1"


@dataclass
class Aws:
    """Lightsail and a bus; `events` are the entries of PutEvents."""

    lightsail: Server
    bus_url: str
    events: list[dict[str, Any]]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the deployed function, with the addresses of this AWS."""
        return {
            "EVENT_BUS_NAME": "lightsail-snapshots",
            "SNAPSHOT_REGIONS": REGION,
            "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/requests",
            "DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters",
            "DEADLINE_SECONDS": "21600",
            "FIRST_RETRY_SECONDS": "15",
            "LOG_GROUP": "prune-logs",
            "POWERTOOLS_SERVICE_NAME": "lightsail-snapshots",
            "POWERTOOLS_METRICS_NAMESPACE": "LightsailSnapshots",
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "AWS_ENDPOINT_URL_LIGHTSAIL": self.lightsail.url,
            # botocore makes this name from the service's id, which is EventBridge, and not from "events".
            "AWS_ENDPOINT_URL_EVENTBRIDGE": self.bus_url,
            "AWS_ENDPOINT_URL_SQS": self.bus_url,
            "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": self.bus_url,
        }

    @property
    def client(self) -> Any:
        """A client that is not the function's."""
        return boto3.client(
            "lightsail",
            region_name=REGION,
            endpoint_url=self.lightsail.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def make_instance(self, name: str) -> None:
        """Make a running instance with a tag."""
        self.client.create_instances(
            instanceNames=[name],
            availabilityZone=f"{REGION}a",
            blueprintId="ubuntu_24_04",
            bundleId="small_3_0",
            tags=[{"key": "env", "value": "prod"}],
        )

    def snapshots(self, region: str = REGION) -> dict[str, str]:
        """The state of each snapshot of a Region, by its name."""
        emulator = self.lightsail.emulator
        with emulator.lock:
            here = emulator.region(region)
            return {one.name: one.state_at(here.now) for one in here.resources_of_type(InstanceSnapshot)}


def batch(*, delivery: int, **detail: Any) -> dict[str, Any]:
    """A batch of one request of ours, sent a moment ago, as SQS delivers it for the n-th time."""
    event = requested({"instanceName": "web-1"} | detail, source=SOURCE)
    return {"Records": [message(event, delivery, sent_at=datetime.now(UTC))]}


@contextmanager
def bus() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serve PutEvents, the queue and an empty log; yield the address and the list of events so far."""
    entries: list[dict[str, Any]] = []

    class Bus(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"]))).get("Entries", [])
            if self.headers["X-Amz-Target"] == "AWSEvents.PutEvents":
                entries.extend(given)
            taken = {"FailedEntryCount": 0, "Entries": [{"EventId": str(number)} for number, _ in enumerate(given)]}
            answer = {"events": []} if self.headers["X-Amz-Target"] == "Logs_20140328.FilterLogEvents" else taken
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Bus) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", entries
        finally:
            server.shutdown()
            thread.join()
