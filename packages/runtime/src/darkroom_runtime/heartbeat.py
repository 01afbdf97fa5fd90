"""How the system knows which workers are alive.

Each start of a worker takes a name of its own and keeps a key in Redis alive under it. Work that was begun under a
name whose key has expired was lost with its worker, and may be begun again: also when a new worker has since started
in the same container, which would answer a ping in the dead one's place.
"""

import secrets
import threading
from typing import Any

import structlog
from celery import signals
from darkroom_contracts.keys import worker_heartbeat
from redis import Redis

from darkroom_runtime.redis_client import UNAVAILABLE, connect
from darkroom_runtime.settings import Settings

INTERVAL = 5.0
"""Seconds between two heartbeats."""
EXPIRY = 20
"""Seconds after the last heartbeat until the worker counts as dead: three may be missed."""

_log = structlog.get_logger(__name__)


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


class _WorkerHeartbeat:
    """The heartbeat of this process, where it is a worker. The processes of its pool inherit the name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._heartbeat: Heartbeat | None = None

    def name_worker(self, sender: Any, **_: Any) -> None:
        global _worker_name
        _worker_name = f"{sender.hostname}/{secrets.token_hex(4)}"

    def start(self, **_: Any) -> None:
        self._heartbeat = Heartbeat(connect(self._settings), worker_name())
        self._heartbeat.start()

    def stop(self, **_: Any) -> None:
        if self._heartbeat:
            self._heartbeat.stop()


_worker_name = ""


def worker_name() -> str:
    """The name of this start of the worker, under which its heartbeat is kept: its Celery node name, and a nonce."""
    return _worker_name


def keep_for_worker(settings: Settings) -> None:
    """Give this process, should it become a worker, a name and a heartbeat for as long as it runs."""
    heartbeat = _WorkerHeartbeat(settings)
    signals.worker_init.connect(heartbeat.name_worker, weak=False)
    signals.worker_ready.connect(heartbeat.start, weak=False)
    signals.worker_shutdown.connect(heartbeat.stop, weak=False)
