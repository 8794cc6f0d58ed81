"""The moto endpoint."""

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from moto import mock_aws

import local.lightsail.moto
from tests.emulator.builders import error_from, make_instance
from tests.emulator.endpoints import MotoEndpoint, client, server_endpoint


def test_mock_aws_starts_without_resources_and_faults() -> None:
    with mock_aws():
        make_instance(client(MotoEndpoint()))
        local.lightsail.moto.emulator().faults.add("throttle")
    with mock_aws():
        assert client(MotoEndpoint()).get_instances()["instances"] == []


def test_nested_mock_aws_keeps_resources() -> None:
    with mock_aws():
        make_instance(client(MotoEndpoint()))
        with mock_aws():
            assert len(client(MotoEndpoint()).get_instances()["instances"]) == 1
        assert len(client(MotoEndpoint()).get_instances()["instances"]) == 1


def test_mock_aws_ignores_a_client_with_an_endpoint_url() -> None:
    with mock_aws(), server_endpoint() as server:
        make_instance(client(server))
        assert client(MotoEndpoint()).get_instances()["instances"] == []
        assert len(client(server).get_instances()["instances"]) == 1


def test_unsigned_request_is_rejected() -> None:
    with mock_aws():
        unsigned = boto3.client("lightsail", "us-east-1", config=Config(signature_version=UNSIGNED))
        assert error_from(unsigned.get_instances)["name"] == "UnauthenticatedException"
