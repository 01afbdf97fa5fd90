"""Whether any scheduler is at work: ``python -m darkroom_scheduler.health``."""

import sys

from darkroom_runtime.redis_client import UNAVAILABLE, connect
from darkroom_runtime.settings import load
from redis import Redis

from darkroom_scheduler.config import LOCK
from darkroom_scheduler.settings import SchedulerSettings


def lock_is_held(redis: Redis) -> bool:
    """Return whether a scheduler holds the lock, this one or another."""
    return bool(redis.exists(LOCK))


def main() -> None:
    """Exit 0 if a scheduler is at work, 1 with a sentence if none is."""
    try:
        is_held = lock_is_held(connect(load(SchedulerSettings), retries=0))
    except UNAVAILABLE:
        is_held = False
    if not is_held:
        sys.exit("No scheduler is running.")


if __name__ == "__main__":
    main()
