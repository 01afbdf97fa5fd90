"""The backlog: how many images wait, and how many may."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from darkroom_contracts.queues import Queue
from darkroom_runtime.queues import oldest_waiting
from redis import Redis

from darkroom_records import _keys as keys


@dataclass(frozen=True, slots=True)
class BacklogLimits:
    """How many images may wait: of all owners together, and of one."""

    total: int
    per_owner: int

    def allows(self, waiting: "Backlog", number: int) -> bool:
        """Whether so many more may wait."""
        return waiting.total + number <= self.total and waiting.of_owner + number <= self.per_owner


NO_LIMITS = BacklogLimits(sys.maxsize, sys.maxsize)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many images wait, in all and of one owner, and since when the one has that waits longest for its turn."""

    total: int
    of_owner: int
    waiting_since: float | None

    @classmethod
    def read(cls, redis: Redis, owner: str | None = None) -> "Backlog":
        """The backlog as it stands, in one round trip."""
        with redis.pipeline(transaction=False) as pipe:
            pipe.hmget(keys.BACKLOG, ["", owner or ""])
            pipe.zrange(keys.WAITING_GROUPS, 0, 0, withscores=True)
            counts, first = pipe.execute()
        total, of_owner = (int(count or 0) for count in counts)
        oldest = cast("Sequence[tuple[str, float]]", first)
        return cls(total, of_owner if owner else 0, oldest[0][1] if oldest else None)


def longest_waiting(redis: Redis, queue: Queue) -> float | None:
    """Since when whatever waits longest for a queue has: a message, or an image whose turn has not come.

    None where nothing waits; 0 where that is not known.
    """
    since = oldest_waiting(redis, queue)
    if queue is not Queue.IMAGES:
        return since
    in_record = Backlog.read(redis).waiting_since
    return min((time for time in (since, in_record) if time is not None), default=None)


class BacklogFullError(RuntimeError):
    """More images wait than may."""
