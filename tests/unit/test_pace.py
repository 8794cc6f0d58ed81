"""How fast a process calls Lightsail. benchmarks/throttled_fleet.py shows many of them together."""

import pytest

from lightsail_snapshots.pace import TURN, Pace


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
    assert pace.until_usable(180) is None


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


def test_turns_are_short_at_first_and_20_seconds_on_average_at_most(pace: Pace) -> None:
    pace.called(is_throttled=True)
    new = [pace.until_turn(0) for _ in range(200)]
    old = [pace.until_turn(1000) for _ in range(200)]
    assert max(new) <= 7.5
    assert min(new) >= 1
    assert max(old) <= 1.5 * TURN
    assert 18 <= sum(old) / len(old) <= 22


def test_looks_come_later_while_others_wait(pace: Pace, clock: Clock) -> None:
    pace.called(is_throttled=True)
    assert pace.until_usable(180) == 180
    for _ in range(10):
        pace.until_turn(0)
    assert (pace.until_usable(180) or 0) > 300
    clock.now += 60
    assert pace.until_usable(180) == 180
