"""What is particular to the moto door."""

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from moto import mock_aws

import local.lightsail.moto
from tests.emulator.builders import error_of, make_instance
from tests.emulator.endpoints import MotoDoor, client, server_endpoint


def test_every_mock_aws_begins_with_nothing_and_with_no_faults() -> None:
    with mock_aws():
        make_instance(client(MotoDoor()))
        local.lightsail.moto.emulator().faults.add("throttle")
    with mock_aws():
        assert client(MotoDoor()).get_instances()["instances"] == []


def test_a_mock_aws_within_another_keeps_what_there_is() -> None:
    with mock_aws():
        make_instance(client(MotoDoor()))
        with mock_aws():
            assert len(client(MotoDoor()).get_instances()["instances"]) == 1
        assert len(client(MotoDoor()).get_instances()["instances"]) == 1


def test_motos_own_services_work_beside_it() -> None:
    with mock_aws():
        queues = boto3.client("sqs", "us-east-1")
        queues.create_queue(QueueName="queue")
        assert len(queues.list_queues()["QueueUrls"]) == 1


def test_an_endpoint_of_ones_own_is_left_alone() -> None:
    with mock_aws(), server_endpoint() as server:
        make_instance(client(server))
        assert client(MotoDoor()).get_instances()["instances"] == []
        assert len(client(server).get_instances()["instances"]) == 1


def test_an_unsigned_request_is_refused() -> None:
    with mock_aws():
        unsigned = boto3.client("lightsail", "us-east-1", config=Config(signature_version=UNSIGNED))
        assert error_of(unsigned.get_instances)["name"] == "UnauthenticatedException"
