"""The settings for behaviour that AWS does not document: each test has both answers."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.builders import error_from, make_instance, make_snapshot
from tests.emulator.endpoints import Endpoint, Lightsail, client

ELSEWHERE = "us-east-1"


def is_accepted(call: Callable[..., Any], **request: Any) -> bool:
    try:
        error_from(call, **request)
    except AssertionError:
        return True
    return False


def take(lightsail: Lightsail, name: str = "snap-2", **more: Any) -> bool:
    return is_accepted(lightsail.create_instance_snapshot, instanceSnapshotName=name, instanceName="web-1", **more)


def of_a_pending_instance(endpoint: Endpoint, lightsail: Lightsail) -> bool:
    endpoint.control("settings", instanceSeconds=60)
    make_instance(lightsail)
    return take(lightsail)


def of_a_stopped_instance(_: Endpoint, lightsail: Lightsail) -> bool:
    make_instance(lightsail)
    lightsail.stop_instance(instanceName="web-1")
    return take(lightsail)


def while_another_is_made(_: Endpoint, lightsail: Lightsail) -> bool:
    make_instance(lightsail)
    make_snapshot(lightsail)
    return take(lightsail)


def with_a_key_only_tag(_: Endpoint, lightsail: Lightsail) -> bool:
    make_instance(lightsail)
    return take(lightsail, tags=[{"key": "nightly"}])


def deletion_of_a_pending_one(_: Endpoint, lightsail: Lightsail) -> bool:
    make_instance(lightsail)
    make_snapshot(lightsail)
    return is_accepted(lightsail.delete_instance_snapshot, instanceSnapshotName="snap-1")


def copy(endpoint: Endpoint) -> bool:
    request = {"sourceRegion": "eu-central-1", "sourceSnapshotName": "snap-1", "targetSnapshotName": "snap-1"}
    return is_accepted(client(endpoint, ELSEWHERE).copy_snapshot, **request)


def copy_of_a_pending_one(endpoint: Endpoint, lightsail: Lightsail) -> bool:
    make_instance(lightsail)
    make_snapshot(lightsail)
    return copy(endpoint)


def make_copy(endpoint: Endpoint, lightsail: Lightsail) -> Lightsail:
    make_instance(lightsail)
    make_snapshot(lightsail)
    endpoint.control("clock", advance=60)
    assert copy(endpoint)
    return client(endpoint, ELSEWHERE)


def copy_has_its_instance(endpoint: Endpoint, lightsail: Lightsail) -> bool:
    there = make_copy(endpoint, lightsail)
    return bool(there.get_instance_snapshot(instanceSnapshotName="snap-1")["instanceSnapshot"]["fromInstanceArn"])


def copy_has_its_source(endpoint: Endpoint, lightsail: Lightsail) -> bool:
    operations = make_copy(endpoint, lightsail).get_operations_for_resource(resourceName="snap-1")["operations"]
    return bool(operations[0].get("operationDetails") == "eu-central-1:snap-1")


def restored_instance_has_its_ports(endpoint: Endpoint, lightsail: Lightsail) -> bool:
    make_instance(lightsail)
    lightsail.put_instance_public_ports(instanceName="web-1", portInfos=[])
    make_snapshot(lightsail)
    endpoint.control("clock", advance=60)
    restore(lightsail)
    return not lightsail.get_instance_port_states(instanceName="web-2")["portStates"]


def restore(lightsail: Lightsail, **more: Any) -> bool:
    request: dict[str, Any] = {"instanceSnapshotName": "snap-1", "instanceNames": ["web-2"], "bundleId": "small_3_0"}
    zone = lightsail.get_instance(instanceName="web-1")["instance"]["location"]["availabilityZone"]
    return is_accepted(lightsail.create_instances_from_snapshot, availabilityZone=zone, **request, **more)


def with_the_default_key_pair(endpoint: Endpoint, lightsail: Lightsail) -> bool:
    make_instance(lightsail)
    make_snapshot(lightsail)
    endpoint.control("clock", advance=60)
    return restore(lightsail, keyPairName="LightsailDefaultKeyPair")


def closing_a_port_of_a_pending_instance(endpoint: Endpoint, lightsail: Lightsail) -> bool:
    endpoint.control("settings", instanceSeconds=60)
    make_instance(lightsail)
    port = {"fromPort": 22, "toPort": 22, "protocol": "tcp"}
    return is_accepted(lightsail.close_instance_public_ports, instanceName="web-1", portInfo=port)


def operations_of_what_is_gone(_: Endpoint, lightsail: Lightsail) -> bool:
    make_instance(lightsail)
    make_snapshot(lightsail)
    lightsail.delete_instance_snapshot(instanceSnapshotName="snap-1")
    listed = lightsail.get_operations_for_resource(resourceName="snap-1")["operations"]
    return "CreateInstanceSnapshot" in {each["operationType"] for each in listed}


def newest_regions(_: Endpoint, lightsail: Lightsail) -> bool:
    return "sa-east-1" in {each["name"] for each in lightsail.get_regions()["regions"]}


@pytest.mark.parametrize(
    ("setting", "happens"),
    [
        ("snapshotsWhileChanging", of_a_pending_instance),
        ("snapshotsWhileStopped", of_a_stopped_instance),
        ("severalSnapshotsAtOnce", while_another_is_made),
        ("keyOnlyTags", with_a_key_only_tag),
        ("deletesPendingSnapshots", deletion_of_a_pending_one),
        ("copiesPendingSnapshots", copy_of_a_pending_one),
        ("copyKnowsInstance", copy_has_its_instance),
        ("copyNamesSource", copy_has_its_source),
        ("restoreKeepsPorts", restored_instance_has_its_ports),
        ("defaultKeyPairHasName", with_the_default_key_pair),
        ("portsWhilePending", closing_a_port_of_a_pending_instance),
        ("keepsOperations", operations_of_what_is_gone),
        ("newestRegions", newest_regions),
    ],
)
@pytest.mark.parametrize("answer", [True, False])
def test_setting_decides_what_happens(
    endpoint: Endpoint, lightsail: Lightsail, setting: str, happens: Callable[[Endpoint, Lightsail], bool], answer: bool
) -> None:
    endpoint.control("settings", **{setting: answer})
    assert happens(endpoint, lightsail) is answer


def test_name_is_free_after_the_set_time(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("settings", nameFreeSeconds=90)
    make_instance(lightsail)
    make_snapshot(lightsail)
    lightsail.delete_instance_snapshot(instanceSnapshotName="snap-1")
    assert not take(lightsail, "snap-1")
    endpoint.control("clock", advance=90)
    assert take(lightsail, "snap-1")
