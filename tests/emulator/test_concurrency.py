"""Calls that come at the same time, and large accounts."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.lightsail import emulator
from local.lightsail.emulator import Call, Emulator
from local.lightsail.settings import Settings
from tests.emulator.builders import CREATE, error_of, make_instance, snapshot_names
from tests.emulator.endpoints import Endpoint, Lightsail, client


def test_calls_take_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    within: list[int] = []
    seen: list[int] = []

    def look(*_: object) -> dict[str, list[object]]:
        within.append(1)
        time.sleep(0.01)  # long enough for the others to come in, were they let
        seen.append(len(within))
        within.pop()
        return {"instances": []}

    monkeypatch.setattr(emulator, "OPERATIONS", {"GetInstances": look})
    core = Emulator()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(core.handle, [Call("GetInstances", {}, "us-east-1")] * 4))
    assert seen == [1, 1, 1, 1]


def test_five_creates_of_one_name_at_once_make_one_snapshot(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)

    def create(_number: int) -> str:
        try:
            return str(error_of(lightsail.create_instance_snapshot, **CREATE)["code"])
        except AssertionError:
            return "created"

    with ThreadPoolExecutor(5) as pool:
        outcomes = list(pool.map(create, range(5)))
    assert sorted(outcomes) == ["NameExists"] * 4 + ["created"]
    assert snapshot_names(client(endpoint)) == ["snap-1"]


def test_ten_thousand_instances_are_listed_page_by_page() -> None:
    core = Emulator(Settings(page_size=100))
    names = [f"web-{number}" for number in range(10_000)]
    request = {"instanceNames": names, "availabilityZone": "us-east-1a", "blueprintId": "b", "bundleId": "nano"}
    core.perform(Call("CreateInstances", request, "us-east-1"))
    found: list[str] = []
    page: dict[str, str] = {}
    for _ in range(100):
        answer = core.handle(Call("GetInstances", page, "us-east-1")).body
        found += [one["name"] for one in answer["instances"]]
        page = {"pageToken": answer.get("nextPageToken", "")}
    assert found == names
    assert page == {"pageToken": ""}
