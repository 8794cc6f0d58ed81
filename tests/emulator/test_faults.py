"""The faults, as boto3 sees them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import HTTPClientError

from local.lightsail.faults import ERROR_FAULTS
from tests.emulator.builders import CREATE, error_from, make_instance, make_snapshot, snapshot, snapshot_names
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


def test_error_fault_rejects_the_request(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    for fault, (name, _) in ERROR_FAULTS.items():
        endpoint.control("faults", fault=fault, times=1)
        error = error_from(lightsail.create_instance_snapshot, **CREATE)
        assert (error["name"], error["status"]) == (name, STATUS[fault])
    assert snapshot_names(lightsail) == []


def test_error_fault_has_the_text_that_clients_match(endpoint: Endpoint, lightsail: Lightsail) -> None:
    texts = {
        "busy": "Please wait for it to complete before trying again",
        "try-later": "Please try again in a few minutes",
        "auto-snapshot-window": "when an automatic snapshot is being created",
        "access-denied": "is not authorized to perform: lightsail:CreateInstanceSnapshot on resource: arn:aws:",
        "region-setup": "eu-central-1",
    }
    for fault, text in texts.items():
        endpoint.control("faults", fault=fault, times=1)
        assert text in error_from(lightsail.create_instance_snapshot, **CREATE)["message"]


def test_error_fault_takes_any_error(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("faults", fault="error", error="NobodyKnows", message="What?", status=418)
    error = error_from(lightsail.get_instances)
    assert error == {"name": "NobodyKnows", "code": None, "message": "What?", "status": 418}


def test_error_fault_takes_another_sub_code(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("faults", fault="try-later", code="QuotaExceeded")
    assert error_from(lightsail.get_instances)["code"] == "QuotaExceeded"


def test_fault_ends_after_its_times(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("faults", fault="throttle", times=2)
    for _ in range(2):
        assert error_from(lightsail.get_instances)["name"] == "ThrottlingException"
    assert lightsail.get_instances()["instances"] == []


def test_lost_answer_runs_the_operation(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    endpoint.control("faults", fault="lost-answer", operation="CreateInstanceSnapshot", times=1)
    with pytest.raises(HTTPClientError):
        lightsail.create_instance_snapshot(**CREATE)
    assert snapshot_names(lightsail) == ["snap-1"]


def test_sdk_retry_after_lost_response_gets_name_in_use(endpoint: Endpoint) -> None:
    retrying = client(endpoint, attempts=2)
    make_instance(retrying)
    endpoint.control("faults", fault="lost-answer", operation="CreateInstanceSnapshot", times=1)
    assert error_from(retrying.create_instance_snapshot, **CREATE)["code"] == "NameExists"
    assert snapshot_names(retrying) == ["snap-1"]


def test_unreachable_does_not_run_the_operation(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    endpoint.control("faults", fault="unreachable", times=1)
    with pytest.raises(HTTPClientError):
        lightsail.create_instance_snapshot(**CREATE)
    assert snapshot_names(lightsail) == []


def test_slow_answer_does_not_block_other_calls(endpoint: Endpoint, lightsail: Lightsail) -> None:
    another = client(endpoint)
    endpoint.control("faults", fault="slow", seconds=0.5, operation="GetRegions", times=1)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lightsail.get_regions)
        while endpoint.control("faults", "GET")["faults"]:  # until the slow call has used it up
            assert not slow.done()
        assert another.get_instances()["instances"] == []
        assert not slow.done()
    assert slow.result()["regions"]


def test_stale_read_does_not_show_new_resources(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("settings", speed=0)
    make_instance(lightsail)
    make_snapshot(lightsail)
    endpoint.control("faults", fault="stale", seconds=300, operation="GetInstanceSnapshot")
    assert error_from(lightsail.get_instance_snapshot, instanceSnapshotName="snap-1")["name"] == "NotFoundException"
    assert error_from(lightsail.create_instance_snapshot, **CREATE)["code"] == "NameExists"
    endpoint.control("clock", advance=400)
    assert snapshot(lightsail)["state"] == "available"


def test_never_finish_keeps_the_snapshot_pending(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    endpoint.control("faults", fault="never-finish", name="snap-1")
    make_snapshot(lightsail)
    make_snapshot(lightsail, "snap-2")
    endpoint.control("clock", advance=365 * 86400)
    assert snapshot(lightsail)["state"] == "pending"
    assert snapshot(lightsail, "snap-2")["state"] == "available"


def test_snapshot_fails_ends_snapshot_and_operations_in_error(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    endpoint.control("faults", fault="snapshot-fails", name="web-1", times=1)
    operations = lightsail.create_instance_snapshot(**CREATE)
    assert snapshot(lightsail)["state"] == "pending"
    endpoint.control("clock", advance=60)
    assert snapshot(lightsail)["state"] == "error"
    for started in operations["operations"]:
        ended = lightsail.get_operation(operationId=started["id"])["operation"]
        assert (ended["status"], ended["isTerminal"]) == ("Failed", True)
        assert ended["errorCode"]
        assert ended["errorDetails"]


def test_snapshot_fails_ends_a_copy_in_error(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    make_snapshot(lightsail)
    endpoint.control("clock", advance=60)
    endpoint.control("faults", fault="snapshot-fails", operation="CopySnapshot", region="eu-west-1")
    destination = client(endpoint, "eu-west-1")
    destination.copy_snapshot(sourceSnapshotName="snap-1", sourceRegion="eu-central-1", targetSnapshotName="snap-1")
    endpoint.control("clock", advance=60)
    assert snapshot(destination)["state"] == "error"


def test_unknown_enum_replaces_enum_values(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    make_snapshot(lightsail)
    endpoint.control("faults", fault="unknown-enum")
    odd = snapshot(lightsail)
    assert odd["state"] == odd["resourceType"] == "NeverSeenBefore"
    assert odd["name"] == "snap-1"


def test_fault_applies_only_to_matching_requests(endpoint: Endpoint, lightsail: Lightsail) -> None:
    for scope in ({"operation": "GetRegions"}, {"region": "us-east-1"}, {"name": "web-2"}, {"times": 0}):
        endpoint.control("faults", fault="throttle", **scope)
    assert make_instance(lightsail)["name"] == "web-1"


def test_fault_with_a_name_applies_to_every_request_with_that_name(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("faults", fault="throttle", name="web-1")
    assert error_from(lightsail.get_instance, instanceName="web-1")["name"] == "ThrottlingException"
    assert error_from(lightsail.tag_resource, resourceName="web-1", tags=[])["name"] == "ThrottlingException"
    assert error_from(lightsail.get_instance, instanceName="web-2")["name"] == "NotFoundException"


def test_faults_are_listed_until_used_up_or_cleared(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("faults", fault="throttle", times=1)
    endpoint.control("faults", fault="busy", operation="GetInstances")
    assert [fault["fault"] for fault in endpoint.control("faults", "GET")["faults"]] == ["throttle", "busy"]
    error_from(lightsail.get_instances)
    assert [fault["fault"] for fault in endpoint.control("faults", "GET")["faults"]] == ["busy"]
    assert endpoint.control("faults", "DELETE")["faults"] == []
    assert lightsail.get_instances()["instances"] == []
