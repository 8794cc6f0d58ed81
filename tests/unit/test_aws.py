"""Every answer and every error of AWS leaves `aws` as one of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.handlers import BUILTIN_HANDLERS
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber
from moto import mock_aws

from lightsail_snapshots.aws import LONGEST_CALL, OPERATIONS, errors, event_bus, request_queue
from lightsail_snapshots.aws import lightsail as lightsail_module
from lightsail_snapshots.aws.clients import concerns_us

CREATED = datetime(2026, 11, 23, 3, 15, 32, tzinfo=UTC)


@contextmanager
def stubbed(region: lightsail_module.Lightsail) -> Iterator[Stubber]:
    """Answer instead of Lightsail; the stubber checks requests and answers against botocore's service model."""
    with Stubber(region._client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def create(region: lightsail_module.Lightsail) -> None:
    region.create_snapshot("web-1-x", "web-1", {"env": "prod", "no_delete": ""})


def error_for(code: str, message: str = "", sub_code: str = "") -> errors.AwsError:
    region = lightsail_module.Lightsail("us-east-1")
    with stubbed(region) as stubber:
        fields = {"code": sub_code} if sub_code else None
        stubber.add_client_error("create_instance_snapshot", code, message, modeled_fields=fields)
        with pytest.raises(errors.AwsError) as caught:
            region.create_snapshot("web-1-x", "web-1", {"env": "prod"})
    return caught.value


def test_key_only_tag_is_sent_without_a_value() -> None:
    region = lightsail_module.Lightsail("us-east-1")
    with stubbed(region) as stubber:
        expected = {
            "instanceSnapshotName": "web-1-x",
            "instanceName": "web-1",
            "tags": [{"key": "env", "value": "prod"}, {"key": "no_delete"}],
        }
        stubber.add_response("create_instance_snapshot", {}, expected)
        create(region)


def test_call_is_repeated_without_key_only_tags_when_rejected() -> None:
    region = lightsail_module.Lightsail("us-east-1")
    request = {"resourceName": "web-1-x", "tags": [{"key": "env", "value": "prod"}]}
    with stubbed(region) as stubber:
        stubber.add_client_error("tag_resource", "InvalidInputException", "A specified tag has no value")
        stubber.add_response("tag_resource", {}, request)
        assert region.tag_snapshot("web-1-x", {"env": "prod", "no_delete": ""}) == ["no_delete"]


def test_call_stays_rejected_when_key_only_tags_were_not_the_reason() -> None:
    region = lightsail_module.Lightsail("us-east-1")
    with stubbed(region) as stubber:
        for reason in ("A specified tag has no value", "This is not supported"):
            stubber.add_client_error("tag_resource", "InvalidInputException", reason)
        with pytest.raises(errors.RejectedError, match="This is not supported"):
            region.tag_snapshot("web-1-x", {"no_delete": ""})


def test_snapshot_is_read_with_its_tags() -> None:
    region = lightsail_module.Lightsail("us-east-1")
    raw = {
        "name": "web-1-x",
        "arn": "arn:aws:lightsail:us-east-1:123456789012:InstanceSnapshot/1",
        "state": "pending",
        "createdAt": CREATED,
        "fromInstanceName": "web-1",
        "fromInstanceArn": "arn:aws:lightsail:us-east-1:123456789012:Instance/1",
        "tags": [{"key": "managed-by", "value": "lightsail-snapshots"}, {"key": "no_delete"}],
    }
    with stubbed(region) as stubber:
        stubber.add_response("get_instance_snapshot", {"instanceSnapshot": raw}, {"instanceSnapshotName": "web-1-x"})
        snapshot = region.find_snapshot("web-1-x")
    assert snapshot is not None
    assert snapshot.is_ours
    assert (snapshot.state, snapshot.created_at, snapshot.instance_name) == ("pending", CREATED, "web-1")
    assert snapshot.tags["no_delete"] == ""


def test_find_snapshot_returns_none_when_there_is_none() -> None:
    region = lightsail_module.Lightsail("us-east-1")
    with stubbed(region) as stubber:
        stubber.add_client_error("get_instance_snapshot", "NotFoundException")
        assert region.find_snapshot("web-1-x") is None


@pytest.mark.parametrize("tokens", [["a", "a"], ["a", "b", "a"]])
def test_list_fails_when_a_page_token_is_repeated(tokens: list[str]) -> None:
    region = lightsail_module.Lightsail("us-east-1")
    with stubbed(region) as stubber:
        for token in tokens:
            stubber.add_response("get_instance_snapshots", {"instanceSnapshots": [], "nextPageToken": token})
        with pytest.raises(errors.RetryableError, match="RepeatedPageToken"):
            region.snapshots()


BUSY = "Your instance is busy. Please try again in a few minutes."
KINDS: list[tuple[str, str, str, type[errors.AwsError]]] = [
    ("NotFoundException", "The Instance does not exist: web-1", "", errors.NotFoundError),
    ("InvalidInputException", "", "DoesNotExist", errors.NotFoundError),
    ("OperationFailureException", "The Instance does not exist: web-1", "", errors.NotFoundError),
    ("DoesNotExist", "", "", errors.NotFoundError),
    ("InvalidInputException", "DoesNotExist: web-1", "", errors.NotFoundError),
    ("InvalidInputException", "", "NameExists", errors.NameInUseError),
    ("InvalidInputException", "Some names are already in use: web-1-x", "", errors.NameInUseError),
    ("AccessDeniedException", "User: x is not authorized", "", errors.AccessDeniedError),
    ("AccessDenied", "", "", errors.AccessDeniedError),
    ("InvalidInputException", "custom gitlab is not a valid resource name.", "", errors.RejectedError),
    ("InvalidInputException", "", "UnsupportedOperation", errors.RejectedError),
    ("InvalidInputException", "web-in-a-pending-state is not a valid resource name.", "", errors.RejectedError),
    ("InvalidInputException", BUSY, "", errors.RetryableError),
    ("InvalidInputException", "The instance web-1 is stopping.", "", errors.RetryableError),
    ("InvalidInputException", "This cannot be done in the current state: Pending", "", errors.RetryableError),
    ("InvalidInputException", "Another operation is in progress", "", errors.RetryableError),
    ("InvalidInputException", "Please wait for it to complete before trying again", "", errors.RetryableError),
    (
        "InvalidInputException",
        "You cannot create manual snapshots when an automatic snapshot is being created.",
        "",
        errors.RetryableError,
    ),
    ("OperationFailureException", "", "", errors.RetryableError),
    ("ThrottlingException", "Rate exceeded", "", errors.ThrottledError),
    ("ServiceException", "", "", errors.RetryableError),
    ("AccountSetupInProgressException", "", "", errors.RetryableError),
    ("RegionSetupInProgressException", "", "", errors.RetryableError),
    ("SomethingNobodyHasSeen", "", "", errors.RetryableError),
]


@pytest.mark.parametrize(("code", "message", "sub_code", "kind"), KINDS)
def test_error_type_follows_from_code_sub_code_and_text(
    code: str, message: str, sub_code: str, kind: type[errors.AwsError]
) -> None:
    assert type(error_for(code, message, sub_code)) is kind


def test_error_text_begins_with_the_code_of_aws() -> None:
    text = str(error_for("InvalidInputException", "Some names are already in use: web-1-x", "NameExists"))
    assert text == ("InvalidInputException/NameExists: Some names are already in use: web-1-x (CreateInstanceSnapshot)")


def test_every_error_of_the_service_model_is_in_the_table() -> None:
    lightsail: Any = boto3.client("lightsail", region_name="us-east-1")
    declared = {
        shape.name
        for operation in OPERATIONS["lightsail"]
        for shape in lightsail.meta.service_model.operation_model(operation).error_shapes
    }
    assert declared - {code for code, *_ in KINDS} == {"UnauthenticatedException"}  # expired keys: later ones may do


def bot_core_errors() -> list[type[botocore.exceptions.BotoCoreError]]:
    everything = vars(botocore.exceptions).values()
    return [
        kind for kind in everything if isinstance(kind, type) and issubclass(kind, botocore.exceptions.BotoCoreError)
    ]


@pytest.mark.parametrize("kind", [*bot_core_errors(), ResponseParserError])
def test_every_exception_of_botocore_is_translated(kind: type[Exception]) -> None:
    error = kind.__new__(kind)  # most want arguments of their own
    with pytest.raises(errors.AwsError) as caught, errors.translate_errors():
        raise error
    is_rejected = issubclass(kind, botocore.exceptions.ParamValidationError)
    assert type(caught.value) is (errors.RejectedError if is_rejected else errors.RetryableError)


def test_put_raises_when_the_bus_rejects_an_entry() -> None:
    bus = event_bus.EventBus("lightsail-snapshots", "us-east-1")
    answer = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}]}
    with Stubber(bus._client) as stubber:
        stubber.add_response("put_events", answer)
        with pytest.raises(errors.RetryableError, match=r"InternalFailure: try again \(PutEvents\)"):
            bus.put("Instance Snapshot Failed", {})


