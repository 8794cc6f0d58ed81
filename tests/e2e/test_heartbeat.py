"""A completed audit calls an address outside AWS."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from lightsail_snapshots.events import SOURCE
from tests.e2e.deployment import Deployment, eventually

Calls = list[tuple[str, str, str]]
"""Path, header and body of each call."""


@pytest.fixture
def calls(stack: Deployment) -> Iterator[Calls]:
    """What the deployed API destination sends, to a server on this machine in place of its own address."""
    seen: Calls = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            seen.append((self.path, self.headers["X-Sent-By"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    events = stack.aws.client("events")
    name = "lightsail-snapshots-heartbeat"
    deployed = events.describe_api_destination(Name=name)["InvocationEndpoint"]
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        events.update_api_destination(
            Name=name,
            InvocationEndpoint=deployed.replace("https://ping.invalid", f"http://127.0.0.1:{server.server_port}"),
        )
        yield seen
        events.update_api_destination(Name=name, InvocationEndpoint=deployed)
        server.shutdown()


def test_completed_audit_calls_the_address_of_the_heartbeat(stack: Deployment, calls: Calls) -> None:
    when = "2026-11-23T06:20:00Z"
    stack.put("Audit Requested", {"plans": [], "every": "P30D", "scheduledTime": when}, source=SOURCE)
    call = eventually(lambda: next((each for each in calls if when in each[2]), None), "call of the heartbeat")
    assert call[:2] == ("/push?status=up", "lightsail-snapshots")
    assert json.loads(call[2]) == {"event": "Audit Completed", "auditedAt": when}
