"""Everything that the emulator can be told to do wrong, as boto3 sees it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import HTTPClientError

from local.lightsail.faults import REFUSALS
from tests.emulator.builders import CREATE, error_of, make_instance, make_snapshot, snapshot, snapshot_names
from tests.emulator.endpoints import Endpoint, Lightsail, client

STATUS = {
    "throttle": 400,
    "server-error": 500,
    "service-unavailable": 503,
    "internal-failure": 500,
    "access-denied": 403,
    "unauthenticated": 401,
    "account-setup": 428,
    "region-setup": 428,
    "busy": 400,
    "try-later": 400,
    "auto-snapshot-window": 400,
    "error": 400,
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_answers_with_its_error_and_does_nothing(
    endpoint: Endpoint, lightsail: Lightsail, fault: str
) -> None:
    make_instance(lightsail)
    endpoint.tell("faults", fault=fault, times=1)
    error = error_of(lightsail.create_instance_snapshot, **CREATE)
    assert (error["name"], error["status"]) == (REFUSALS[fault][0], STATUS[fault])
    assert snapshot_names(lightsail) == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("busy", "Please wait for it to complete before trying again"),
        ("try-later", "Please try again in a few minutes"),
        ("auto-snapshot-window", "when an automatic snapshot is being created"),
        ("access-denied", "is not authorized to perform: lightsail:CreateInstanceSnapshot on resource: arn:aws:"),
        ("region-setup", "eu-central-1"),
    ],
)
def test_a_refusal_has_the_words_that_clients_look_for(
    endpoint: Endpoint, lightsail: Lightsail, fault: str, words: str
) -> None:
    endpoint.tell("faults", fault=fault)
    assert words in error_of(lightsail.create_instance_snapshot, **CREATE)["message"]


def test_an_error_of_any_name_can_be_given(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.tell("faults", fault="error", error="NobodyKnows", message="What?", status=418)
    error = error_of(lightsail.get_instances)
    assert error == {"name": "NobodyKnows", "code": None, "message": "What?", "status": 418}


def test_a_refusal_can_be_given_another_sub_code(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.tell("faults", fault="try-later", code="QuotaExceeded")
    assert error_of(lightsail.get_instances)["code"] == "QuotaExceeded"


def test_a_throttling_burst_is_over_when_it_has_gone_off_often_enough(endpoint: Endpoint) -> None:
    endpoint.tell("faults", fault="throttle", times=2)
    answer = client(endpoint, attempts=3).get_instances()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2


def test_a_lost_answer_is_one_to_work_that_was_done(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    endpoint.tell("faults", fault="lost-answer", operation="CreateInstanceSnapshot", times=1)
    with pytest.raises(HTTPClientError):
        lightsail.create_instance_snapshot(**CREATE)
    assert snapshot_names(lightsail) == ["snap-1"]


def test_an_sdk_that_retries_a_lost_answer_hears_that_the_name_is_in_use(endpoint: Endpoint) -> None:
    retrying = client(endpoint, attempts=2)
    make_instance(retrying)
    endpoint.tell("faults", fault="lost-answer", operation="CreateInstanceSnapshot", times=1)
    assert error_of(retrying.create_instance_snapshot, **CREATE)["code"] == "NameExists"
    assert snapshot_names(retrying) == ["snap-1"]


def test_an_unreachable_service_does_nothing(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    endpoint.tell("faults", fault="unreachable", times=1)
    with pytest.raises(HTTPClientError):
        lightsail.create_instance_snapshot(**CREATE)
    assert snapshot_names(lightsail) == []


def test_a_slow_answer_comes_late_and_holds_up_nobody_else(endpoint: Endpoint, lightsail: Lightsail) -> None:
    another = client(endpoint)
    endpoint.tell("faults", fault="slow", seconds=1, operation="GetRegions", times=1)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lightsail.get_regions)
        while endpoint.tell("faults", "GET")["faults"]:  # until the slow call has been taken up
            assert not slow.done()
        assert another.get_instances()["instances"] == []
        assert not slow.done()
    assert slow.result()["regions"]


def test_a_snapshot_can_be_made_to_never_finish(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    endpoint.tell("faults", fault="never-finish", name="snap-1")
    make_snapshot(lightsail)
    make_snapshot(lightsail, "snap-2")
    endpoint.tell("clock", advance=365 * 86400)
    assert snapshot(lightsail)["state"] == "pending"
    assert snapshot(lightsail, "snap-2")["state"] == "available"


def test_a_snapshot_can_be_made_to_fail_with_its_operations(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    endpoint.tell("faults", fault="snapshot-fails", name="web-1", times=1)
    operations = lightsail.create_instance_snapshot(**CREATE)
    assert snapshot(lightsail)["state"] == "pending"
    endpoint.tell("clock", advance=60)
    assert snapshot(lightsail)["state"] == "error"
    for started in operations["operations"]:
        ended = lightsail.get_operation(operationId=started["id"])["operation"]
        assert (ended["status"], ended["isTerminal"]) == ("Failed", True)
        assert ended["errorCode"]
        assert ended["errorDetails"]


def test_a_copy_can_be_made_to_fail(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    make_snapshot(lightsail)
    endpoint.tell("clock", advance=60)
    endpoint.tell("faults", fault="snapshot-fails", operation="CopySnapshot", region="eu-west-1")
    destination = client(endpoint, "eu-west-1")
    destination.copy_snapshot(sourceSnapshotName="snap-1", sourceRegion="eu-central-1", targetSnapshotName="snap-1")
    endpoint.tell("clock", advance=60)
    assert snapshot(destination)["state"] == "error"


def test_answers_can_carry_enum_values_that_nobody_knows(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    make_snapshot(lightsail)
    endpoint.tell("faults", fault="unknown-enum")
    odd = snapshot(lightsail)
    assert odd["state"] == odd["resourceType"] == "NeverSeenBefore"
    assert odd["name"] == "snap-1"


@pytest.mark.parametrize(
    "scope", [{"operation": "GetRegions"}, {"region": "us-east-1"}, {"name": "web-2"}, {"times": 0}]
)
def test_a_fault_meets_only_what_it_names(endpoint: Endpoint, lightsail: Lightsail, scope: dict[str, object]) -> None:
    endpoint.tell("faults", fault="throttle", **scope)
    assert make_instance(lightsail)["name"] == "web-1"


def test_a_fault_that_names_a_resource_meets_every_request_that_names_it(
    endpoint: Endpoint, lightsail: Lightsail
) -> None:
    endpoint.tell("faults", fault="throttle", name="web-1")
    assert error_of(lightsail.get_instance, instanceName="web-1")["name"] == "ThrottlingException"
    assert error_of(lightsail.tag_resource, resourceName="web-1", tags=[])["name"] == "ThrottlingException"
    assert error_of(lightsail.get_instance, instanceName="web-2")["name"] == "NotFoundException"


def test_faults_are_listed_while_they_can_go_off_and_can_be_cleared(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.tell("faults", fault="throttle", times=1)
    endpoint.tell("faults", fault="busy", operation="GetInstances")
    assert [fault["fault"] for fault in endpoint.tell("faults", "GET")["faults"]] == ["throttle", "busy"]
    error_of(lightsail.get_instances)
    assert [fault["fault"] for fault in endpoint.tell("faults", "GET")["faults"]] == ["busy"]
    assert endpoint.tell("faults", "DELETE")["faults"] == []
    assert lightsail.get_instances()["instances"] == []
