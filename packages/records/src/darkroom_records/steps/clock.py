"""What time it is for Redis, without asking it each time."""

import time

from redis import Redis

_REFRESH = 60.0
"""Seconds after which Redis is asked again."""
_MAX_ERROR = 0.1
"""Seconds by which a reading may be wrong that is kept: it took that long."""


class RedisClock:
    """Reads the clock of Redis by one of this machine that never jumps. Safe to share between threads."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._reading: tuple[float, float] | None = None  # when it was taken, and what has to be added

    def now(self) -> float:
        """The Unix time, ahead by a tenth of a second at most where Redis answers as it should."""
        asked = time.monotonic()
        reading = self._reading
        if reading is not None and asked - reading[0] < _REFRESH:
            return asked + reading[1]
        seconds, microseconds = self._redis.time()
        offset = seconds + microseconds / 1_000_000 - asked
        self._reading = (asked, offset) if time.monotonic() - asked < _MAX_ERROR else None
        return time.monotonic() + offset

    def forget(self) -> None:
        """Ask Redis the next time: its clock was set, or another one answers in its place."""
        self._reading = None
