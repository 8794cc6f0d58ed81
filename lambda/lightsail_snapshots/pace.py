"""How fast one process calls Lightsail in one Region, found from Lightsail's own answers.

Lightsail publishes no request rate. As long as it throttles nothing, nothing waits. After that, each process has a rate
of its own: half of it after each throttled call, a little more after each other one. A request that finds no call left
goes back into the queue without one. The processes share nothing, and together find the rate.
docs/decisions/0006-pace.md has the figures that the constants here come from.
"""

import heapq
import random
from collections.abc import Callable

TURN = 20.0
"""Seconds that a request waits for its turn at most, on average: it asks again, in case the rate has risen."""
SHORT_TURN = 5.0
"""The same for a new request: at first no process knows the rate."""

_LESS, _MORE, _MORE_AT_FIRST = 0.5, 1.12, 1.3
_FIRST_RATE = (0.25, 6.0)
"""Calls per second after the first throttled one, at least and at most."""
_MIN_RATE = 0.02
_SAVED_CALLS = 4.0
"""Calls that a process may have saved up."""
_FORGET = 900.0
"""Seconds after the last throttled call in which the rate counts."""


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

    def may_call(self) -> bool:
        """Tell whether a request may call Lightsail now."""
        now = self._clock()
        if self._rate is not None and now > self._throttled_at + _FORGET:
            self._rate, self._passed_before, self._is_first_rate = None, 0, True
        if self._rate is None:
            return True
        self._advance(now, self._rate)
        if self._calls < 1:
            self._is_limiting = True
        return self._calls >= 1

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

    def until_turn(self, passed: float) -> float:
        """Return the seconds after which a request asks again, `passed` seconds after its first delivery.

        A third of the time in which all that wait have had their turn: so there is always one that can take it.
        """
        if self._rate is None:
            return SHORT_TURN * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        now = self._clock()
        turn = (len(self._waiting) + 1) / self._rate / 3
        longest = max(SHORT_TURN, min(passed / 4, max(TURN, passed / 100)))
        seconds = max(1.0, random.uniform(0.5, 1.5) * min(turn, longest))  # noqa: S311 - no secret
        heapq.heappush(self._waiting, now + seconds)
        return seconds

    def until_usable(self, usual: float) -> float | None:
        """Return the seconds after which to look at a new snapshot; None: the usual time.

        While others wait for their first call, looks come later.
        """
        if self._rate is None:
            return None
        self._advance(self._clock(), self._rate)
        return usual + min(420.0, 6 * len(self._waiting) / self._rate)

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