def test_call_times_out_within_longest_call() -> None:
    config: Any = lightsail_module.Lightsail("us-east-1")._client.meta.config  # the stubs do not know its fields
    attempts = config.retries["total_max_attempts"]
    assert attempts * (config.connect_timeout + config.read_timeout) < LONGEST_CALL


@pytest.fixture
def queue() -> Iterator[tuple[request_queue.RequestQueue, Any]]:
    """A queue with two messages that were received, and a client of SQS."""
    with mock_aws():
        client = boto3.client("sqs", region_name="us-east-1")
        url, dead = (client.create_queue(QueueName=name)["QueueUrl"] for name in ("requests", "dead-letters"))
        yield request_queue.RequestQueue(url, dead, "us-east-1"), client


def received(queue: request_queue.RequestQueue, client: Any, url: str = "") -> list[dict[str, Any]]:
    answer = client.receive_message(QueueUrl=url or queue._url, MaxNumberOfMessages=10, VisibilityTimeout=180)
    return list(answer.get("Messages", []))


def test_queue_delivers_a_message_again_when_it_is_told(queue: tuple[request_queue.RequestQueue, Any]) -> None:
    requests, client = queue
    for body in ("now", "later"):
        client.send_message(QueueUrl=requests._url, MessageBody=body)
    handles = {each["Body"]: each["ReceiptHandle"] for each in received(requests, client)}
    requests.set_delays({handles["now"]: -0.2, handles["later"]: 20.4})
    assert [each["Body"] for each in received(requests, client)] == ["now"]


