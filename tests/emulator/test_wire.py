"""Bare requests, which no SDK would send, to the stand-alone server; and how it starts and stops."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.emulator.builders import make_instance
from tests.emulator.endpoints import ROOT, HttpEndpoint, client, server_endpoint

SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20261123/eu-central-1/lightsail/aws4_request,"
    " SignedHeaders=host, Signature=0"
}


@pytest.fixture
def server() -> Iterator[HttpEndpoint]:
    """A fresh server."""
    with server_endpoint() as endpoint:
        yield endpoint


def ask(endpoint: HttpEndpoint, operation: str, body: str = "{}", **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer to a bare request."""
    status, answer = endpoint.ask("POST", "/", body, **{"X-Amz-Target": operation, **headers})
    return status, json.loads(answer)


def test_times_are_numbers_and_the_body_is_json(server: HttpEndpoint) -> None:
    make_instance(client(server))
    _, answer = ask(server, "Lightsail_20161128.GetInstances", **SIGNED)
    (instance,) = answer["instances"]
    assert isinstance(instance["createdAt"], float)


def test_the_errors_name_is_in_the_body_with_docs_and_tip(server: HttpEndpoint) -> None:
    status, answer = ask(server, "Lightsail_20161128.GetInstance", '{"instanceName": "nope"}', **SIGNED)
    assert status == 404
    assert answer["__type"] == "NotFoundException"
    assert set(answer) == {"__type", "message", "code", "docs", "tip"}


def test_a_missing_member_is_refused_by_name(server: HttpEndpoint) -> None:
    _, answer = ask(server, "Lightsail_20161128.GetInstance", **SIGNED)
    assert answer["__type"] == "InvalidInputException"
    assert "instanceName" in answer["message"]


def test_a_member_of_the_wrong_type_and_one_too_many_are_refused_by_name(server: HttpEndpoint) -> None:
    body = '{"instanceName": 7, "colour": "red"}'
    _, answer = ask(server, "Lightsail_20161128.GetInstance", body, **SIGNED)
    assert "instanceName" in answer["message"]
    assert "colour" in answer["message"]


def test_a_body_that_is_not_an_object_is_refused(server: HttpEndpoint) -> None:
    assert ask(server, "Lightsail_20161128.GetInstances", "[]", **SIGNED)[1]["__type"] == "InvalidInputException"


def test_a_body_that_is_not_json_is_refused(server: HttpEndpoint) -> None:
    assert ask(server, "Lightsail_20161128.GetInstances", "{", **SIGNED)[1]["__type"] == "SerializationException"


@pytest.mark.parametrize("target", ["Lightsail_20161128.MakeCoffee", "DynamoDB_20120810.ListTables", ""])
def test_an_operation_that_lightsail_does_not_have_is_unknown(server: HttpEndpoint, target: str) -> None:
    assert ask(server, target, **SIGNED)[1]["__type"] == "UnknownOperationException"


def test_an_unsigned_request_is_refused(server: HttpEndpoint) -> None:
    status, answer = ask(server, "Lightsail_20161128.GetInstances")
    assert (status, answer["__type"]) == (401, "UnauthenticatedException")


@pytest.mark.parametrize("body", ["{", "[]"])
def test_the_control_door_takes_json_objects_only(server: HttpEndpoint, body: str) -> None:
    status, answer = server.ask("POST", "/_lightsail/settings", body)
    assert (status, json.loads(answer)["__type"]) == (400, "InvalidInputException")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_program_says_where_it_is_and_ends_cleanly_also_in_the_background(stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "local.lightsail", "--port", "0", "--page-size", "1"]
    script = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    with (
        subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-c", script, *command],
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as program,
        ExitStack() as ending,
    ):
        ending.callback(program.kill)  # whatever happens here: else `with` waits for ever
        assert program.stdout is not None
        url = re.search(r"http://127\.0\.0\.1:\d+", program.stdout.readline())
        assert url is not None
        lightsail = client(HttpEndpoint(url[0]))
        make_instance(lightsail, "web-1", instanceNames=["web-1", "web-2"])
        assert "nextPageToken" in lightsail.get_instances()
        program.send_signal(stop)
        _, errors = program.communicate(timeout=10)
    assert (program.returncode, errors) == (0, "Lightsail emulator stopped.\n")


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [("--page-size", "0", "pageSize cannot be 0"), ("--speed", "-1", "speed cannot be -1")],
)
def test_an_option_that_makes_no_sense_is_refused_at_the_start(option: str, value: str, words: str) -> None:
    command = [sys.executable, "-m", "local.lightsail", option, value]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=10)  # noqa: S603 - our own words
    assert ended.returncode == 2
    assert words in ended.stderr
