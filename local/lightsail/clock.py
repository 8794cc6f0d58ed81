"""The emulator's clock: states move with it, it can run fast, and a test can advance it by hand."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

NEVER = datetime.max.replace(tzinfo=UTC)


class Clock:
    """Starts at the machine's own time and runs `speed` times as fast; `advance` moves it on at once."""

    def __init__(self, speed: float = 1.0, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._speed = speed
        self._time = datetime.now(UTC)
        self._seen = tick()

    def now(self) -> datetime:
        """The emulator's time, in UTC. It never goes back."""
        tick = self._tick()
        self._time += timedelta(seconds=(tick - self._seen) * self._speed)
        self._seen = tick
        return self._time

    def advance(self, seconds: float) -> None:
        """Let `seconds` of the emulator's time pass at once."""
        self._time = self.now() + timedelta(seconds=seconds)

    def set(self, time: datetime) -> None:
        """Begin again at another time, in the past perhaps: only where nothing has a date yet."""
        self.now()
        self._time = time.astimezone(UTC)

    @property
    def speed(self) -> float:
        """Emulated seconds per real second; 0 stops the clock."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self.now()  # what has passed until here passed at the old speed
        self._speed = speed
