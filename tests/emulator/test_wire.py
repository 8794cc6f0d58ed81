"""The server with requests that no SDK would send; how the program starts and stops."""

import json
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from typing import Any

import pytest

from tests.emulator.builders import make_instance
from tests.emulator.endpoints import ROOT, HttpEndpoint, client

SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20261123/eu-central-1/lightsail/aws4_request,"
    " SignedHeaders=host, Signature=0"
}


def send(endpoint: HttpEndpoint, operation: str, body: str = "{}", **headers: str) -> tuple[int, dict[str, Any]]:
    """Send a request without an SDK; the status and the body of the answer."""
    status, answer = endpoint.request("POST", "/", body, **{"X-Amz-Target": operation, **headers})
    return status, json.loads(answer)


def test_times_are_numbers(server: HttpEndpoint) -> None:
    make_instance(client(server))
    _, answer = send(server, "Lightsail_20161128.GetInstances", **SIGNED)
    (instance,) = answer["instances"]
    assert isinstance(instance["createdAt"], float)


def test_error_body_has_type_docs_and_tip(server: HttpEndpoint) -> None:
    status, answer = send(server, "Lightsail_20161128.GetInstance", '{"instanceName": "nope"}', **SIGNED)
    assert status == 404
    assert answer["__type"] == "NotFoundException"
    assert set(answer) == {"__type", "message", "code", "docs", "tip"}


def test_missing_field_is_rejected_by_name(server: HttpEndpoint) -> None:
    _, answer = send(server, "Lightsail_20161128.GetInstance", **SIGNED)
    assert answer["__type"] == "InvalidInputException"
    assert "instanceName" in answer["message"]


def test_wrong_type_and_unknown_field_are_rejected_by_name(server: HttpEndpoint) -> None:
    body = '{"instanceName": 7, "colour": "red"}'
    _, answer = send(server, "Lightsail_20161128.GetInstance", body, **SIGNED)
    assert "instanceName" in answer["message"]
    assert "colour" in answer["message"]


def test_body_that_is_not_a_json_object_is_rejected(server: HttpEndpoint) -> None:
    assert send(server, "Lightsail_20161128.GetInstances", "[]", **SIGNED)[1]["__type"] == "InvalidInputException"
    assert send(server, "Lightsail_20161128.GetInstances", "{", **SIGNED)[1]["__type"] == "SerializationException"
    for body in ("{", "[]"):
        status, answer = server.request("POST", "/_lightsail/settings", body)
        assert (status, json.loads(answer)["__type"]) == (400, "InvalidInputException")


def test_unknown_operation_is_rejected(server: HttpEndpoint) -> None:
    for target in ("Lightsail_20161128.MakeCoffee", "DynamoDB_20120810.ListTables", ""):
        assert send(server, target, **SIGNED)[1]["__type"] == "UnknownOperationException"


def test_unsigned_request_is_rejected(server: HttpEndpoint) -> None:
    status, answer = send(server, "Lightsail_20161128.GetInstances")
    assert (status, answer["__type"]) == (401, "UnauthenticatedException")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])  # both as a background job
def test_server_prints_its_url_and_stops_at_a_signal(stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "local.lightsail", "--port", "0", "--page-size", "1"]
    script = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    with (
        subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-c", script, *command],
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as program,
        ExitStack() as ending,
    ):
        ending.callback(program.kill)  # if an assertion fails, `with` would wait forever
        assert program.stdout is not None
        url = re.search(r"http://127\.0\.0\.1:\d+", program.stdout.readline())
        assert url is not None
        lightsail = client(HttpEndpoint(url[0]))
        make_instance(lightsail, "web-1", instanceNames=["web-1", "web-2"])
        assert "nextPageToken" in lightsail.get_instances()
        program.send_signal(stop)
        _, errors = program.communicate(timeout=10)
    assert (program.returncode, errors) == (0, "Lightsail emulator stopped.\n")
