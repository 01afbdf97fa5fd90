"""Whether records can be written."""

from redis import Redis

from darkroom_records import _keys as keys


def check(redis: Redis) -> None:
    """Write something that soon expires.

    Raises:
        redis.exceptions.RedisError: Redis does not answer, or takes nothing in.
    """
    redis.set(keys.READINESS, "", ex=60)
