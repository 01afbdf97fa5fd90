"""At most so many requests at once against one host, so that a slow one holds up nobody else."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from darkroom_outbound.errors import HostBusyError

_LONGEST_WAIT = 300.0
_SHORTEST_HOLD, _LONGEST_HOLD = 0.05, 30.0


class HostSlots:
    """Counts the requests under way. Shared by the threads of a process.

    Whoever finds a host taken is turned away, with a turn of its own: a thousand images of one host do not all come
    back at the same moment.

    Args:
        limit: requests at once for each host.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._hold = dict[str, float]()  # about how long a request to this host takes
        self._next = dict[str, float]()  # when the turn after the last that was given away begins

    @contextmanager
    def hold(self, *names: str) -> Iterator[None]:
        """Count a request against each of these names of one host.

        Raises:
            HostBusyError: one of them has as many as it may.
        """
        names = tuple(dict.fromkeys(names))  # a host that is an address has one name
        self._take(names)
        began = time.monotonic()
        try:
            yield
        finally:
            self._give_back(names, time.monotonic() - began)

    def _take(self, names: tuple[str, ...]) -> None:
        with self._lock:
            for name in names:
                if self._held[name] >= self._limit:
                    raise HostBusyError(names[0], self._turn(name))
            self._held.update(names)

    def _turn(self, name: str) -> float:
        now = time.monotonic()
        pace = self._hold.get(name, 1.0) / self._limit
        turn = min(max(now, self._next.get(name, 0.0)) + pace, now + _LONGEST_WAIT)
        self._next[name] = turn
        return min(turn - now, _LONGEST_WAIT)  # which the sum above may exceed by a rounding

    def _give_back(self, names: tuple[str, ...], seconds: float) -> None:
        with self._lock:
            self._held.subtract(names)
            for name in names:
                self._hold[name] = min(
                    max(0.7 * self._hold.get(name, seconds) + 0.3 * seconds, _SHORTEST_HOLD), _LONGEST_HOLD
                )
                if self._held[name] <= 0:
                    self._forget(name)

    def _forget(self, name: str) -> None:
        del self._held[name]
        if self._next.get(name, 0.0) <= time.monotonic():  # nobody is on the way back
            self._hold.pop(name, None)
            self._next.pop(name, None)
