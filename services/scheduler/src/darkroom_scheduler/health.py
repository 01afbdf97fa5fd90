"""The container's health check: ``python -m darkroom_scheduler.health``."""

import argparse
import sys
import time
from pathlib import Path

from darkroom_runtime.redis_client import UNAVAILABLE, connect
from darkroom_runtime.settings import load
from redis import Redis

from darkroom_scheduler.config import LOCK
from darkroom_scheduler.settings import SchedulerSettings
from darkroom_scheduler.ticks import MARK

LONGEST_TICK = 30.0
"""Seconds: a tick comes every five, and the lock expires after twenty."""


def is_healthy(redis: Redis, mark: Path, now: float) -> bool:
    """Return whether this scheduler ticks, or has never ticked and waits for one that holds the lock.

    Args:
        redis: where the lock is.
        mark: the file touched at each tick.
        now: Unix time in seconds.
    """
    try:
        return now - mark.stat().st_mtime < LONGEST_TICK
    except FileNotFoundError:
        return bool(redis.exists(LOCK))


def main() -> None:
    """Exit 0 if this scheduler is healthy, 1 with a sentence if it is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--any", action="store_true", help="whether any scheduler is at work, rather than this one")
    asks_for_any = parser.parse_args().any
    try:
        redis = connect(load(SchedulerSettings), retries=0)
        healthy = bool(redis.exists(LOCK)) if asks_for_any else is_healthy(redis, MARK, time.time())
    except UNAVAILABLE:
        healthy = False
    if not healthy:
        sys.exit("The scheduler is neither running nor waiting for another one's lock.")


if __name__ == "__main__":
    main()
