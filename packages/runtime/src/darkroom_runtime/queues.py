"""Queues as they are kept in Redis: their length, their oldest message, and messages taken out of them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from darkroom_contracts.queues import Queue
from redis import Redis

PUBLISHED_AT = "published_at"
"""The message header that says since when a message is waiting, in Unix seconds."""

_HELD, _HELD_SINCE = "unacked", "unacked_index"
"""Where kombu keeps the messages that workers hold, and since when each is held."""
_PAGE = 1000
"""Messages that are read at a time."""


def queue_length(redis: Redis, queue: Queue) -> int:
    """How many messages wait in the queue."""
    return redis.llen(queue.value)


def discard_messages(redis: Redis, queues: Iterable[Queue], *, of: str) -> int:
    """Take messages out of queues that nobody needs any more, and tell how many there were.

    A worker that holds one already finds nothing to do. What Redis keeps for it in case it dies is taken away, too.

    Args:
        redis: where the queues are.
        queues: the queues.
        of: what the ids of the messages' Celery tasks begin with.
    """
    with redis.pipeline(transaction=False) as pipe:
        for queue in queues:
            unwanted = [message for message in _messages(redis, queue) if _task_id(message).startswith(of)]
            for message in reversed(unwanted):
                pipe.lrem(queue.value, -1, message)  # from the end at which those that wait longest are
        for tag, held in redis.hscan_iter(_HELD):
            if _id_of(json.loads(held)[0]).startswith(of):
                pipe.hdel(_HELD, tag)
                pipe.zrem(_HELD_SINCE, tag)
        return sum(pipe.execute())


def _task_id(message: str) -> str:
    return _id_of(json.loads(message))


def _id_of(message: Mapping[str, Any]) -> str:
    return str(message["headers"]["id"])


def _messages(redis: Redis, queue: Queue) -> Iterator[str]:
    """The messages that wait, those that came last first. One that is taken meanwhile may come twice, or not at all."""
    start = 0
    while page := cast("list[str]", redis.lrange(queue.value, start, start + _PAGE - 1)):
        yield from page
        start += _PAGE


def oldest_waiting(redis: Redis, queue: Queue) -> float | None:
    """The ``published_at`` of the message that is next in the queue, or None where none waits.

    Messages enter a queue's list on its left and leave it on its right (kombu's Redis transport).
    """
    message = cast("str | None", redis.lindex(queue.value, -1))
    # A message of version 0.1.0 may carry none.
    return float(json.loads(message)["headers"].get(PUBLISHED_AT, 0)) if message else None
