"""Whose request is answered next."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from darkroom_api.serving.connection import Connection, Then

Finished = Callable[[Connection, "Future[Then]"], None]


class Turns:
    """Threads, and those who wait for one: the newest and the oldest of them by turns.

    Where a thousand requests come at once, whoever comes after them is answered within two turns, and yet nobody waits
    for ever. Used by one thread alone.

    Args:
        threads: how many.
        name: of the threads.
        work: what they do with a connection.
        finished: what is called by them once it is done.
    """

    def __init__(self, threads: int, name: str, work: Callable[[Connection], Then], finished: Finished) -> None:
        self._executor = ThreadPoolExecutor(threads, name)
        self._free = threads
        self._work = work
        self._finished = finished
        self._waiting: deque[Connection] = deque()
        self._newest_next = True

    def add(self, conn: Connection) -> None:
        """Work on a connection as soon as it is its turn."""
        self._waiting.append(conn)
        self._start()

    def done(self) -> None:
        """A thread has become free."""
        self._free += 1
        self._start()

    def run(self, function: Callable[[Connection], None], conn: Connection) -> None:
        """Do something for which nobody waits."""
        self._executor.submit(function, conn)

    def shutdown(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        while self._free and self._waiting:
            conn = self._waiting.pop() if self._newest_next else self._waiting.popleft()
            self._newest_next = not self._newest_next
            self._free -= 1
            future: Future[Then] = self._executor.submit(self._work, conn)
            future.add_done_callback(partial(self._finished, conn))
