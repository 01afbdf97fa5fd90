"""The connection to Redis that holds the records; Celery keeps its own."""

import time
from collections.abc import Callable
from enum import Enum, auto
from typing import TypeVar

import structlog
from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from darkroom_runtime.settings import Settings

UNAVAILABLE = (RedisConnectionError, RedisTimeoutError, ResponseError)
"""What is raised when Redis does not answer, or answers that it cannot do what it was asked."""

Answer = TypeVar("Answer")

_INSIST_PAUSE = 0.5
_log = structlog.get_logger(__name__)


class Trouble(Enum):
    """Why Redis does not do what it is asked."""

    UNREACHABLE = auto()
    FULL = auto()
    READ_ONLY = auto()
    """It is a replica, or has too few of its own."""
    NOT_SAVING = auto()
    """It cannot write its file, so it refuses what it would forget."""
    MISUSED = auto()
    """It is well. What it was asked made no sense."""


_NO_REFUSALS = {Trouble.UNREACHABLE, Trouble.MISUSED}


def trouble(error: BaseException) -> Trouble:
    """Why Redis raised this error, or the one that caused it: Celery wraps those of its own connection."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ResponseError):
        cause = cause.__cause__
    if cause is None:
        return Trouble.UNREACHABLE
    if isinstance(cause, OutOfMemoryError):
        return Trouble.FULL
    said = str(cause)  # in a pipeline the client puts words of its own before those of Redis
    if isinstance(cause, ReadOnlyError) or "NOREPLICAS " in said:
        return Trouble.READ_ONLY
    return Trouble.NOT_SAVING if "MISCONF " in said else Trouble.MISUSED


def insist(call: Callable[[], Answer], *, seconds: float) -> Answer:
    """What the call gives, repeated while Redis refuses it, being full or read-only: for what would be lost otherwise.

    Where Redis does not answer, the client has tried again already, and it is not known whether the call was done.

    Args:
        call: of which a refusal has done nothing.
        seconds: after which the refusal is raised.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except UNAVAILABLE as error:
            if trouble(error) in _NO_REFUSALS or time.monotonic() > deadline:
                raise
            _log.warning("redis_unavailable", trouble=trouble(error).name.lower(), reason=str(error))
            time.sleep(_INSIST_PAUSE)


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


def is_answering(redis: Redis) -> bool:
    """Whether Redis answers at all."""
    try:
        return bool(redis.ping())
    except UNAVAILABLE:
        return False
