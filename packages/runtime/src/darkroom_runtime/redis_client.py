"""The connection to Redis that holds the records; Celery keeps its own."""

from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from darkroom_runtime.settings import Settings

UNAVAILABLE = (RedisConnectionError, RedisTimeoutError)
"""What is raised when Redis does not answer."""


def connect(settings: Settings, *, patience: float = 2.0, retries: int = 3) -> Redis:
    """A client for Redis, safe to share between threads but not across a fork. Nothing is connected yet.

    Args:
        settings: says where Redis is.
        patience: seconds to wait for an answer.
        retries: how often to try again when Redis does not answer, a quarter of a second to two seconds apart.
    """
    return Redis.from_url(
        settings.redis_address(),
        decode_responses=True,
        socket_connect_timeout=patience,
        socket_timeout=patience,
        socket_keepalive=True,
        health_check_interval=30,
        retry=Retry(ExponentialWithJitterBackoff(base=0.25, cap=2.0), retries),
    )
