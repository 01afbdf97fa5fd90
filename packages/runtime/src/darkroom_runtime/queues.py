"""How long messages have been waiting in their queues."""

import json
from typing import cast

from darkroom_contracts.queues import Queue
from redis import Redis

PUBLISHED_AT = "published_at"
"""The message header that says since when a message is waiting, in Unix seconds."""


def queue_length(redis: Redis, queue: Queue) -> int:
    """How many messages wait in the queue."""
    return redis.llen(queue.value)


def oldest_waiting(redis: Redis, queue: Queue) -> float | None:
    """The ``published_at`` of the message that is next in the queue, or None where none waits.

    Messages enter a queue's list on its left and leave it on its right (kombu's Redis transport).
    """
    message = cast("str | None", redis.lindex(queue.value, -1))
    # A message of version 0.1.0 may carry none.
    return float(json.loads(message)["headers"].get(PUBLISHED_AT, 0)) if message else None