def test_queue_hides_a_message_for_12_hours_at_most() -> None:
    assert [request_queue._visibility(delay) for delay in (-1, 0.4, 15, 1e9)] == [0, 0, 15, 43_000]


def test_error_says_that_a_delay_was_not_set(queue: tuple[request_queue.RequestQueue, Any]) -> None:
    requests, _ = queue
    with pytest.raises(errors.RetryableError, match="ReceiptHandleIsInvalid"):
        requests.set_delays({"unknown": 5})


def test_dead_letter_has_the_body_of_its_message(queue: tuple[request_queue.RequestQueue, Any]) -> None:
    requests, client = queue
    requests.send_dead_letter('{"id": "1"}')
    [message] = received(requests, client, requests._dead_letter_url)
    assert message["Body"] == '{"id": "1"}'


def test_sdk_handlers_that_the_functions_go_without_concern_other_services() -> None:
    make: Any = boto3.Session(region_name="us-east-1").client  # the stubs want a literal name
    services = {*OPERATIONS, *(make(name).meta.service_model.service_id.hyphenize() for name in OPERATIONS)}
    left_out = [spec[0].split(".") for spec in BUILTIN_HANDLERS if not concerns_us(spec[0])]
    assert len(left_out) > 100
    for stage, *more in left_out:
        is_of_another = more and more[0] not in services
        assert is_of_another or stage in {"docs", "creating-client-class", "getattr"}, (stage, more)


def test_sdk_handlers_that_the_functions_have_need_no_order() -> None:
    kept = [spec for spec in BUILTIN_HANDLERS if concerns_us(spec[0])]
    assert {"before-call", "request-created", "choose-signer"} <= {spec[0] for spec in kept}
    ordered = [spec[0].split(".") for spec in kept if len(spec) > 2]
    assert not [event for event in ordered if len(event) < 3 or event[2] in OPERATIONS[event[1]]]
