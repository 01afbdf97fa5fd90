"""What time it is for Redis, without asking it each time."""

import time
from weakref import WeakKeyDictionary

from redis import Redis

_REFRESH = 60.0
"""Seconds after which Redis is asked again."""
_MAX_ERROR = 0.1
"""Seconds by which a reading may be wrong that is kept: it took that long."""


class RedisClock:
    """Reads the clock of Redis by one of this machine that never jumps. Safe to share between threads."""

    def __init__(self) -> None:
        self._reading: tuple[float, float] | None = None  # when it was taken, and what has to be added

    @property
    def is_set(self) -> bool:
        """Whether Redis was asked and answered quickly."""
        return self._reading is not None

    def now(self, redis: Redis) -> float:
        """The Unix time, ahead by a tenth of a second at most where Redis answers as it should."""
        asked = time.monotonic()
        reading = self._reading
        if reading is not None and asked - reading[0] < _REFRESH:
            return asked + reading[1]
        seconds, microseconds = redis.time()
        offset = seconds + microseconds / 1_000_000 - asked
        self._reading = (asked, offset) if time.monotonic() - asked < _MAX_ERROR else None
        return time.monotonic() + offset

    def forget(self) -> None:
        """Ask Redis the next time: its clock was set, or another one answers in its place."""
        self._reading = None


_clocks: WeakKeyDictionary[Redis, RedisClock] = WeakKeyDictionary()


def clock_of(redis: Redis) -> RedisClock:
    """The one clock for all steps of a connection."""
    return _clocks.setdefault(redis, RedisClock())
