"""The web server that stands for what runs on instances."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus

import pytest

from tests.emulator.builders import make_instance
from tests.emulator.endpoints import Endpoint, Lightsail


@pytest.fixture
def port(endpoint: Endpoint) -> Iterator[int]:
    yield endpoint.control("probe-target", port=0)["port"]
    endpoint.control("probe-target", "DELETE")


def info(port: int) -> dict[str, object]:
    return {"fromPort": port, "toPort": port, "protocol": "tcp"}


def ask(address: str, port: int) -> str:
    """Return what the server says; empty if it closes the connection."""
    with closing(http.client.HTTPConnection(address, port, timeout=10)) as connection:
        connection.request("GET", "/")
        try:
            answer = connection.getresponse()
        except http.client.RemoteDisconnected:
            return ""
        assert answer.status == HTTPStatus.OK
        return answer.read().decode()


def test_probe_target_answers_once_an_instance_has_its_port_open(lightsail: Lightsail, port: int) -> None:
    address = make_instance(lightsail)["publicIpAddress"]
    assert address == "127.0.0.1"
    assert not ask(address, port)
    lightsail.open_instance_public_ports(instanceName="web-1", portInfo=info(port))
    assert ask(address, port) == "It works: web-1\n"
    lightsail.close_instance_public_ports(instanceName="web-1", portInfo=info(port))
    assert not ask(address, port)


def test_probe_target_does_not_answer_for_an_instance_that_does_not_run(
    endpoint: Endpoint, lightsail: Lightsail, port: int
) -> None:
    endpoint.control("settings", instanceSeconds=60)
    address = make_instance(lightsail)["publicIpAddress"]
    lightsail.open_instance_public_ports(instanceName="web-1", portInfo=info(port))
    assert not ask(address, port)
    endpoint.control("clock", advance=60)
    assert ask(address, port)


def test_instances_have_addresses_of_their_own_without_probe_target(
    endpoint: Endpoint, lightsail: Lightsail, port: int
) -> None:
    endpoint.control("probe-target", "DELETE")
    assert make_instance(lightsail)["publicIpAddress"] != "127.0.0.1"
    with socket.create_server(("127.0.0.1", port)):
        pass  # the port is free again


def test_probe_target_rejects_a_port_that_is_in_use_or_none(endpoint: Endpoint) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(ValueError, match=f"The port {number} cannot be used: EADDRINUSE"):
            endpoint.control("probe-target", port=number)
    with pytest.raises(ValueError, match="The probe target takes"):
        endpoint.control("probe-target", port="80")


def test_probe_target_is_not_a_setting(endpoint: Endpoint, port: int) -> None:
    assert port
    assert all(isinstance(each, int | float) for each in endpoint.control("settings", "GET").values())
