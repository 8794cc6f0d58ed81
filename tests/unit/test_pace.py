"""How fast a process calls Lightsail. benchmarks/throttled_fleet.py shows many of them together."""

import random

import pytest

from lightsail_snapshots.pace import Pace, was_tried


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


def calls_in(pace: Pace, clock: Clock, seconds: int) -> int:
    """Count the calls that may be made, one look each tenth of a second; none is throttled."""
    made = 0
    for _ in range(10 * seconds):
        clock.now += 0.1
        if pace.may_call():
            pace.called(is_throttled=False)
            made += 1
    return made


def test_nothing_waits_before_a_call_is_throttled(pace: Pace, clock: Clock) -> None:
    assert calls_in(pace, clock, 10) == 100
    assert pace.until_usable(180, 0) is None


def test_no_call_may_follow_a_throttled_one_at_once(pace: Pace) -> None:
    pace.called(is_throttled=True)
    assert not pace.may_call()


def test_rate_falls_with_each_throttled_call_and_grows_with_others(pace: Pace, clock: Clock) -> None:
    pace.called(is_throttled=True)
    pace.called(is_throttled=True)
    after_two = calls_in(pace, clock, 60)
    pace.called(is_throttled=True)
    pace.called(is_throttled=True)
    after_four = calls_in(pace, clock, 10)
    assert 5 < after_two < 100
    assert after_four < after_two
    assert calls_in(pace, clock, 300) / 300 > after_two / 60


def test_rate_does_not_grow_when_there_is_nothing_to_do(pace: Pace, clock: Clock) -> None:
    pace.called(is_throttled=True)
    for _ in range(100):
        clock.now += 60
        pace._throttled_at = clock.now
        assert pace.may_call()
        pace.called(is_throttled=False)
    assert calls_in(pace, clock, 10) < 20


def test_rate_is_forgotten_after_a_quarter_of_an_hour_without_throttling(pace: Pace, clock: Clock) -> None:
    pace.called(is_throttled=True)
    clock.now += 901
    assert calls_in(pace, clock, 10) == 100


def test_a_request_that_was_tried_leaves_a_call_for_the_others(pace: Pace, clock: Clock) -> None:
    pace.called(is_throttled=True)
    while not pace.may_call():
        clock.now += 0.1
    assert not pace.may_call(is_tried=True)
    clock.now += 60
    assert pace.may_call(is_tried=True)


@pytest.mark.parametrize(("passed", "least", "most"), [(0, 3.75, 6.25), (60, 7.5, 12.5), (3600, 450, 750)])
def test_turn_takes_a_sixth_of_the_time_passed_at_most(pace: Pace, passed: float, least: float, most: float) -> None:
    pace.called(is_throttled=True)
    for _ in range(100_000):  # so many others that no turn comes sooner
        pace._waiting.append(1e9)
    turns = [pace.until_turn(passed) for _ in range(200)]
    assert least <= min(turns) < max(turns) <= most
    assert max(turns) - min(turns) > (most - least) / 2


def test_turns_come_sooner_when_few_wait(pace: Pace) -> None:
    pace.called(is_throttled=True)
    assert pace.until_turn(3600) < 10


def test_request_that_was_tried_waits_longer_for_its_turn(pace: Pace) -> None:
    pace.called(is_throttled=True)
    assert pace.until_turn(10, is_tried=True) >= 15
    assert 540 <= pace.until_turn(3600, is_tried=True) <= 900
    assert pace._waiting == []


def test_looks_come_later_while_others_wait(pace: Pace, clock: Clock) -> None:
    pace.called(is_throttled=True)
    assert pace.until_usable(180, 0) == 180
    assert pace.until_usable(180, 1000) == 1500
    assert pace.until_usable(180, 10_000) == 3600, "an hour at most, or copies would be late"
    for _ in range(10):
        pace.until_turn(0)
    assert (pace.until_usable(180, 0) or 0) > 250
    clock.now += 60
    assert pace.until_usable(180, 0) == 180


@pytest.fixture
def seeded() -> None:
    random.seed(1)


def waited(passed: float) -> int:
    """Return how often a request was delivered that waits so long for its first call."""
    pace = Pace(lambda: 0.0)
    pace.called(is_throttled=True)
    pace._waiting += [1e9] * 100_000
    at, deliveries = 0.0, 1
    while at < passed:
        at += pace.until_turn(at)
        deliveries += 1
    return deliveries


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("passed", [20, 100, 500, 2000, 7000])
def test_request_that_waits_is_not_taken_for_one_that_was_tried(passed: float) -> None:
    assert not any(was_tried(waited(passed), passed) for _ in range(50))


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("passed", [0, 20, 100, 500, 1000])
def test_request_that_was_tried_is_known_when_it_is_looked_at(passed: float) -> None:
    """Half of its fleet was tried before it: the others will take as long."""
    pace = Pace(lambda: 0.0)
    pace.called(is_throttled=True)
    pace._waiting += [1e9] * int((pace._rate or 0) * passed)
    later = passed + (pace.until_usable(180, passed) or 0)
    known = [was_tried(waited(passed) + 1, later) for _ in range(50)]
    assert sum(known) >= 45, "the others cost a call"


@pytest.mark.parametrize("is_throttled", [False, True])
def test_request_is_known_as_tried_however_long_its_snapshot_takes(is_throttled: bool) -> None:
    pace = Pace(lambda: 0.0)
    if is_throttled:
        pace.called(is_throttled=True)
    passed, attempt = 0.0, 1
    while passed < 8 * 3600:  # longer than create retries
        passed += pace.until_usable(180, passed) or 180
        attempt += 1
        assert was_tried(attempt, passed)


def test_request_is_known_as_tried_after_the_usual_time_and_not_at_once() -> None:
    assert not was_tried(1, 1000)
    assert not was_tried(2, 20)
    assert was_tried(2, 180)
