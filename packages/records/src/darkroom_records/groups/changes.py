"""Hearing of changes of groups as they are published."""

from collections.abc import Iterator
from threading import Event

from redis import Redis

from darkroom_records import _keys as keys


def changed_groups(redis: Redis, closed: Event) -> Iterator[str | None]:
    """The id of each group that changes, until closed. None where any may have, since nothing was heard before."""
    with redis.pubsub() as subscription:  # type: ignore[no-untyped-call]  # as redis-py has it
        subscription.subscribe(keys.CHANGES)
        while not closed.is_set():
            if message := subscription.get_message(timeout=1.0):
                yield None if message["type"] == "subscribe" else message["data"]
