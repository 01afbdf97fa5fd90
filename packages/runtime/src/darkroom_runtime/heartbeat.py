"""How the system knows which workers are alive.

Each start of a worker takes a name of its own and keeps a key in Redis alive under it. Work that was begun under a
name whose key has expired was lost with its worker, and may be begun again: also when a new worker has since started
in the same container, which would answer a ping in the dead one's place.
"""

import secrets
import threading

import structlog
from darkroom_contracts.keys import worker_heartbeat
from redis import Redis

from darkroom_runtime.redis_client import UNAVAILABLE

INTERVAL = 5.0
"""Seconds between two heartbeats."""
EXPIRY = 20
"""Seconds after the last heartbeat until the worker counts as dead: three may be missed."""

_log = structlog.get_logger(__name__)


def new_worker_name(node: str) -> str:
    """A name for this start of the Celery node."""
    return f"{node}/{secrets.token_hex(4)}"


class Heartbeat:
    """Keeps the key of one worker alive from a thread of its own until it is stopped."""

    def __init__(self, redis: Redis, worker: str) -> None:
        self._redis = redis
        self._key = worker_heartbeat(worker)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._beat()
        self._thread.start()

    def stop(self) -> None:
        """Stop, and say so at once: what this worker had begun may be taken over."""
        self._stopped.set()
        self._thread.join()
        try:
            self._redis.delete(self._key)
        except UNAVAILABLE:
            _log.warning("heartbeat_not_withdrawn")  # it expires

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL):
            self._beat()

    def _beat(self) -> None:
        try:
            self._redis.set(self._key, "alive", ex=EXPIRY)
        except UNAVAILABLE as error:
            _log.warning("heartbeat_missed", reason=str(error))
