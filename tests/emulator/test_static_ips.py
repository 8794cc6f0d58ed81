"""Static IPs, and the addresses of instances."""

from tests.emulator.builders import error_from, make_instance
from tests.emulator.endpoints import Endpoint, Lightsail


def address(lightsail: Lightsail, instance: str = "web-1") -> tuple[str, bool]:
    """The public address of an instance, and whether it is static."""
    found = lightsail.get_instance(instanceName=instance)["instance"]
    return found["publicIpAddress"], found["isStaticIp"]


def allocate(lightsail: Lightsail, name: str = "ip-1") -> str:
    """Create a static IP, and return its address."""
    lightsail.allocate_static_ip(staticIpName=name)
    return str(lightsail.get_static_ip(staticIpName=name)["staticIp"]["ipAddress"])


def test_static_ip_is_allocated_unattached_and_without_tags(lightsail: Lightsail) -> None:
    [operation] = lightsail.allocate_static_ip(staticIpName="ip-1")["operations"]
    assert (operation["operationType"], operation["isTerminal"]) == ("AllocateStaticIp", True)
    found = lightsail.get_static_ip(staticIpName="ip-1")["staticIp"]
    assert found["arn"].startswith("arn:aws:lightsail:eu-central-1:123456789012:StaticIp/")
    assert found["location"] == {"availabilityZone": "all", "regionName": "eu-central-1"}
    assert found["isAttached"] is False
    assert not {"attachedTo", "tags"} & set(found)


def test_static_ip_shares_the_name_space(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    assert error_from(lightsail.allocate_static_ip, staticIpName="web-1")["code"] == "NameExists"
    allocate(lightsail)
    assert error_from(make_instance, lightsail=lightsail, name="ip-1")["code"] == "NameExists"


def test_attach_gives_the_instance_the_static_address(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    static = allocate(lightsail)
    operations = lightsail.attach_static_ip(staticIpName="ip-1", instanceName="web-1")["operations"]
    assert [(each["resourceName"], each["operationDetails"]) for each in operations] == [
        ("ip-1", "web-1"),
        ("web-1", "ip-1"),
    ]
    assert address(lightsail) == (static, True)
    [listed] = lightsail.get_static_ips()["staticIps"]
    assert (listed["attachedTo"], listed["isAttached"]) == ("web-1", True)


def test_detach_gives_the_instance_another_address(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    first, _ = address(lightsail)
    static = allocate(lightsail)
    lightsail.attach_static_ip(staticIpName="ip-1", instanceName="web-1")
    assert len(lightsail.detach_static_ip(staticIpName="ip-1")["operations"]) == 2
    last, is_static = address(lightsail)
    assert len({first, static, last}) == 3
    assert not is_static
    assert not lightsail.get_static_ip(staticIpName="ip-1")["staticIp"]["isAttached"]


def test_static_address_moves_to_another_instance(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail, "web-1", instanceNames=["web-1", "web-2"])
    static = allocate(lightsail)
    lightsail.attach_static_ip(staticIpName="ip-1", instanceName="web-1")
    lightsail.detach_static_ip(staticIpName="ip-1")
    lightsail.attach_static_ip(staticIpName="ip-1", instanceName="web-2")
    assert address(lightsail, "web-2") == (static, True)
    state = endpoint.control("state", "GET")["accounts"]["123456789012"]["eu-central-1"]
    assert state["staticIps"] == {"ip-1": "web-2"}


def test_static_ip_stays_when_its_instance_is_deleted(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    static = allocate(lightsail)
    lightsail.attach_static_ip(staticIpName="ip-1", instanceName="web-1")
    lightsail.delete_instance(instanceName="web-1")
    found = lightsail.get_static_ip(staticIpName="ip-1")["staticIp"]
    assert (found["ipAddress"], found["isAttached"]) == (static, False)
    make_instance(lightsail)
    lightsail.attach_static_ip(staticIpName="ip-1", instanceName="web-1")
    assert address(lightsail) == (static, True)


def test_public_address_changes_after_stop_and_start_unless_static(lightsail: Lightsail) -> None:
    make_instance(lightsail, "web-1", instanceNames=["web-1", "web-2"])
    static = allocate(lightsail)
    lightsail.attach_static_ip(staticIpName="ip-1", instanceName="web-1")
    before, _ = address(lightsail, "web-2")
    for name in ("web-1", "web-2"):
        lightsail.stop_instance(instanceName=name)
        lightsail.start_instance(instanceName=name)
    assert address(lightsail) == (static, True)
    assert address(lightsail, "web-2") != (before, False)


def test_release_deletes_a_static_ip(lightsail: Lightsail) -> None:
    allocate(lightsail)
    [operation] = lightsail.release_static_ip(staticIpName="ip-1")["operations"]
    assert operation["operationType"] == "ReleaseStaticIp"
    assert lightsail.get_static_ips()["staticIps"] == []
    assert error_from(lightsail.get_static_ip, staticIpName="ip-1")["name"] == "NotFoundException"


def test_wrong_static_ip_calls_are_rejected(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail, "web-1", instanceNames=["web-1", "web-2"])
    make_instance(lightsail, "web-6", bundleId="small_ipv6_3_0", ipAddressType="ipv6")
    for name in ("ip-1", "ip-2", "ip-3"):
        allocate(lightsail, name)
    lightsail.attach_static_ip(staticIpName="ip-1", instanceName="web-1")
    texts = {
        ("ip-1", "web-2"): "The static IP ip-1 is already attached to web-1.",
        ("ip-2", "web-1"): "The instance web-1 already has the static IP ip-1.",
        ("ip-3", "web-6"): "The instance web-6 has no IPv4 address.",
        ("ip-9", "web-2"): "The StaticIp does not exist: ip-9",
        ("ip-2", "web-9"): "The Instance does not exist: web-9",
    }
    for (static_ip, instance), text in texts.items():
        error = error_from(lightsail.attach_static_ip, staticIpName=static_ip, instanceName=instance)
        assert error["message"] == text
    assert "not attached" in error_from(lightsail.detach_static_ip, staticIpName="ip-2")["message"]
    assert "attached to web-1" in error_from(lightsail.release_static_ip, staticIpName="ip-1")["message"]
    endpoint.control("settings", instanceSeconds=30)
    make_instance(lightsail, "web-3")
    error = error_from(lightsail.attach_static_ip, staticIpName="ip-2", instanceName="web-3")
    assert error["name"] == "OperationFailureException"
