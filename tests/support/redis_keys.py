"""What is kept in a Redis."""

from collections.abc import Callable
from typing import cast

from redis import Redis

_FLEETING = "darkroom:answer:"


def lasting_keys(redis: Redis) -> list[str]:
    """All keys but those of answers to steps, which are kept for two minutes and name nobody."""
    return sorted(key for key in cast("list[str]", redis.keys("*")) if not key.startswith(_FLEETING))


def contents(redis: Redis) -> dict[str, object]:
    """Everything under those keys."""
    readers: dict[str, Callable[[str], object]] = {
        "string": redis.get,
        "hash": redis.hgetall,
        "set": redis.smembers,
        "list": lambda key: redis.lrange(key, 0, -1),
        "zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
    }
    return {key: readers[str(redis.type(key))](key) for key in lasting_keys(redis)}
