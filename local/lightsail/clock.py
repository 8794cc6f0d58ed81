"""The emulator's clock. States change with it; it can run fast, and a test can advance it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

NEVER = datetime.max.replace(tzinfo=UTC)


class Clock:
    """Starts at the machine's time and runs `speed` times as fast."""

    def __init__(self, speed: float = 1.0, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._speed = speed
        self._time = datetime.now(UTC)
        self._seen = tick()

    def now(self) -> datetime:
        """The emulator's time, in UTC."""
        tick = self._tick()
        self._time += timedelta(seconds=(tick - self._seen) * self._speed)
        self._seen = tick
        return self._time

    def advance(self, seconds: float) -> None:
        """Move the clock forward by `seconds`."""
        self._time = self.now() + timedelta(seconds=seconds)

    def set(self, time: datetime) -> None:
        """Start again at another time, which may be in the past. No resource may exist yet."""
        self.now()
        self._time = time.astimezone(UTC)

    @property
    def speed(self) -> float:
        """Emulated seconds per real second; 0 stops the clock."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self.now()  # the time until now passed at the old speed
        self._speed = speed
