"""A fleet's requests while Lightsail throttles: `python -m benchmarks.throttled_fleet --all` has the larger ones."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Thread
from typing import Any

import pytest

import tests.support.environment  # noqa: F401 - the functions read it when they are imported

# isort: split
from benchmarks.throttled_fleet import peers
from benchmarks.throttled_fleet.__main__ import Cell
from benchmarks.throttled_fleet.fleet import USD_WITHOUT_THROTTLING, simulate, until_available
from benchmarks.throttled_fleet.peers import Peer, auto_snapshots, lightsnap, run_peer
from benchmarks.throttled_fleet.timeline import Timeline
from lightsail_snapshots import create, fan_out


@pytest.mark.parametrize("is_one_bucket", [True, False], ids=["one bucket", "one for each operation"])
@pytest.mark.parametrize(("rate", "size"), [(3, 100), (5, 100), (20, 100), (5, 1000), (20, 1000)])
def test_throttled_fleet_misses_no_goal(rate: float, size: int, is_one_bucket: bool) -> None:
    result = simulate(size, rate, is_one_bucket=is_one_bucket)
    assert list(Cell(rate, size, is_one_bucket, [result]).missed) == []
    assert result.calls <= 2.5
    assert result.extra_usd <= 2e-5


def test_fleet_needs_two_calls_and_deliveries_each_when_nothing_is_throttled() -> None:
    result = simulate(100, 1000)
    assert (result.lost, result.doubled, result.throttled) == (0, 0, 0)
    assert (result.calls, result.deliveries) == (2.05, 2)
    assert result.usage.usd / 100 == pytest.approx(USD_WITHOUT_THROTTLING, rel=0.03)


def test_simulation_is_the_same_when_the_sdk_makes_requests_and_each_delivery_is_parsed() -> None:
    assert simulate(100, 5) == simulate(100, 5, is_quick=False)


def test_threads_of_others_do_not_move_the_virtual_clock() -> None:
    timeline = Timeline()
    thread = Thread(target=timeline.sleep, args=(0.001,))
    thread.start()
    thread.join()
    assert timeline.now == 0
    timeline.sleep(60)
    assert timeline.now == 60


def test_results_depend_on_the_seed_only() -> None:
    assert simulate(100, 5, seed=2) == simulate(100, 5, seed=2) != simulate(100, 5, seed=3)


@pytest.mark.parametrize(("large_fleet", "is_lost"), [(50, False), (1000, True)])
def test_large_fleet_is_lost_if_it_is_not_retried_for_longer(
    large_fleet: int, is_lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(create, "settings", replace(create.settings, deadline=timedelta(seconds=20)))
    monkeypatch.setattr(fan_out, "LARGE_FLEET", large_fleet)
    assert bool(simulate(100, 3).lost) == is_lost


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({}, []),
        ({"lost": 1}, ["loses"]),
        ({"doubled": 1}, ["doubles"]),
        ({"throttled": 0.5}, ["is throttled too often"]),
        ({"last_made": 400.0}, ["is slow"]),
    ],
)
def test_fleet_misses_a_goal(change: dict[str, Any], missed: list[str]) -> None:
    good = replace(simulate(10, 5), ideal=208.0, last_made=250.0, throttled=0.1)
    assert list(Cell(5, 1000, True, [good, replace(good, **change), replace(good, **change)]).missed) == missed


@pytest.mark.parametrize(("seconds", "most"), [(20, 30), (60, 75), (200, 235)])
def test_person_hears_soon_of_a_snapshot(seconds: float, most: float) -> None:
    heard = [until_available(seconds, seed) for seed in range(5)]
    assert seconds < min(heard)
    assert max(heard) <= most


@pytest.mark.parametrize("peer", [auto_snapshots, partial(lightsnap, instances=100)], ids=["pages", "names"])
def test_script_loses_and_doubles_snapshots_when_its_time_is_up(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "TIMEOUT", 60)
    in_time = run_peer(peer, 100, 5)
    assert (in_time.lost, in_time.doubled) == (0, 0)
    too_slow = run_peer(peer, 100, 1)
    assert 60 <= too_slow.seconds < 61
    assert too_slow.lost > 30
    assert too_slow.doubled > 80


def test_script_loses_nearly_all_when_the_sdk_makes_three_attempts() -> None:
    assert run_peer(auto_snapshots, 1000, 1, "standard").lost > 900


def test_timeline_raises_what_a_task_raises() -> None:
    timeline = Timeline()
    ended: list[float] = []

    def good() -> None:
        timeline.wait(2)
        ended.append(timeline.now)

    def bad() -> None:
        timeline.wait(1)
        raise ValueError("bad")

    timeline.start(good)
    timeline.start(bad)
    with pytest.raises(ValueError, match="bad"):
        timeline.run()
    assert ended == [2]
