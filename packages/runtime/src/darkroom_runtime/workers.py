"""Which workers are alive: each keeps a record of itself in Redis, which expires unless it is renewed."""

import json
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import cast

from redis import Redis
from redis.exceptions import OutOfMemoryError

EXPIRY = 15
"""Seconds after the last heartbeat until the worker counts as dead: two may be missed."""

WORKERS = "darkroom:workers"
"""Sorted set of the names of workers, by the time of their last heartbeat. For scripts that depend on it."""


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """What a worker says of itself: its Celery node name, the queues it watches, how many tasks it can run at once, and
    how many it runs, holds ready to run, and holds for a later time."""

    node: str
    queues: tuple[str, ...]
    concurrency: int
    active: int
    reserved: int
    scheduled: int


def heartbeat_key(worker: str) -> str:
    """Redis string (JSON) that is there while this start of a worker is alive. For scripts that depend on it."""
    return f"darkroom:worker:{worker}"


def renew(redis: Redis, worker: str, facts: WorkerFacts) -> None:
    """Note that a worker is alive, and what it is doing."""
    now = time.time()
    key = heartbeat_key(worker)
    try:
        with redis.pipeline() as pipe:
            pipe.set(key, json.dumps(asdict(facts)), ex=EXPIRY)
            pipe.zadd(WORKERS, {worker: now})
            pipe.zremrangebyscore(WORKERS, "-inf", now - EXPIRY)
            pipe.execute()
    except OutOfMemoryError:
        redis.expire(key, EXPIRY)  # which a full Redis still does
        raise


def withdraw(redis: Redis, worker: str) -> None:
    """Note that a worker has stopped: what it had begun may be taken over."""
    redis.delete(heartbeat_key(worker))
    redis.zrem(WORKERS, worker)


def is_any_alive(redis: Redis, workers: Collection[str]) -> bool:
    """Whether one of these workers is alive."""
    return bool(workers) and bool(redis.exists(*(heartbeat_key(worker) for worker in workers)))


def living_workers(redis: Redis) -> list[WorkerFacts]:
    """What every living worker says of itself, by its Celery node name."""
    names = cast("list[str]", redis.zrange(WORKERS, time.time() - EXPIRY, "+inf", byscore=True))
    beats = cast("list[str | None]", redis.mget([heartbeat_key(name) for name in names]) if names else [])
    return sorted((_facts(beat) for beat in beats if beat), key=lambda worker: worker.node)


def _facts(beat: str) -> WorkerFacts:
    written = json.loads(beat)
    known = {name: written[name] for name in WorkerFacts.__dataclass_fields__}
    return WorkerFacts(**known | {"queues": tuple(written["queues"])})
