"""How many calls of Lightsail an ordinary day takes: benchmarks/daily_calls.py has the larger fleet."""

from benchmarks.daily_calls import BUDGET, ELSEWHERE, KEPT, PAGE, count_calls

INSTANCES = 40
LISTINGS = 4 + 1 + 1 + 1
"""Of audit, of its report, of prune, and of its report."""


def test_ordinary_day_takes_at_most_seven_calls_for_each_of_1000_instances() -> None:
    calls = count_calls(INSTANCES)
    elsewhere = sum(calls.pop(key) for key in list(calls) if key[1] == ELSEWHERE)
    assert calls.total() / INSTANCES + elsewhere / 1000 <= BUDGET
    assert calls["create", "CreateInstanceSnapshot"] == calls["create", "GetInstanceSnapshot"] == INSTANCES
    assert calls["prune", "DeleteInstanceSnapshot"] == INSTANCES
    pages = calls["audit", "GetInstanceSnapshots"] + calls["prune", "GetInstanceSnapshots"]
    assert pages <= LISTINGS * ((KEPT + 1) * INSTANCES / PAGE)
