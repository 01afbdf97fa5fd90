"""A Redis that answers, but does not do what it is asked, for real."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from redis import Redis

from support.waiting import wait_for


@contextmanager
def full(redis: Redis) -> Iterator[None]:
    """It has no memory left."""
    redis.config_set("maxmemory", "1")
    try:
        yield
    finally:
        redis.config_set("maxmemory", "0")


@contextmanager
def read_only(redis: Redis) -> Iterator[None]:
    """It is a replica of one that is away."""
    redis.replicaof("127.0.0.1", 1)
    try:
        yield
    finally:
        redis.replicaof("NO", "ONE")


@contextmanager
def not_saving(redis: Redis) -> Iterator[None]:
    """It cannot write its snapshot: a folder lies in its place."""
    obstacle = Path(str(redis.config_get("dir")["dir"])) / str(redis.config_get("dbfilename")["dbfilename"])
    obstacle.mkdir()
    (obstacle / "in-the-way").touch()
    redis.config_set("save", "3600 1")
    redis.bgsave()
    wait_for(lambda: redis.info("persistence")["rdb_last_bgsave_status"] == "err", limit=30, what="a failed snapshot")
    try:
        yield
    finally:
        redis.config_set("save", "")
        shutil.rmtree(obstacle)
        redis.bgsave()
        wait_for(lambda: redis.info("persistence")["rdb_last_bgsave_status"] == "ok", limit=30, what="a snapshot")


@contextmanager
def unreadable(redis: Redis) -> Iterator[None]:
    """It is a replica that shows nothing until it has caught up."""
    redis.config_set("replica-serve-stale-data", "no")
    with read_only(redis):
        yield
    redis.config_set("replica-serve-stale-data", "yes")


@contextmanager
def without_channels(redis: Redis) -> Iterator[None]:
    """It lets nobody subscribe to anything, and drops who had."""
    redis.acl_setuser("default", enabled=True, nopass=True, reset_channels=True, commands=["+@all"], keys=["*"])
    try:
        yield
    finally:
        redis.acl_setuser("default", enabled=True, nopass=True, channels=["*"], commands=["+@all"], keys=["*"])


Troubled = Callable[[Redis], AbstractContextManager[None]]
REFUSES_WRITES: dict[str, tuple[Troubled, str]] = {
    "full": (full, "OOM"),
    "read_only": (read_only, "READONLY"),
    "not_saving": (not_saving, "MISCONF"),
}
"""Each kind of Redis that refuses what would change it, and the word it does that with."""


def refusals(redis: Redis, word: str) -> int:
    """How often it has refused something with this word."""
    return int(redis.info("errorstats").get(f"errorstat_{word}", {"count": 0})["count"])
