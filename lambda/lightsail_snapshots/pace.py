"""How fast one process calls Lightsail in one Region, found from Lightsail's own answers.

Lightsail publishes no request rate. As long as it throttles nothing, nothing waits. After that, each process has a rate
of its own: half of it after each throttled call, a little more after each other one. A request that finds no call left
goes back into the queue without one. The processes share nothing, and together find the rate.
docs/decisions/0006-pace.md has the figures that the constants here come from.
"""

import heapq
import math
import random
from collections.abc import Callable

_SHORT_TURN = 5.0
"""Seconds that a new request waits for its turn at most, on average: at first no process knows the rate."""
_PART = 6.0
"""Later, a request waits at most this part of the time since its first delivery: the rate may have risen."""
_LESS, _MORE, _MORE_AT_FIRST = 0.5, 1.12, 1.3
_FIRST_RATE = (0.25, 6.0)
"""Calls per second after the first throttled one, at least and at most."""
_MIN_RATE = 0.02
_SAVED_CALLS = 4.0
"""Calls that a process may have saved up."""
_FORGET = 900.0
"""Seconds after the last throttled call in which the rate counts."""
_LONGEST = 3600.0
"""Seconds that a look waits for the calls of others at most."""


def was_tried(attempt: int, passed: float) -> bool:
    """Tell whether a request most likely called Lightsail, from its deliveries and the seconds since the first one.

    One that waits for its turn comes back at least 1 + log(passed / 30) times 6, as `until_turn` says; one that was
    tried has missed some of these turns, as `until_usable` says. If this is wrong, it costs a call.
    """
    known = _PART * _SHORT_TURN
    turns = passed / _SHORT_TURN if passed < known else _PART * (1 + math.log(passed / known))
    return 1 <= attempt - 1 <= turns - 4


class Pace:
    """The rate of one process in one Region."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin without a rate; `clock` returns seconds."""
        self._clock = clock
        self._rate: float | None = None
        self._calls = 0.0
        self._at = 0.0
        self._throttled_at = 0.0
        self._passed_before = 0
        """Calls before the first throttled one."""
        self._is_first_rate = True
        self._is_limiting = False
        self._waiting: list[float] = []
        """When those that this process has sent back come again: a heap."""

    def may_call(self, *, is_tried: bool = False) -> bool:
        """Tell whether a request may call Lightsail now; one that was tried leaves a call for the others."""
        now = self._clock()
        if self._rate is not None and now > self._throttled_at + _FORGET:
            self._rate, self._passed_before, self._is_first_rate = None, 0, True
        if self._rate is None:
            return True
        self._advance(now, self._rate)
        if self._calls < 1 + is_tried:
            self._is_limiting = True
            return False
        return True

    def called(self, *, is_throttled: bool) -> None:
        """Take note of a call."""
        now = self._clock()
        if is_throttled:
            self._slow_down(now)
        elif self._rate is None:
            self._passed_before += 1
        else:
            self._calls -= 1
            if self._is_limiting:  # else it is not the rate that keeps the calls few
                self._rate *= _MORE_AT_FIRST if self._is_first_rate else _MORE
                self._is_limiting = False

    def until_turn(self, passed: float, *, is_tried: bool = False) -> float:
        """Return the seconds after which a request asks again, `passed` seconds after its first delivery.

        A third of the time in which all that wait have had their turn: so there is always one that can take it. One
        that was tried comes back less often.
        """
        if is_tried:
            return _about(max(4 * _SHORT_TURN, 0.2 * passed))
        longest = max(_SHORT_TURN, passed / _PART)
        turn = (len(self._waiting) + 1) / self._rate / 3 if self._rate else longest
        seconds = max(1.0, _about(min(turn, longest)))
        heapq.heappush(self._waiting, self._clock() + seconds)
        return seconds

    def until_usable(self, usual: float, passed: float) -> float | None:
        """Return the seconds after which to look at a new snapshot; None: the usual time.

        While Lightsail throttles, looks come after the first calls of those that wait now, in the same order backwards:
        so they need no more calls per second than these. At any time, they come late enough for `was_tried`.
        """
        if self._rate is None:
            return passed / 10 if passed > 10 * usual else None
        self._advance(self._clock(), self._rate)
        until_all_are_tried = len(self._waiting) / self._rate
        return max(usual, min(_LONGEST, 1.5 * passed)) + min(_LONGEST, 2 * until_all_are_tried)

    def _advance(self, now: float, rate: float) -> None:
        self._calls = min(_SAVED_CALLS, self._calls + rate * (now - self._at))
        self._at = now
        while self._waiting and self._waiting[0] <= now:
            heapq.heappop(self._waiting)

    def _slow_down(self, now: float) -> None:
        if self._rate is None:
            least, most = _FIRST_RATE
            self._rate = min(most, max(least, 0.15 * self._passed_before))
        else:
            self._rate = max(_MIN_RATE, self._rate * _LESS)
            self._is_first_rate = False
        self._calls, self._at, self._throttled_at = 0.0, now, now


def _about(seconds: float) -> float:
    return random.uniform(0.75, 1.25) * seconds  # noqa: S311 - no secret
