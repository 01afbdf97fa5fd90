"""Celery's configuration for beat with RedBeat."""

from typing import Any

from darkroom_runtime.celery_config import publisher
from darkroom_runtime.settings import Settings

_KEYS = "darkroom:scheduler:"
"""Prefix under which RedBeat keeps its entries in Redis."""

LOCK = f"{_KEYS}lock"
"""Held by the one scheduler that sends tasks."""
LOCK_TIMEOUT = 20
"""Seconds after its last tick until a scheduler loses the lock."""


def celery_config(settings: Settings) -> dict[str, Any]:
    """Return the configuration. Of any number of schedulers one sends; another takes over when its lock expires."""
    return publisher(settings) | {
        "beat_scheduler": "darkroom_scheduler.ticks:Scheduler",
        "beat_max_loop_interval": 5,
        "redbeat_redis_url": settings.redis_address(),
        "redbeat_key_prefix": _KEYS,
        "redbeat_lock_key": LOCK,
        # 1,500 s by default, for which nothing would be scheduled. Renewed and asked for every 5 s, so a spare
        # scheduler takes over within 25.
        "redbeat_lock_timeout": LOCK_TIMEOUT,
        "redbeat_redis_options": {"socket_timeout": 5, "socket_connect_timeout": 2},
    }
