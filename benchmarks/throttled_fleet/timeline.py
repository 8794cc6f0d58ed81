"""The virtual clock on which everything runs."""

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count

_really_sleep = time.sleep


class Timeline:
    """A clock, and tasks that run on it. Each task is a thread; one runs at a time, the one that is due first."""

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds since the start."""
        self._due: list[tuple[float, int, threading.Semaphore]] = []
        self._numbers = count()
        self._main = threading.Semaphore(0)
        self._idle: list[_Worker] = []

    def sleep(self, seconds: float) -> None:
        """Stand for `time.sleep`. A thread of somebody else in this process, such as moto's, really sleeps."""
        thread = threading.current_thread()
        is_ours = isinstance(thread, _Worker) or thread is threading.main_thread()
        (self.wait if is_ours else _really_sleep)(seconds)

    def wait(self, seconds: float) -> None:
        """Let the others run until then."""
        until = self.now + seconds
        if not self._due or until < self._due[0][0]:  # it would be the next one
            self.now = until
            return
        mine = threading.Semaphore(0)
        heapq.heappush(self._due, (until, next(self._numbers), mine))
        self._main.release()
        mine.acquire()

    def start(self, task: Callable[[], None], after: float = 0.0) -> None:
        """Run a task later."""
        worker = self._idle.pop() if self._idle else _Worker(self._finish)
        worker.task = task
        heapq.heappush(self._due, (self.now + after, next(self._numbers), worker.turn))

    def run(self) -> None:
        """Run all tasks to their end; raise what one of them raises."""
        while self._due:
            self.now, _, turn = heapq.heappop(self._due)
            turn.release()
            self._main.acquire()
        for worker in self._idle:
            worker.task = None
            worker.turn.release()
        if errors := [worker.error for worker in self._idle if worker.error]:
            raise errors[0]

    def _finish(self, worker: "_Worker") -> None:
        self._idle.append(worker)
        self._main.release()


class _Worker(threading.Thread):
    """Runs one task after the other: to start a thread for each would take longer than most tasks."""

    def __init__(self, finish: Callable[["_Worker"], None]) -> None:
        super().__init__(daemon=True)
        self.turn = threading.Semaphore(0)
        self.task: Callable[[], None] | None = None
        self.error: BaseException | None = None
        self._finish = finish
        self.start()

    def run(self) -> None:
        """Run each task when it is its turn; end when there is none."""
        while True:
            self.turn.acquire()
            if self.task is None:
                return
            try:
                self.task()
            except BaseException as error:  # noqa: BLE001 - raised again by the timeline
                self.error = self.error or error
            self._finish(self)
